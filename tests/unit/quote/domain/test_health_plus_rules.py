"""What health plus makes of declarations and of the customer's other contracts: each rule just inside and outside."""

from dataclasses import replace
from typing import Any

import pytest

from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined, PremiumRated
from services.quote.domain.state import NothingYet
from services.quote.domain.underwriting.assessment import CustomerStanding
from services.quote.domain.underwriting.events import ApplicationAssessed, ApplicationReferred, CounterOffered
from tests.support.builders import DECLARATION, POLICYHOLDER, plus_order
from tests.unit.quote.orders import submit
from tests.unit.quote.underwritten import CUSTOMER, standing

AT_50, AT_51 = "1975-01-02", "1975-01-01"
NO_OTHERS = CustomerStanding(contracts=())
HOSPITAL = {"code": "Hospital", "sum_insured_minor": 100_000_000}
CASH = {"code": "HospitalCash"}


def insured(birth_date: str = "1990-05-17", **answers: Any) -> dict[str, Any]:
    """The policyholder, born then, with these answers."""
    return {**POLICYHOLDER, "birth_date": birth_date, "disclosures": {**DECLARATION, **answers}}


def critical_illness(sum_minor: int) -> dict[str, Any]:
    return {"code": "CriticalIllness", "sum_insured_minor": sum_minor}


def decided(*insureds: dict[str, Any], customer: CustomerStanding = NO_OTHERS, **changes: Any) -> list[Any]:
    """The events of an order at the tariff's price before loadings."""
    command = submit(plus_order(*insureds, policyholder_id=CUSTOMER, **changes), customer=customer)
    events = QUOTE_DECIDER.decide(command, NothingYet())
    offered = events[-1]
    rated = next((event.premium_minor for event in events if isinstance(event, PremiumRated)), 0)
    ordered = offered.rated_minor if isinstance(offered, CounterOffered) else rated
    order = command.order.model_copy(update={"premium_minor": ordered})
    return list(QUOTE_DECIDER.decide(replace(command, order=order), NothingYet()))


def ends(events: list[Any]) -> tuple[type, list[str]]:
    """How it ended, and the rules that fired."""
    fired = next((event.fired for event in events if isinstance(event, ApplicationAssessed)), ())
    return type(events[-1]), [rule.code for rule in fired]


@pytest.mark.parametrize(
    ("changes", "end", "codes"),
    [
        ({}, ApplicationAccepted, []),
        ({"disclosures": {"declined_before": True}}, ApplicationReferred, ["declined-before"]),
    ],
)
def test_the_policyholders_answer(changes: dict[str, Any], end: type, codes: list[str]) -> None:
    assert ends(decided(**changes)) == (end, codes)


@pytest.mark.parametrize(
    ("person", "end", "codes"),
    [
        (insured(serious_illness=True), ApplicationDeclined, ["serious-illness"]),
        (insured("1985-01-02", medication=True), ApplicationAccepted, []),
        (insured(AT_51, medication=True), ApplicationReferred, ["medication-older"]),
        (insured(hospital_days=14), ApplicationAccepted, ["hospital-stay"]),
    ],
)
def test_an_insureds_answers(person: dict[str, Any], end: type, codes: list[str]) -> None:
    assert ends(decided(person)) == (end, codes)


def test_medication_between_41_and_50_is_loaded_and_the_working_says_so() -> None:
    command = submit(plus_order(insured(AT_50, medication=True), premium_minor=40_509))
    events = QUOTE_DECIDER.decide(command, NothingYet())
    # 1,000,000.00 x 0.41 per mille x 1.04 x 0.95 = 405.08; 25 % more is 506.35
    assert ends(list(events)) == (CounterOffered, ["medication"])
    offer = events[-1]
    assert isinstance(offer, CounterOffered)
    assert (offer.rated_minor, offer.terms.premium_minor) == (40_508, 50_635)
    assert [(step.value, step.origin) for step in offer.working if step.kind == "loading"] == [
        ("25 %", "loading medication, by underwriting rule")
    ]


def test_daily_cash_is_left_out_after_a_long_stay() -> None:
    # Hospital 217.36 and daily cash 145.00
    long_stay = plus_order(insured(hospital_days=8), coverages=[HOSPITAL, CASH], premium_minor=36_236)
    offer = QUOTE_DECIDER.decide(submit(long_stay), NothingYet())[-1]
    assert isinstance(offer, CounterOffered)
    assert (offer.excluded, offer.terms.premium_minor) == (("HospitalCash",), 21_736)
    short_stay = plus_order(insured(hospital_days=7), coverages=[HOSPITAL, CASH], premium_minor=36_236)
    assert isinstance(QUOTE_DECIDER.decide(submit(short_stay), NothingYet())[-1], ApplicationAccepted)


@pytest.mark.parametrize(
    ("born", "ordered", "elsewhere", "codes"),
    [
        (AT_51, 39_000_000, 0, []),
        (AT_51, 40_000_000, 0, ["critical-illness-sum"]),
        (AT_51, 5_000_000, 35_000_000, ["critical-illness-sum"]),
        (AT_50, 40_000_000, 0, []),
        (AT_50, 5_000_000, 295_000_001, ["critical-illness-total"]),
        (AT_50, 5_000_000, 295_000_000, []),
    ],
)
def test_critical_illness_sums_add_up_over_the_customers_contracts(
    born: str, ordered: int, elsewhere: int, codes: list[str]
) -> None:
    others = standing("other").contracts or ()
    known = CustomerStanding(
        contracts=tuple(replace(one, sums_insured_minor={"CriticalIllness": elsewhere}) for one in others)
    )
    events = decided(insured(born), customer=known, coverages=[HOSPITAL, critical_illness(ordered)])
    assert ends(events)[1] == codes


def test_a_second_contract_for_the_same_time_is_referred() -> None:
    assert ends(decided(customer=standing("health-plus"))) == (ApplicationReferred, ["duplicate"])
    assert ends(decided(customer=standing("health-basic"))) == (ApplicationAccepted, [])
