"""Trial premium: the price of an order that was not placed, by the same rules, with every fault and way to pay."""

from datetime import date
from typing import Any

from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ApplicationAccepted, PremiumRated
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.state import NothingYet
from services.quote.domain.trial import Trial, trial
from tests.support.builders import ADULT, health_order, motor_order
from tests.support.deep_health import deep_health, deep_order
from tests.unit.quote.orders import submit

DEEP = ProductVersion.of(deep_health())


def tried(order: dict[str, Any], *, at_our_price: bool = True, **changes: Any) -> Trial:
    return trial(submit(order, **changes), at_our_price=at_our_price)


def test_a_trial_is_what_the_order_would_cost() -> None:
    found = tried(health_order(premium_minor=1))
    assert (found.outcome, found.faults, found.premium_minor) == ("accepted", (), 26_182)
    assert [(coverage.code, coverage.premium_minor) for coverage in found.coverages] == [("Inpatient", 26_182)]
    _, rated, accepted = QUOTE_DECIDER.decide(submit(health_order()), NothingYet())
    assert isinstance(rated, PremiumRated)
    assert isinstance(accepted, ApplicationAccepted)
    assert (found.coverages, found.working) == (accepted.terms.coverages, rated.working)


def test_a_premium_that_the_order_names_is_judged() -> None:
    found = tried(health_order(premium_minor=1), at_our_price=False)
    assert (found.outcome, [fault.code for fault in found.faults]) == ("declined", ["price_outside_tolerance"])
    assert found.premium_minor == 26_182


def test_every_fault_is_told_and_no_price_where_there_is_none() -> None:
    old = {"line": "health", "insureds": [{**ADULT, "birth_date": "1950-01-01"}]}
    found = tried(health_order(risk=old, currency="USD", book="fremotor"))
    assert [fault.code for fault in found.faults] == ["wrong_currency", "wrong_book", "risk_not_accepted"]
    assert (found.outcome, found.premium_minor, found.coverages, found.frequencies) == ("declined", None, (), ())


def test_an_unknown_product_has_no_version() -> None:
    found = tried(health_order(product="boat"))
    assert (found.outcome, found.product, found.product_version) == ("declined", "boat", None)


def test_a_quoted_order_costs_what_its_coverages_are_quoted_at() -> None:
    assert tried(motor_order(premium_minor=1)).premium_minor == 14_410


def test_instalments_carry_the_rest_on_the_first_and_are_due_in_their_months() -> None:
    # Worked figure W11: 1,000.00 in 12 is 83.37 and eleven of 83.33.
    coverages = [{"code": "TPLM", "premium_minor": 100_000}]
    ways = {way.frequency: way for way in tried(motor_order(coverages=coverages)).frequencies}
    monthly = ways["monthly"].instalments
    assert [each.amount_minor for each in monthly] == [8_337, *[8_333] * 11]
    assert [each.due for each in ways["half-yearly"].instalments] == [date(2026, 1, 1), date(2026, 7, 1)]


def test_each_way_to_pay_has_its_own_price_where_the_tariff_asks_for_it() -> None:
    found = tried(deep_order(), product=DEEP)
    premiums = [way.premium_minor for way in found.frequencies]
    assert premiums == sorted(premiums)
    assert len(set(premiums)) == 4
    assert found.premium_minor == premiums[0]


def test_a_short_term_is_tried_at_its_share_and_paid_at_once() -> None:
    whole, short = tried(deep_order(), product=DEEP), tried(deep_order(expiry="2026-05-10"), product=DEEP)
    assert whole.premium_minor is not None
    assert short.premium_minor is not None
    # Rounded once for each of six coverages, at 50 % for five months begun.
    assert abs(short.premium_minor * 2 - whole.premium_minor) <= 6
    assert [way.frequency for way in short.frequencies] == ["annual"]
