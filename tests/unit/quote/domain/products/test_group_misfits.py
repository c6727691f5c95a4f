"""Group terms that do not fit line, coverages or tariff, and questions that cannot be asked."""

from typing import Any

import pytest

from services.quote.domain.products.reading import read_document
from tests.unit.quote.domain.products.documents import Edit, content, edited, misfits

INPATIENT, ACCIDENT = 0, 2


def group(**changes: Any) -> Edit:
    return lambda document: document["group"].update(changes)


def first_class(**sums_insured_minor: int | None) -> Edit:
    return lambda document: document["group"]["classes"][0]["sums_insured_minor"].update(sums_insured_minor)


def class_twice(document: dict[str, Any]) -> None:
    document["group"]["classes"][1]["code"] = "A"


def maternity_in_no_class(document: dict[str, Any]) -> None:
    del document["group"]["classes"][0]["sums_insured_minor"]["Maternity"]


def blended_as_quoted(document: dict[str, Any]) -> None:
    document["group"]["blended"] = "group"
    document["pricing"] = {"method": "quoted"}


def first_question(**changes: Any) -> Edit:
    return lambda document: document["disclosures"][0].update(changes)


def question_twice(document: dict[str, Any]) -> None:
    document["disclosures"].append(document["disclosures"][0])


@pytest.mark.parametrize(
    ("edit", "path", "said"),
    [
        (lambda document: document.pop("group"), "group", "add them"),
        (class_twice, "group.classes.1.code", "class A is there twice"),
        (first_class(Flood=1), "group.classes.0.sums_insured_minor.Flood", "not in the plan"),
        (maternity_in_no_class, "coverages.4", "insures nobody"),
        (group(age_bands=[{"at_least": 9, "at_most": 8}]), "group.age_bands.0", "below"),
        (group(age_bands=[{"at_least": 0, "at_most": 40}] * 2), "group.age_bands.1", "inside the one before"),
        (
            group(age_bands=[{"at_least": 0, "at_most": 30}, {"at_least": 31, "at_most": 65}]),
            "pricing.tariff.rates.Inpatient.bands.0",
            "ages 0 to 17 are not whole bands",
        ),
        (
            group(age_bands=[{"at_least": age, "at_most": age} for age in range(50)]),
            "group.age_bands",
            "at most 3000 are kept",
        ),
        (
            group(leavers={"keeps": {"method": "months-begun", "percents": ["10", "20"]}}),
            "group.leavers.keeps.percents",
            "begins up to 12 months and the table ends at 2",
        ),
        (
            group(leavers={"keeps": {"method": "months-begun", "percents": ["20", "10", *["30"] * 9, "101"]}}),
            "group.leavers.keeps.percents.1",
            "let it rise",
        ),
        (group(leavers={"keeps": {"method": "by-month"}}), "group.leavers.keeps.method", "must be one of by-day"),
        (group(blended="head"), "group.blended", "must be 'group' or 'class'"),
        (blended_as_quoted, "group.blended", "the channel's own; remove blended"),
        (
            lambda document: document["coverages"][INPATIENT].update(sums_insured_minor=[1]),
            "coverages.0.sums_insured_minor",
            "those of its classes",
        ),
        (
            lambda document: document["coverages"][ACCIDENT].update(sum_insured_for="contract"),
            "group.classes.0.sums_insured_minor.Accident",
            "sum_insured_for: person",
        ),
        (
            lambda document: document["plan"]["dependants"].update(at_most=2),
            "plan.dependants.at_most",
            "cannot be counted",
        ),
        (
            lambda document: document["coverages"][0]["benefits"][0].update(limits={"per_year_minor": 30_000_001}),
            "coverages.0.benefits.0.limits.per_year_minor",
            "the level above pays 30000000 at most",
        ),
        (first_question(asked_of="person"), "disclosures.0.asked_of", "no person answers"),
        (first_question(answer="choice"), "disclosures.0.choices", "at least two different choices"),
        (first_question(choices=["a", "b"]), "disclosures.0.choices", "has no choices"),
        (question_twice, "disclosures.1.code", "asked twice"),
    ],
)
def test_what_cannot_be_is_told_with_its_path(edit: Edit, path: str, said: str) -> None:
    assert said in dict(misfits(edited("group-medical", edit)))[path]


def many_kinds(classes: int) -> dict[str, Any]:
    """One coverage at one rate, fifty bands, two genders: 300 steps for each class, joiners' own among them."""
    changed = content("group-medical")
    bands = [{"at_least": age, "at_most": age} for age in range(50)]
    kinds = [
        {**changed["group"]["classes"][0], "code": f"K{number}", "sums_insured_minor": {"Inpatient": 10_000_000}}
        for number in range(classes)
    ]
    changed["coverages"] = changed["coverages"][:1]
    changed["plan"]["dependants"] = None
    changed["group"].update(classes=kinds, age_bands=bands)
    changed["pricing"]["tariff"] = {"rates": {"Inpatient": {"basis": "minor", "amount": "100"}}}
    return changed


def test_the_steps_of_joiners_count_in_what_a_working_may_hold() -> None:
    assert read_document(many_kinds(10)).group is not None
    assert "could have 3300 steps" in dict(misfits(many_kinds(11)))["group.age_bands"]


def test_a_line_without_a_census_has_no_group() -> None:
    changed = content("health-basic") | {"group": content("group-medical")["group"]}
    assert "no census" in dict(misfits(changed))["group"]


def test_a_class_may_have_a_coverage_without_a_sum() -> None:
    changed = content("group-medical")
    first_class(Outpatient=None)(changed)
    document = read_document(changed)
    assert document.group is not None
    assert document.group.classes[0].sums_insured_minor["Outpatient"] is None


def test_answers_are_facts_that_a_tariff_may_build_on() -> None:
    changed = content("health-plus")
    changed["underwriting"] = [{"fact": "disclosure_medication", "at_most": 1}]
    changed["pricing"]["tariff"]["factors"][3]["fact"] = "disclosure_height"
    found = dict(misfits(changed))
    assert "disclosure_medication is no number" in found["underwriting.0.fact"]
    assert "disclosure_height is no fact of this line" in found["pricing.tariff.factors.3.fact"]
