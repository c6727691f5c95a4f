"""Quote's read models: rows and counters of every outcome."""

from datetime import UTC, date, datetime
from typing import Any

from services.kernel.messages import Recorded
from services.kernel.projection import Add, Change, Projection, Put
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ApplicationIssued
from services.quote.domain.lifecycle.events import OutletClosed, OutletOpened, OutletWithdrawn
from services.quote.domain.products.life import Stage
from services.quote.domain.products.outlets import OutletStage
from services.quote.domain.state import Product
from services.quote.product_queries import CatalogueRow, OutletStepView, ProductVersionView, Step
from services.quote.projections.application import application
from services.quote.projections.order_outcome import order_outcome
from services.quote.projections.product_outlet import product_outlet
from services.quote.projections.product_version import product_version
from services.quote.projections.refused_message import refused_message
from tests.support.builders import YEAR_2026, motor_order
from tests.unit.quote.domain.test_product_versions import (
    APPROVED,
    BEFORE_NAMES,
    DAY,
    DRAFTED,
    LATER,
    OPENED,
    PUBLISHED,
    WITHDRAWN,
    closed,
    drafted,
    published,
)
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


def told(*events: Any) -> dict[str, Any]:
    """The row of a product version after these events of its product, one after the other."""
    merged: dict[str, Any] = {}
    for place, event in enumerate(events, 1):
        for change in product_version.changes(Recorded(0, place, "product-x", place, event, NOW, {}, b"")):
            assert not isinstance(change, Add)
            merged.update(change.row)
    return merged


def view(*events: Any) -> CatalogueRow:
    return CatalogueRow.model_validate(dict.fromkeys(product_version.columns) | told(*events))


def test_each_step_of_a_product_raises_the_revision() -> None:
    history = [DRAFTED, APPROVED, OPENED, PUBLISHED, closed(LATER), WITHDRAWN]
    revisions = [told(*history[: place + 1])["revision"] for place in range(len(history))]
    assert revisions == [1, 2, 3, 4, 5, 6]


def test_the_row_of_a_version_says_where_it_stands_on_any_day_as_the_rules_do() -> None:
    history: list[Any] = [DRAFTED, APPROVED, OPENED, published(first=DAY), closed(LATER), WITHDRAWN]
    for place in range(1, len(history) + 1):
        state = QUOTE_DECIDER.fold(history[:place])
        assert isinstance(state, Product)
        assert view(*history[:place]).life() == state.versions[1].life
    before_withdrawal = view(*history[:-1]).life()
    days = (date(2026, 2, 1), DAY, LATER)
    assert [before_withdrawal.on(day) for day in days] == [Stage.SANDBOX, Stage.ON_SALE, Stage.CLOSED]


def test_a_step_keeps_who_when_and_why() -> None:
    found = view(DRAFTED, APPROVED, OPENED)
    assert (found.author, found.drafted_at) == ("Ann", NOW)
    assert found.document_digest == APPROVED.document_digest
    assert view(BEFORE_NAMES).document_digest == APPROVED.document_digest
    assert found.approval == Step(by="Bob", why="review 12", at=NOW)
    assert found.sandbox == Step(by="Ann", why="trial", at=NOW, channels=frozenset(("river", "hill")))


def test_steps_of_one_channel_or_region_are_rows_that_the_rules_read() -> None:
    place: dict[str, Any] = {"product_code": "motor-private", "product_version": 1, "by": "Bob", "why": "agreed"}
    opened = OutletOpened(**place, channel="lake", region=None, from_day=DAY)
    ended = OutletWithdrawn(**place, channel=None, region="CN-11", from_day=None)
    paused = OutletClosed(**place, channel="lake", region=None, from_day=LATER)
    state = QUOTE_DECIDER.fold([PUBLISHED, opened, ended, paused])
    assert isinstance(state, Product)
    rows = [change.row for change in changes(product_outlet, opened, ended, paused) if isinstance(change, Put)]
    steps = tuple(OutletStepView.model_validate(row) for row in rows)
    catalogued = view(PUBLISHED).model_copy(update={"outlet_steps": steps})
    assert catalogued.life() == state.versions[1].life
    seen = ProductVersionView.of(catalogued, LATER)
    assert [(one.channel or one.region, one.state) for one in seen.outlets] == [
        ("lake", OutletStage.CLOSED),
        ("CN-11", OutletStage.WITHDRAWN),
    ]


def test_another_draft_is_not_approved() -> None:
    assert view(DRAFTED, APPROVED, drafted(by="Cem")).approval is None


def test_what_was_published_and_withdrawn_before_steps_named_persons_keeps_its_meaning() -> None:
    withdrawn = WITHDRAWN.model_copy(update={"by": None})
    found = told(BEFORE_NAMES, withdrawn)
    assert (found["on_sale_from"], found["on_sale_until"]) == (BEFORE_NAMES.on_sale_from, None)
    assert (found["withdrawn"], found["withdrawal_reason"]) == (True, "replaced")
    assert view(BEFORE_NAMES).life().on(DAY) is Stage.ON_SALE
    assert view(BEFORE_NAMES, withdrawn).life().on(DAY) is Stage.WITHDRAWN


def test_a_withdrawal_that_is_planned_has_not_happened() -> None:
    planned = WITHDRAWN.model_copy(update={"from_day": LATER})
    assert told(PUBLISHED, planned)["withdrawn"] is False
    assert [view(PUBLISHED, planned).life().on(day) for day in (DAY, LATER)] == [Stage.ON_SALE, Stage.WITHDRAWN]


def test_a_row_of_the_first_shape_can_still_be_read() -> None:
    known = ("code", "version", "line", "on_sale_from", "on_sale_until", "withdrawal_reason", "published_at")
    found = told(BEFORE_NAMES)
    first_shape = {name: found.get(name) for name in (*known, "document", "revision")}
    for withdrawn, stage in ((False, Stage.ON_SALE), (True, Stage.WITHDRAWN)):
        read = CatalogueRow.model_validate(first_shape | {"withdrawn": withdrawn})
        assert read.life().on(DAY) is stage
