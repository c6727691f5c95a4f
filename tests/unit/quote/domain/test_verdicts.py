"""What the rules make of an order: the strongest outcome holds, and everything that fired is kept with its facts."""

from datetime import date
from typing import Any

import pytest

from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.products import CoverageTerms
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined, ApplicationSubmitted, PremiumRated
from services.quote.domain.underwriting.assessment import CustomerStanding
from services.quote.domain.underwriting.events import ApplicationAssessed, ApplicationReferred, CounterOffered
from tests.support.builders import ADULT
from tests.unit.quote.underwritten import (
    CUSTOMER,
    DOUBLE,
    HIGH,
    HIGH_SUM,
    LONG_AHEAD,
    OUTPATIENT,
    RANGE,
    REFERRED,
    RULES,
    SMOKER,
    SMOKES,
    TOO_MUCH,
    decided,
    order,
    product,
    rule,
    standing,
)

NEWBORN_CHILD = {"birth_date": "2025-06-01", "gender": "M", "smoker": False}
SMOKER_LOADING = "loading smoker, by underwriting rule"
BABY_ORDER = order(NEWBORN_CHILD, coverages=[{"code": "Inpatient", "sum_insured_minor": 10_000_000}, OUTPATIENT])


def types(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


def fired(events: list[Any]) -> list[tuple[str, str]]:
    (assessed,) = [event for event in events if isinstance(event, ApplicationAssessed)]
    return [(one.code, one.path) for one in assessed.fired]


def loading_steps(event: Any) -> list[tuple[str, str, str, str]]:
    return [(s.coverage, s.subject, s.value, s.origin) for s in event.working if s.kind == "loading"]


def test_nothing_fires_for_an_ordinary_order() -> None:
    events = decided(order())
    assert types(events) == [ApplicationSubmitted, ApplicationAssessed, PremiumRated, ApplicationAccepted]
    assert fired(events) == []
    assert events[1].figures["order.days_to_cover"] == 12


def test_a_product_with_ranges_alone_is_not_assessed_further() -> None:
    events = decided(order(), product([RANGE]))
    assert types(events) == [ApplicationSubmitted, PremiumRated, ApplicationAccepted]


def test_a_rule_refers_with_its_words_its_facts_and_the_price() -> None:
    assert types(REFERRED) == [ApplicationSubmitted, ApplicationAssessed, PremiumRated, ApplicationReferred]
    (reason,) = REFERRED[-1].reasons
    assert (reason.code, reason.reason_en, reason.reason_zh) == ("high-sum", "because of the risk", "因风险原因")
    assert reason.facts == {"order.sum_insured_minor.Inpatient": HIGH}
    assert (REFERRED[-1].terms.premium_minor, REFERRED[-1].priced) == (130_910, True)
    assert (REFERRED[-1].mandatory, REFERRED[-1].answer_within_days) == (("Inpatient",), 2)


def test_decline_beats_refer_and_both_are_kept() -> None:
    events = decided(order(SMOKER, insured=HIGH, effective="2026-05-01"))
    assert types(events) == [ApplicationSubmitted, ApplicationAssessed, ApplicationDeclined]
    assert fired(events) == [("high-sum", ""), ("smoker", "risk.insureds.0"), ("long-ahead", "")]
    (fault,) = events[-1].faults
    assert (fault.code, fault.message) == (FaultCode.RISK_NOT_ACCEPTED, "because of the risk (long-ahead)")


def test_refer_beats_a_loading() -> None:
    # 500,000.00 x 2.65 per mille x 1.04 x 1.35 = 1,860.30
    events = decided(order(SMOKER, insured=HIGH, premium=186_030))
    assert isinstance(events[-1], ApplicationReferred)
    assert events[-1].terms.premium_minor == 186_030
    # The underwriter is told of the loading, which accepting as ordered is without.
    assert [one.code for one in events[-1].reasons] == ["high-sum", "smoker"]
    # 1,860.30 x 1.25 = 2,325.375
    seen = decided(order(SMOKER, insured=HIGH, premium=232_538))
    assert (seen[-1].terms.premium_minor, [one.code for one in seen[-1].reasons]) == (232_538, ["high-sum"])


def test_a_rule_that_accepts_changes_nothing_and_is_kept() -> None:
    events = decided(order(campaign="staff"))
    assert isinstance(events[-1], ApplicationAccepted)
    assert fired(events) == [("known", "")]


def test_a_loading_that_the_buyer_has_not_seen_is_offered() -> None:
    # 100,000.00 x 2.65 per mille x 1.04 x 1.35 = 372.06, and 25 % of it is 93.015
    events = decided(order(SMOKER, premium=37_206))
    assert isinstance(events[-1], CounterOffered)
    assert (events[-1].terms.premium_minor, events[-1].rated_minor) == (37_206 + 9_302, 37_206)
    assert (events[-1].offered_by, events[-1].valid_until) == (None, date(2025, 12, 30))


def test_an_offer_of_the_rules_ends_with_the_day_on_which_cover_starts() -> None:
    events = decided(order(SMOKER, premium=37_206, effective="2025-12-24"))
    assert events[-1].valid_until == date(2025, 12, 24)


@pytest.mark.parametrize("premium", [46_507, 46_508, 46_509])
def test_an_order_at_the_price_with_the_loading_is_accepted_at_once(premium: int) -> None:
    events = decided(order(SMOKER, premium=premium))
    assert types(events) == [ApplicationSubmitted, ApplicationAssessed, PremiumRated, ApplicationAccepted]
    assert events[-1].terms.premium_minor == premium
    assert events[2].premium_minor == 46_508


@pytest.mark.parametrize("premium", [37_204, 46_506, 46_510])
def test_an_order_at_neither_price_is_declined(premium: int) -> None:
    events = decided(order(SMOKER, premium=premium))
    assert isinstance(events[-1], ApplicationDeclined)
    assert events[-1].faults[0].code is FaultCode.PRICE_OUTSIDE_TOLERANCE


def test_a_loading_is_taken_of_the_one_persons_premium() -> None:
    # Adult 261.82 and smoker 372.06 together 633.88; 25 % of 372.06 alone is 93.015.
    events = decided(order(ADULT, SMOKER, premium=63_388))
    assert events[-1].terms.premium_minor == 63_388 + 9_302
    assert loading_steps(events[-1]) == [("Inpatient", "risk.insureds.1", "25 %", SMOKER_LOADING)]


def test_a_loading_may_be_an_amount() -> None:
    flat = rule("flat", {"fact": "smoker", "equals": "yes"}, "load", amount_minor=5_000)
    events = decided(order(SMOKER, premium=37_206), product([flat]))
    assert events[-1].terms.premium_minor == 42_206


def test_one_rounding_at_the_end_of_all_loadings() -> None:
    # 372.06 x (1 + 25 % + 10 %) = 502.281; rounding 93.015 and 37.206 by themselves would give 502.29
    both = [SMOKES, rule("woman", {"fact": "gender", "equals": "F"}, "load", percent="10")]
    events = decided(order(SMOKER, premium=37_206), product(both))
    assert events[-1].terms.premium_minor == 50_228
    assert (
        loading_steps(events[-1])
        == loading_steps(events[2])
        == [
            ("Inpatient", "risk.insureds.0", "25 %", SMOKER_LOADING),
            ("Inpatient", "risk.insureds.0", "10 %", "loading woman, by underwriting rule"),
        ]
    )


def test_a_loading_on_two_coverages_is_shared_by_their_premiums() -> None:
    # 372.06 and 5,000.00 x 34.15 per mille x 1.04 x 1.35 = 239.733: 50.00 is 30.40734 and 19.59266 of it
    flat = rule("flat", {"fact": "smoker", "equals": "yes"}, "load", amount_minor=5_000)
    both = [{"code": "Inpatient", "sum_insured_minor": 10_000_000}, OUTPATIENT]
    offer = decided(order(SMOKER, coverages=both, premium=61_179), product([flat]))[-1]
    assert [one.premium_minor for one in offer.terms.coverages] == [40_247, 25_933]
    words = "loading flat, by underwriting rule, minor units, in proportion to the premiums"
    assert loading_steps(offer) == [("*", "risk.insureds.0", "5000", words)]


def test_a_premium_as_quoted_is_loaded_with_one_rounding_too() -> None:
    quoted = {"pricing": {"method": "quoted"}}
    chosen = [{"code": "Inpatient", "sum_insured_minor": 10_000_000, "premium_minor": 37_206}]
    both = [SMOKES, rule("woman", {"fact": "gender", "equals": "F"}, "load", percent="10")]
    events = decided(order(SMOKER, coverages=chosen, premium=37_206), product(both, **quoted))
    assert events[-1].terms.premium_minor == 50_228
    assert [step[2] for step in loading_steps(events[-1])] == ["25 %", "10 %"]


def test_a_price_without_loadings_has_none_in_its_working() -> None:
    assert loading_steps(decided(order())[2]) == []


def test_an_excluded_coverage_is_offered_without() -> None:
    # Inpatient 100,000.00 x 3.20 x 0.97 x 0.95 = 294.88; Outpatient 5,000.00 x 62.50 x 0.97 x 0.95 = 287.97 (.96875)
    events = decided({**BABY_ORDER, "premium_minor": 58_285})
    assert isinstance(events[-1], CounterOffered)
    assert events[-1].excluded == ("Outpatient",)
    assert events[-1].terms.coverages == (
        CoverageTerms(code="Inpatient", premium_minor=29_488, sum_insured_minor=10_000_000),
    )


def test_what_is_not_bought_need_not_be_excluded() -> None:
    assert isinstance(decided(order(NEWBORN_CHILD, premium=29_488))[-1], ApplicationAccepted)


def test_without_a_mandatory_coverage_the_order_is_declined() -> None:
    out = rule("out", {"fact": "smoker", "equals": "yes"}, "exclude", coverages=["Inpatient"])
    events = decided(order(SMOKER, premium=37_206), product([out]))
    assert isinstance(events[-1], ApplicationDeclined)
    assert "without Inpatient the product is not sold" in events[-1].faults[0].message


def test_a_price_outside_the_tolerance_may_be_referred() -> None:
    version = product(RULES, referrals={"price_differences": "refer"})
    events = decided(order(premium=26_000), version)
    assert types(events)[-2:] == [PremiumRated, ApplicationReferred]
    assert events[-1].reasons[0].code == "price-outside-tolerance"
    assert events[-1].terms.premium_minor == 26_182


def test_a_missing_rate_refers_without_a_price() -> None:
    old = {**ADULT, "birth_date": "1955-01-01"}
    events = decided(order(old), product([HIGH_SUM]))
    assert types(events) == [ApplicationSubmitted, ApplicationAssessed, ApplicationReferred]
    assert (events[-1].priced, events[-1].terms.premium_minor) == (False, 0)
    assert "no rate for age 71" in events[-1].reasons[0].reason_en


def customer(message: dict[str, Any], known: CustomerStanding, *rules: dict[str, Any]) -> list[Any]:
    return decided(message | {"policyholder_id": CUSTOMER}, product(list(rules)), customer=known)


def test_a_second_contract_of_the_same_product_is_seen() -> None:
    events = customer(order(), standing("health-basic"), DOUBLE)
    assert [(one.code, one.facts) for one in events[-1].reasons] == [("double", {"customer.same_product": 1})]
    assert isinstance(customer(order(), standing("motor-private"), DOUBLE)[-1], ApplicationAccepted)


def test_a_contract_of_another_term_is_no_second_one() -> None:
    later = order(effective="2027-01-01", placed_at="2026-12-20T10:00:00Z")
    assert isinstance(customer(later, standing("health-basic"), DOUBLE)[-1], ApplicationAccepted)
    day_before = order(effective="2026-12-31", placed_at="2026-12-20T10:00:00Z")
    assert isinstance(customer(day_before, standing("health-basic"), DOUBLE)[-1], ApplicationReferred)


def test_sums_insured_add_up_over_the_customers_contracts_and_this_order() -> None:
    over = customer(order(), standing("other", insured=50_000_000), TOO_MUCH)
    assert over[1].figures == {"customer.sum_insured_minor": 60_000_000}
    assert isinstance(over[-1], ApplicationReferred)
    under = customer(order(), standing("other", insured=49_999_999), TOO_MUCH)
    assert isinstance(under[-1], ApplicationAccepted)


def test_without_a_customer_nothing_is_known_of_other_contracts() -> None:
    assert isinstance(decided(order(), product([DOUBLE]))[-1], ApplicationAccepted)
    untold = rule("who", {"fact": "customer.contracts", "told": False}, "refer")
    assert isinstance(decided(order(), product([untold]))[-1], ApplicationReferred)


def test_contracts_that_could_not_be_looked_up_refer() -> None:
    events = customer(order(), CustomerStanding(), DOUBLE)
    assert [one.code for one in events[-1].reasons] == ["customer-not-looked-up"]
    assert isinstance(customer(order(), CustomerStanding(), SMOKES)[-1], ApplicationAccepted)


def test_a_blacklisted_customer_is_declined_by_every_product() -> None:
    events = decided(order(), product([RANGE]), customer=CustomerStanding(blacklisted=True))
    assert types(events) == [ApplicationSubmitted, ApplicationAssessed, ApplicationDeclined]
    assert fired(events) == [("blacklist", "")]
    assert "blacklist" not in events[-1].faults[0].message.removesuffix("(blacklist)")


def test_a_product_may_refer_a_blacklisted_customer_instead() -> None:
    own = rule("listed", {"fact": "customer.blacklisted", "equals": "yes"}, "refer")
    events = decided(order(), product([own]), customer=CustomerStanding(blacklisted=True))
    assert [one.code for one in events[-1].reasons] == ["listed"]


def test_the_same_order_is_decided_the_same_way_each_time() -> None:
    for message in (order(), order(SMOKER, premium=37_206), order(insured=HIGH, premium=130_910)):
        assert decided(message) == decided(message)


def test_rules_stand_in_the_order_of_the_document() -> None:
    assert fired(decided(order(SMOKER, insured=HIGH, effective="2026-05-01"), product([LONG_AHEAD, *RULES[1:3]]))) == [
        ("long-ahead", ""),
        ("high-sum", ""),
        ("smoker", "risk.insureds.0"),
    ]
