"""Orders with an expiry of their own: where the product offers short terms, paid at once, priced by their share."""

from typing import Any

import pytest

from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.state import NothingYet
from services.quote.domain.trial import trial
from tests.support.builders import health_order, motor_order
from tests.support.deep_health import deep_health, deep_order
from tests.unit.quote.orders import submit

DEEP = ProductVersion.of(deep_health())


def outcome(order: dict[str, Any], **changes: Any) -> Any:
    """The last event of an order that names its own price."""
    command = submit(order, **changes)
    priced = trial(command, at_our_price=True).premium_minor
    return QUOTE_DECIDER.decide(submit({**order, "premium_minor": priced or 0}, **changes), NothingYet())[-1]


def faults(order: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    found = outcome(order, **changes)
    assert isinstance(found, ApplicationDeclined)
    return [(fault.code.value, fault.path) for fault in found.faults]


def test_a_short_term_ends_when_the_buyer_asked() -> None:
    found = outcome(deep_order(expiry="2026-05-10"), product=DEEP)
    assert isinstance(found, ApplicationAccepted)
    assert str(found.terms.period.expiry) == "2026-05-10"


def test_without_an_expiry_the_term_is_the_products() -> None:
    found = outcome(deep_order(), product=DEEP)
    assert str(found.terms.period.expiry) == "2027-01-01"
    assert outcome(deep_order(expiry="2027-01-01"), product=DEEP).terms.coverages == found.terms.coverages


@pytest.mark.parametrize("expiry", ["2026-01-01", "2025-12-31", "2027-01-02"])
def test_a_short_term_lies_within_the_whole_one(expiry: str) -> None:
    assert faults(deep_order(expiry=expiry), product=DEEP) == [("term_not_offered", "expiry")]


def test_a_short_term_is_paid_at_once() -> None:
    order = deep_order(expiry="2026-05-10", frequency="monthly")
    assert faults(order, product=DEEP) == [("term_not_offered", "frequency")]


@pytest.mark.parametrize("order", [health_order(), motor_order()])
def test_a_product_without_short_terms_takes_none(order: dict[str, Any]) -> None:
    found = QUOTE_DECIDER.decide(submit({**order, "expiry": "2026-05-10"}), NothingYet())[-1]
    assert isinstance(found, ApplicationDeclined)
    assert [(fault.code.value, fault.path) for fault in found.faults] == [("term_not_offered", "expiry")]
    assert isinstance(
        QUOTE_DECIDER.decide(submit({**order, "expiry": "2027-01-01"}), NothingYet())[-1], ApplicationAccepted
    )


def test_an_order_without_an_expiry_has_the_digest_that_it_always_had() -> None:
    order = submit(health_order()).order
    assert "expiry" not in order.model_dump_json(exclude_none=True)
