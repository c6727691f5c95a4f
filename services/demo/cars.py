"""Draws cars with their keepers and histories, and quotes comprehensive private car for them."""

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

from contracts.vocabulary.time import completed_months
from services.demo.risks import Quoted, quoted_by_tariff, shipped
from services.quote.domain.products.vehicle_terms import VehicleTerms

_CODE = "motor-comprehensive"
_CITIES = ("沪A", "京N", "苏E", "浙B", "粤B")
_DRIVER_AGES = (26, 70)
_NEW_VALUES_MINOR = (6_000_000, 45_000_000)
_VALUE_STEP_MINOR = 100_000
_AGE_DAYS_MAX = 11 * 365
_GLASS_AGE_YEARS_MAX = 11
# Above this an old car is seen by a person first.
_OLD_YEARS, _OLD_SUM_MINOR_MAX = 8, 29_900_000
_FUELS = {"petrol": 62, "electric": 24, "hybrid": 10, "diesel": 4}
_USES = {"private": 70, "private and commuting": 24, "business": 6}
_SEATS = {5: 82, 7: 15, 2: 3}
_KM = {"below-10": 45, "10-to-20": 43, "above-20": 12}
# How many in a hundred add the coverage to the third-party covers, and riders to own damage.
_ADDED = {"VehicleDamage": 68, "Driver": 60, "Passengers": 55, "RoadAssistance": 30}
_RIDERS = {"NoDeductible": 60, "Glass": 25, "Scratch": 20, "Wheels": 8, "RepairDays": 10}
_RIDERS_MAX = ("Glass", "Scratch", "Wheels", "RepairDays")


def comprehensive_quote(random: Random, effective: date) -> Quoted:
    """A car, its usual driver and its history, and the coverages chosen for it."""
    registered = effective - timedelta(days=random.randint(0, _AGE_DAYS_MAX))
    new_value_minor = random.randrange(*_NEW_VALUES_MINOR, _VALUE_STEP_MINOR)
    age = completed_months(registered, effective) // 12
    risk = {
        "line": "motor",
        "driver_age": random.randint(*_DRIVER_AGES),
        "driver_gender": random.choice("FM"),
        "vehicle_age": age,
        "vehicle_class": random.choice(("small", "middle", "middle", "upper")),
        "vehicle_power": f"{random.randint(6, 22) * 10} kW",
        "fuel": _drawn(random, _FUELS),
        "usage": _drawn(random, _USES),
        "garage": random.choice(("own garage", "shared garage", "street")),
        "area": f"zone {random.randint(1, 9)}",
        "region": random.choice(("north", "east", "south", "west")),
        "vehicle": {
            "plate_no": f"{random.choice(_CITIES)}{random.randrange(100_000):05d}",
            "first_registered": registered.isoformat(),
            "seats": _drawn(random, _SEATS),
            "value_minor": new_value_minor,
        },
        "claims_history": _history(random, age),
    }
    facts = {"vehicle_value_minor": new_value_minor, "vehicle_age_months": completed_months(registered, effective)}
    answers = {"ride_hailing": False, "modified": False, "yearly_km": _drawn(random, _KM)}
    return quoted_by_tariff(shipped(_CODE), effective, risk, _chosen(random, age, facts), answers)


def _drawn(random: Random, weights: Mapping[Any, int]) -> Any:
    return random.choices(list(weights), list(weights.values()))[0]


def _history(random: Random, age: int) -> dict[str, Any]:
    if age == 0:
        return {"new_car": True}
    if random.random() < 0.08:
        return {"transferred": True}
    years = random.randint(1, min(age, 6))
    claims = _drawn(random, {0: 70, 1: 20, 2: 7, 3: 2, 4: 1})
    return {"claims_in_three_years": claims, "years_insured": years, "gap_months": 0, "transferred": False}


def _chosen(random: Random, age: int, facts: Mapping[str, int]) -> dict[str, int | None]:
    plan = {planned.code: planned for planned in shipped(_CODE).coverages}
    added = [code for code, percent in _ADDED.items() if random.randrange(100) < percent]
    riders = [code for code, percent in _RIDERS.items() if random.randrange(100) < percent]
    if "VehicleDamage" in added:
        unwanted = {"Glass", "Scratch"} if age > _GLASS_AGE_YEARS_MAX else set()
        if set(_RIDERS_MAX) <= set(riders):
            unwanted.add("Wheels")
        added += [code for code in riders if code not in unwanted]
    chosen: dict[str, int | None] = {"CompulsoryTP": plan["CompulsoryTP"].sums_insured_minor[0]}
    for code in ("ThirdParty", *added):
        sums = plan[code].sums_insured_minor
        chosen[code] = _insured_up_to_value(age, facts) if code == "VehicleDamage" else random.choice(sums or (None,))
    return chosen


def _insured_up_to_value(age: int, facts: Mapping[str, int]) -> int:
    """The most that own damage may be insured for, in the product's steps; less where a person would look at it."""
    document = shipped(_CODE)
    terms, span = (
        document.vehicle,
        next(each.sum_insured_range for each in document.coverages if each.sum_insured_range),
    )
    if not isinstance(terms, VehicleTerms) or span is None:
        raise ValueError(f"{_CODE} does not say what a car is worth")
    worth = terms.present_value_minor(facts) or span.at_least_minor
    most = min(worth, _OLD_SUM_MINOR_MAX) if age >= _OLD_YEARS else worth
    return span.at_least_minor + (most - span.at_least_minor) // span.step_minor * span.step_minor
