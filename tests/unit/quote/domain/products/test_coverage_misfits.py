"""Coverage trees that cannot be: each fault with its path and a sentence, all of them at once."""

from typing import Any

import pytest

from services.quote.domain.products.reading import read_document
from tests.unit.quote.domain.products.documents import Edit, content, edited, misfits

HOSPITAL, CANCER, PROTON, OUTPATIENT, MATERNITY, ACCIDENT, CRITICAL, CASH = range(8)
DAY_SURGERY, DRUGS = 1, 4


def cover(place: int, **changes: Any) -> Edit:
    return lambda document: document["coverages"][place].update(changes)


def benefit(coverage: int, place: int, **changes: Any) -> Edit:
    return lambda document: document["coverages"][coverage]["benefits"][place].update(changes)


def plan(**changes: Any) -> Edit:
    return lambda document: document["plan"].update(changes)


def combination(kind: str, *of: str, count: int = 1) -> dict[str, Any]:
    return {"kind": kind, "of": list(of), "count": count}


def mandatory(document: dict[str, Any], *places: int) -> None:
    for place in places:
        document["coverages"][place]["mandatory"] = True


def unlimited(document: dict[str, Any]) -> None:
    document["plan"]["limits"] = {}
    accident = document["coverages"][ACCIDENT]
    accident.update(sum_insured_range=None, sum_insured_for="contract")
    document["pricing"]["tariff"]["rates"]["Accident"]["basis"] = "minor"


EXCLUSION = {"code": "intent", "text": {"en": "Again", "zh": "再次"}}
NOT_ALLOWED_BOTH = [combination("at-least", "CancerExtra", "CriticalIllness", count=2)]


@pytest.mark.parametrize(
    ("edit", "path", "said"),
    [
        (unlimited, "coverages.5.benefits.0.limits", "nothing limits benefit Death"),
        (
            benefit(HOSPITAL, DAY_SURGERY, limits={"per_event_minor": 400_000_001}),
            "coverages.0.benefits.1.limits.per_event_minor",
            "the level above pays 400000000 at most",
        ),
        (
            benefit(HOSPITAL, DAY_SURGERY, limits={"lifetime_minor": 800_000_001}),
            "coverages.0.benefits.1.limits.lifetime_minor",
            "the level above pays 800000000",
        ),
        (
            cover(HOSPITAL, limits={"per_event_minor": 5, "per_year_minor": 4}),
            "coverages.0.limits.per_event_minor",
            "a shorter period cannot have more",
        ),
        (
            plan(limits={"per_year_minor": 2, "lifetime_minor": 1}),
            "plan.limits.per_year_minor",
            "a shorter period cannot have more",
        ),
        (benefit(HOSPITAL, DRUGS, code="Inpatient"), "coverages.0.benefits.4.code", "stands in the coverage twice"),
        (
            cover(OUTPATIENT, pay=[{"pay_ratio_bp": 8000, "above_minor": 1}]),
            "coverages.3.pay.0.above_minor",
            "begins at 0",
        ),
        (
            cover(OUTPATIENT, pay=[{"pay_ratio_bp": 8000}, {"pay_ratio_bp": 9000}]),
            "coverages.3.pay.1.above_minor",
            "do not rise",
        ),
        (
            cover(OUTPATIENT, pay=[{"pay_ratio_bp": 8000, "social_insurance": "used"}]),
            "coverages.3.pay",
            "used and not-used",
        ),
        (
            benefit(HOSPITAL, DRUGS, pay=[{"pay_ratio_bp": 1, "limit_minor": 400_000_001}]),
            "coverages.0.benefits.4.pay.0.limit_minor",
            "lower it",
        ),
        (cover(ACCIDENT, waiting_days=None, waiting_causes="all"), "coverages.5.waiting_causes", "no waiting period"),
        (cover(HOSPITAL, exclusions=[EXCLUSION]), "coverages.0.exclusions.0.code", "here or above already"),
        (
            benefit(HOSPITAL, DRUGS, exclusions=[EXCLUSION]),
            "coverages.0.benefits.4.exclusions.0.code",
            "here or above already",
        ),
        (cover(ACCIDENT, sums_insured_minor=[1]), "coverages.5.sum_insured_range", "not both"),
        (
            cover(ACCIDENT, sum_insured_range={"at_least_minor": 2, "at_most_minor": 1, "step_minor": 1}),
            "coverages.5.sum_insured_range.at_most_minor",
            "lies below",
        ),
        (
            cover(
                ACCIDENT,
                sum_insured_range={"at_least_minor": 20_000_000, "at_most_minor": 50_000_000, "step_minor": 7_000_000},
            ),
            "coverages.5.sum_insured_range.step_minor",
            "whole number of steps",
        ),
        (cover(HOSPITAL, sums_insured_minor=[400_000_000, 400_000_000]), "coverages.0.sums_insured_minor", "twice"),
        (cover(PROTON, sums_insured_minor=[]), "coverages.2.sum_insured_for", "no sum insured"),
        (plan(dependants=None), "coverages.4.relations", "asks who is who"),
        (cover(PROTON, rider_on=["Hospice"]), "coverages.2.rider_on", "Hospice, which is not in the plan"),
        (cover(PROTON, rider_on=["Proton"]), "coverages.2.rider_on", "cannot be a rider on itself"),
        (
            plan(combinations=[combination("not-together", "Accident", "Flood")]),
            "plan.combinations.0.of",
            "Flood is not in the plan",
        ),
        (plan(combinations=[combination("at-most", "Accident", "Accident")]), "plan.combinations.0.of", "twice"),
        (
            plan(combinations=[combination("at-least", "Accident", "Proton", count=3)]),
            "plan.combinations.0.count",
            "nobody can buy",
        ),
        (
            plan(combinations=[combination("at-most", "Accident", "Proton", count=2)]),
            "plan.combinations.0.count",
            "forbids nothing",
        ),
        (
            plan(combinations=[combination("not-together", "Accident", "Proton", count=2)]),
            "plan.combinations.0.count",
            "has no count",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_path(edit: Edit, path: str, said: str) -> None:
    found = dict(misfits(edited("health-plus", edit)))
    assert said in found[path]


def test_every_fault_of_a_tree_is_told_at_once() -> None:
    changed = content("health-plus")
    cover(PROTON, rider_on=["Hospice"], sums_insured_minor=[])(changed)
    benefit(HOSPITAL, DAY_SURGERY, limits={"per_event_minor": 400_000_001})(changed)
    plan(combinations=[combination("at-least", "Accident", "Flood", count=3)])(changed)
    assert [path for path, _ in misfits(changed)] == [
        "coverages.0.benefits.1.limits.per_event_minor",
        "coverages.2.sum_insured_for",
        "coverages.2.rider_on",
        "plan.combinations.0.of",
        "plan.combinations.0.count",
    ]


def test_riders_that_only_stand_on_each_other_have_no_base() -> None:
    changed = content("health-plus")
    cover(CANCER, rider_on=["Proton"])(changed)
    assert [path for path, _ in misfits(changed)] == ["coverages.1.rider_on", "coverages.2.rider_on"]


def test_a_mandatory_pair_that_is_not_sold_together_nobody_can_buy() -> None:
    changed = content("health-plus")
    mandatory(changed, CANCER, CRITICAL)
    (found,) = misfits(changed)
    assert found[0] == "plan.combinations.0"
    assert "nobody can fulfil this: CancerExtra, CriticalIllness are not sold together" in found[1]


def test_combinations_that_contradict_each_other_are_found_where_it_shows() -> None:
    changed = content("health-plus")
    changed["plan"]["combinations"].append(combination("at-least", "Proton", "CriticalIllness", count=2))
    # Proton needs CancerExtra under it, which is not sold together with CriticalIllness.
    assert [path for path, _ in misfits(changed)] == ["plan.combinations.2"]


def test_a_coverage_that_combinations_shut_out_is_named() -> None:
    changed = content("health-plus")
    mandatory(changed, CRITICAL)
    assert [path for path, _ in misfits(changed)] == ["coverages.1", "coverages.2"]


def test_an_unlimited_coverage_without_benefits_stays_possible() -> None:
    changed = content("motor-private")
    assert read_document(changed).coverages[0].greatest_sum_minor is None


def test_a_limit_of_the_plan_is_limit_enough_for_a_benefit() -> None:
    changed = content("health-plus")
    unlimited(changed)
    changed["plan"]["limits"] = {"lifetime_minor": 1_000_000_000}
    assert read_document(changed).plan.limits.lifetime_minor == 1_000_000_000


def test_compulsory_and_voluntary_motor_cover_are_told_apart() -> None:
    changed = content("motor-private")
    liability = next(each for each in changed["coverages"] if each["code"] == "TPLM")
    liability.update(compulsory=True, mandatory=True, limits={"per_event_minor": 20_000_000})
    document = read_document(changed)
    assert [each.code for each in document.coverages if each.compulsory] == ["TPLM"]
