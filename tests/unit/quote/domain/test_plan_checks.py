"""Orders against the coverage tree: what may be chosen together, who may be insured, what must be declared."""

from typing import Any

import pytest

from contracts.vocabulary.faults import FaultCode
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined
from services.quote.domain.form import FAULTS_MAX
from services.quote.domain.products.reading import read_document
from services.quote.domain.products.version import ProductVersion
from tests.support.builders import CHILD, DAUGHTER, DECLARATION, POLICYHOLDER, group_order, member, plus_order
from tests.support.decider_spec import DeciderSpec
from tests.unit.quote.domain.products.documents import content
from tests.unit.quote.orders import submit

application = DeciderSpec(QUOTE_DECIDER)
HOSPITAL = {"code": "Hospital", "sum_insured_minor": 100_000_000}


def declined_for(order: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    """Code and path of each fault that the order is declined for."""
    last = application.given().when(submit(order, **changes)).decided[-1]
    assert isinstance(last, ApplicationDeclined), last
    return [(fault.code.value, fault.path) for fault in last.faults]


def chosen(**sums_insured_minor: int | None) -> list[dict[str, Any]]:
    """Hospital and these coverages, as an order lists them; None states no sum."""
    found = [
        {"code": code} if own is None else {"code": code, "sum_insured_minor": own}
        for code, own in sums_insured_minor.items()
    ]
    return [HOSPITAL, *found]


def test_the_order_of_the_builder_is_accepted() -> None:
    for order in (plus_order(), group_order()):
        assert isinstance(application.given().when(submit(order)).decided[-1], ApplicationAccepted)


@pytest.mark.parametrize("sum_minor", [4_000_000, 5_500_000, 51_000_000, None])
def test_a_sum_between_the_steps_or_outside_the_range_is_not_offered(sum_minor: int | None) -> None:
    order = plus_order(coverages=chosen(Accident=sum_minor))
    assert declined_for(order) == [(FaultCode.SUM_INSURED_NOT_OFFERED, "coverages.1.sum_insured_minor")]


@pytest.mark.parametrize(("sum_minor", "premium_minor"), [(5_000_000, 25_336), (50_000_000, 57_736)])
def test_both_ends_of_the_range_are_offered(sum_minor: int, premium_minor: int) -> None:
    # Accident: 50,000.00 x 0.80 per mille x 0.90 for office work = 36.00, and ten times that; Hospital 217.36.
    order = plus_order(coverages=chosen(Accident=sum_minor), premium_minor=premium_minor)
    assert isinstance(application.given().when(submit(order)).decided[-1], ApplicationAccepted)


def test_a_rider_is_not_sold_without_its_base() -> None:
    order = plus_order(coverages=chosen(Proton=100_000_000))
    assert declined_for(order) == [(FaultCode.RIDER_WITHOUT_BASE, "coverages.1.code")]


def test_what_is_not_sold_together_is_declined() -> None:
    order = plus_order(coverages=chosen(CancerExtra=100_000_000, CriticalIllness=5_000_000))
    assert declined_for(order) == [(FaultCode.COMBINATION_NOT_OFFERED, "coverages")]


def test_at_least_so_many_of_some_coverages_must_be_bought() -> None:
    changed = content("health-plus")
    changed["plan"]["combinations"] = [
        {"kind": "at-least", "of": ["Outpatient", "Accident", "HospitalCash"], "count": 2}
    ]
    product = ProductVersion.of(read_document(changed))
    order = plus_order(coverages=chosen(Accident=5_000_000))
    assert declined_for(order, product=product) == [(FaultCode.COMBINATION_NOT_OFFERED, "coverages")]


def test_every_fault_of_plan_persons_and_declaration_is_told_at_once() -> None:
    husband = {**POLICYHOLDER, "disclosures": {**DECLARATION, "hospital_days": True, "weight": 80}}
    stranger = {"birth_date": "1990-05-17", "gender": "M"}
    order = plus_order(
        POLICYHOLDER, husband, stranger, coverages=chosen(Proton=1, Accident=1), disclosures=None, premium_minor=1
    )
    assert declined_for(order) == [
        ("sum_insured_not_offered", "coverages.1.sum_insured_minor"),
        ("sum_insured_not_offered", "coverages.2.sum_insured_minor"),
        ("rider_without_base", "coverages.1.code"),
        ("disclosure_unanswered", "disclosures.declined_before"),
        ("invalid_field", "risk.insureds.1.disclosures.hospital_days"),
        ("unknown_field", "risk.insureds.1.disclosures.weight"),
        *(("disclosure_unanswered", f"risk.insureds.2.disclosures.{code}") for code in DECLARATION),
        ("dependant_not_allowed", "risk.insureds.1.relation"),
        ("missing_field", "risk.insureds.2.relation"),
        ("risk_not_accepted", "risk.insureds.1"),
        ("risk_not_accepted", "risk.insureds.2"),
    ]


def test_dependants_are_as_the_plan_allows() -> None:
    changed = content("health-plus")
    changed["plan"]["dependants"] = {"relations": ["child"], "at_most": 1}
    product = ProductVersion.of(read_document(changed))
    spouse = {**POLICYHOLDER, "relation": "spouse"}
    assert declined_for(plus_order(POLICYHOLDER, CHILD, CHILD, spouse), product=product) == [
        ("dependant_not_allowed", "risk.insureds.2.relation"),
        ("dependant_not_allowed", "risk.insureds.3.relation"),
        ("dependant_not_allowed", "risk.insureds.3.relation"),
    ]


def test_a_coverage_that_insures_none_of_these_persons_is_not_sold_for_nothing() -> None:
    order = plus_order(CHILD, coverages=chosen(Maternity=1_000_000))
    assert declined_for(order) == [("dependant_not_allowed", "coverages.1.code")]


def test_an_answer_that_no_choice_names_is_none() -> None:
    person = {**POLICYHOLDER, "disclosures": {**DECLARATION, "occupation_class": "astronaut"}}
    assert declined_for(plus_order(person)) == [("invalid_field", "risk.insureds.0.disclosures.occupation_class")]


def test_a_number_that_was_declared_is_underwritten() -> None:
    person = {**POLICYHOLDER, "disclosures": {**DECLARATION, "hospital_days": 15}}
    assert declined_for(plus_order(person)) == [("risk_not_accepted", "risk.insureds.0")]


def test_a_product_that_asks_nothing_takes_no_answers() -> None:
    order = plus_order(
        POLICYHOLDER, product="health-basic", coverages=[{"code": "Inpatient", "sum_insured_minor": 10_000_000}]
    )
    faults = declined_for(order)
    assert ("unknown_field", "disclosures.declined_before") in faults
    assert len(faults) == 1 + len(DECLARATION)


def test_a_newborn_is_insured_from_the_28th_day_of_life_on() -> None:
    born = {**CHILD, "birth_date": "2025-12-05"}
    assert declined_for(plus_order(POLICYHOLDER, born)) == [("risk_not_accepted", "risk.insureds.1")]
    old_enough = {**CHILD, "birth_date": "2025-12-04"}
    assert declined_for(plus_order(POLICYHOLDER, old_enough)) == [("price_outside_tolerance", "premium_minor")]


def test_a_group_has_a_least_headcount_and_known_classes() -> None:
    members = [*(member(number) for number in range(3)), member(9, cover_class="Z")]
    assert declined_for(group_order(*members)) == [
        ("headcount_too_low", "risk.members"),
        ("class_not_in_plan", "risk.members.3.cover_class"),
    ]


def test_a_class_without_the_coverage_ordered_is_not_insured_by_it() -> None:
    staff = [member(number) for number in range(5)]
    order = group_order(*staff, coverages=[{"code": "Inpatient"}, {"code": "Maternity"}])
    assert declined_for(order) == [("dependant_not_allowed", "coverages.1.code")]


def test_a_parent_of_an_employee_is_not_insured() -> None:
    staff = [*(member(number) for number in range(5)), {**DAUGHTER, "relation": "parent"}]
    assert declined_for(group_order(*staff)) == [("dependant_not_allowed", "risk.members.5.relation")]


def test_a_census_of_thousands_of_faults_tells_so_many_and_counts_the_rest() -> None:
    order = group_order(*(member(number, age=99, cover_class="Z") for number in range(1_000)))
    faults = application.given().when(submit(order)).decided[-1].faults
    assert len(faults) == FAULTS_MAX + 1
    assert faults[-1].message == "1951 more faults are not listed; mend these first"
