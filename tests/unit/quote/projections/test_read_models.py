"""Quote's read models: rows and counters of every outcome."""

from datetime import UTC, datetime
from typing import Any

from services.kernel.messages import Recorded
from services.kernel.projection import Add, Change, Projection, Put
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ApplicationIssued, ProductPublished, ProductWithdrawn
from services.quote.projections.application import application
from services.quote.projections.order_outcome import order_outcome
from services.quote.projections.product_version import product_version
from services.quote.projections.refused_message import refused_message
from tests.support.builders import YEAR_2026, motor_order
from tests.unit.quote.domain.test_product_versions import PUBLISHED, WITHDRAWN
from tests.unit.quote.orders import instruction

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def changes(projection: Projection, *events: Any) -> list[Put | Change | Add]:
    return [
        change for event in events for change in projection.changes(Recorded(0, 1, "intake-1", 1, event, NOW, {}, b""))
    ]


def decided(*messages: dict[str, Any] | bytes) -> list[Any]:
    events: list[Any] = []
    for message in messages:
        events += QUOTE_DECIDER.decide(instruction(message).command, QUOTE_DECIDER.fold(events))
    return events


def row(projection: Projection, *events: Any) -> dict[str, Any]:
    """All changes of one row, one over the other; every column must be declared."""
    merged: dict[str, Any] = {}
    for change in changes(projection, *events):
        assert not isinstance(change, Add)
        merged.update(change.row)
    assert merged.keys() <= projection.columns.keys()
    return merged


def test_an_accepted_application_is_a_row_with_its_price() -> None:
    found = row(application, *decided(motor_order()))
    assert (found["channel"], found["order_no"], found["status"]) == ("shop", "O-1", "accepted")
    assert (found["premium_minor"], found["order_premium_minor"], found["faults"]) == (14_410, 14_410, [])
    assert found["decided_at"] == NOW


def test_an_issued_application_has_its_policy_number() -> None:
    issued = ApplicationIssued(
        channel="shop", contract_id="X", order_no="O-1", policy_no="P01", renewal=False, period=YEAR_2026
    )
    found = row(application, *decided(motor_order()), issued)
    assert (found["status"], found["policy_no"]) == ("issued", "P01")


def test_a_declined_application_keeps_all_faults() -> None:
    found = row(application, *decided(motor_order(currency="USD", book=None)))
    assert found["status"] == "declined"
    assert [fault["code"] for fault in found["faults"]] == ["wrong_currency", "wrong_book"]


def test_a_conflict_leaves_the_application_as_it_was() -> None:
    events = decided(motor_order(), motor_order(campaign="M2"))
    assert row(application, *events) == row(application, *events[:-1])


def test_each_message_counts_once() -> None:
    events = [
        *decided(motor_order(), motor_order(campaign="M2")),
        *decided(motor_order(currency="USD", book=None)),
        *decided(b"{"),
    ]
    counted = [change.key for change in changes(order_outcome, *events) if isinstance(change, Add)]
    assert counted == [
        {"channel": "shop", "outcome": "accepted", "reason": ""},
        {"channel": "shop", "outcome": "conflict", "reason": "order_number_reused"},
        {"channel": "shop", "outcome": "declined", "reason": "wrong_currency"},
        {"channel": "shop", "outcome": "refused", "reason": "not_json"},
    ]


def test_refused_messages_and_conflicts_are_listed() -> None:
    refused = row(refused_message, *decided(b"{"))
    assert (refused["reason"], refused["reference"], refused["source"]) == ("not_json", None, "orders.shop.v1/3/7")
    conflict = row(refused_message, *decided(motor_order(), motor_order(campaign="M2")))
    assert (conflict["message_type"], conflict["reference"]) == ("order.placed", "O-1")


def test_a_change_of_the_catalogue_raises_the_sum_of_revisions() -> None:
    published: ProductPublished = PUBLISHED
    withdrawn: ProductWithdrawn = WITHDRAWN
    assert row(product_version, published)["revision"] == 1
    assert row(product_version, published, withdrawn) | {"document": None} == {
        "code": "motor-private",
        "version": 1,
        "line": "motor",
        "on_sale_from": published.on_sale_from,
        "on_sale_until": None,
        "withdrawn": True,
        "withdrawal_reason": "replaced",
        "document": None,
        "published_at": NOW,
        "revision": 2,
    }
