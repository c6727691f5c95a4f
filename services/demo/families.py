"""Draws persons and families, and quotes the health products for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from services.demo.raw import Outcome
from services.demo.risks import Quoted, quoted_by_tariff, shipped

_ADULT_DAYS = (19 * 366, 63 * 365)
_ADULT_OF_PLUS_DAYS = (19 * 366, 59 * 365)
_CHILD_DAYS = (60, 17 * 365)
# How many in a hundred add the coverage to Hospital. A sum insured comes from the product's list, or is drawn in
# steps of it; what does not go together is left out.
_ADDED = {
    "Outpatient": 40,
    "Accident": 50,
    "HospitalCash": 30,
    "CancerExtra": 40,
    "Proton": 50,
    "CriticalIllness": 40,
    "Maternity": 12,
}
_LOADED_AGE_MIN, _LOADED_AGE_MAX = 41, 50
_CRITICAL_ILLNESS_REFERRED_MINOR = 40_000_000
_ADDED_MAX = ("Outpatient", "Accident", "HospitalCash", "CriticalIllness")


def basic_quote(random: Random, effective: date) -> Quoted:
    """A family and the coverages of basic health that it chose."""
    insureds = [_person(random, effective, _ADULT_DAYS) for _ in range(random.choice((1, 1, 2)))]
    insureds += [_person(random, effective, _CHILD_DAYS) for _ in range(random.choice((0, 0, 1, 2)))]
    product = shipped("health-basic")
    chosen = {
        planned.code: random.choice(planned.sums_insured_minor)
        for planned in product.coverages
        if planned.mandatory or random.random() < 0.6
    }
    return quoted_by_tariff(product, effective, {"line": "health", "insureds": insureds}, chosen)


def plus_quote(random: Random, effective: date) -> Quoted:
    """A family with its declaration, and the coverages of health plus that it chose."""
    family = list(_family(random, effective))
    chosen = _chosen(random)
    risk = {"line": "health", "insureds": family}
    quoted = quoted_by_tariff(shipped("health-plus"), effective, risk, chosen, {"declined_before": False})
    return replace(quoted, waits_for=_waits_for(family, chosen, effective))


def _waits_for(insureds: Sequence[Mapping[str, Any]], chosen: Mapping[str, int], effective: date) -> Outcome | None:
    """What health plus asks of a person: long medication, by age, and a high sum for critical illness."""
    medicated = [_age(one, effective) for one in insureds if one["disclosures"]["medication"]]
    oldest = max(_age(one, effective) for one in insureds)
    if any(age > _LOADED_AGE_MAX for age in medicated):
        return Outcome.REFERRED
    if oldest > _LOADED_AGE_MAX and chosen.get("CriticalIllness", 0) >= _CRITICAL_ILLNESS_REFERRED_MINOR:
        return Outcome.REFERRED
    return Outcome.OFFERED if any(age >= _LOADED_AGE_MIN for age in medicated) else None


def _age(insured: Mapping[str, Any], effective: date) -> int:
    born = date.fromisoformat(insured["birth_date"])
    return effective.year - born.year - ((effective.month, effective.day) < (born.month, born.day))


def _family(random: Random, effective: date) -> Iterator[dict[str, Any]]:
    relations = ["self", *random.choice(((), (), ("spouse",))), *random.choice(((), ("child",), ("child", "child")))]
    for relation in relations:
        is_child = relation == "child"
        person = _person(random, effective, _CHILD_DAYS if is_child else _ADULT_OF_PLUS_DAYS)
        work = "none" if is_child else random.choice(("office", "office", "field", "hazardous", "none"))
        declaration = {
            "serious_illness": False,
            "medication": random.random() < 0.1,
            "hospital_days": random.choice((0, 0, 0, 2, 5)),
            "occupation_class": work,
        }
        insured = random.random() < 0.8
        yield person | {"relation": relation, "social_insurance": insured, "disclosures": declaration}


def _chosen(random: Random) -> dict[str, int]:
    plan = {planned.code: planned for planned in shipped("health-plus").coverages}
    added = [code for code, percent in _ADDED.items() if random.randrange(100) < percent]
    unwanted = {"Proton"} if "CancerExtra" not in added else {"CriticalIllness"}
    if set(_ADDED_MAX) <= set(added):
        unwanted.add("HospitalCash")
    chosen: dict[str, int] = {}
    for code in ["Hospital", *(code for code in added if code not in unwanted)]:
        span = plan[code].sum_insured_range
        if span is None:
            chosen[code] = random.choice(plan[code].sums_insured_minor)
        else:
            steps = (span.at_most_minor - span.at_least_minor) // span.step_minor
            chosen[code] = span.at_least_minor + span.step_minor * random.randint(0, steps)
    return chosen


def _person(random: Random, effective: date, days: tuple[int, int]) -> dict[str, Any]:
    birth_date = effective - timedelta(days=random.randint(*days))
    adult = days != _CHILD_DAYS
    return {
        "birth_date": birth_date.isoformat(),
        "gender": random.choice("FM"),
        "smoker": adult and random.random() < 0.2,
    }
