"""Read models of underwriting: the queue through every state, counts that add up, customers, blacklist, roster."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.kernel.messages import Recorded
from services.kernel.projection import Add, Projection
from services.quote.domain.events import ApplicationNotIssued, SandboxCleared
from services.quote.projections.application import application
from services.quote.projections.blacklist_entry import blacklist_entry
from services.quote.projections.channel_sale import channel_sale
from services.quote.projections.customer_contract import customer_contract
from services.quote.projections.deadline import deadline
from services.quote.projections.order_outcome import order_outcome
from services.quote.projections.referral import referral
from services.quote.projections.refused_message import refused_message
from services.quote.projections.underwriter import underwriter
from tests.unit.quote.domain.test_channel_answers import ISSUE, RELEASED, TAKEN, WAITING, WITHDRAWN
from tests.unit.quote.domain.test_referrals import (
    ACCEPT,
    ANSWER,
    ASK,
    DECLINE,
    REFUSE,
    TAKE,
    WITHDRAW,
    after,
    counter,
    expire,
)
from tests.unit.quote.domain.test_registers import ADDED, APPOINTED, DISMISSED, REMOVED
from tests.unit.quote.underwritten import CUSTOMER, RANGE, REFERRED, SMOKER, decided, order, product

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LAPSE = expire(date(2026, 2, 1))


def row(projection: Projection, events: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for version, event in enumerate(events, 1):
        for change in projection.changes(Recorded(0, version, "s", version, event, NOW, {}, b"")):
            assert not isinstance(change, Add)
            merged.update(change.row)
    return merged


def outcomes(events: Any) -> dict[tuple[str, str], int]:
    counted: Counter[tuple[str, str]] = Counter()
    for event in events:
        for change in order_outcome.changes(Recorded(0, 1, "s", 1, event, NOW, {}, b"")):
            assert isinstance(change, Add)
            counted[change.key["outcome"], change.key["reason"]] += change.amounts["messages"]
    return {key: messages for key, messages in counted.items() if messages}


def test_a_referral_enters_the_queue_with_what_an_underwriter_needs() -> None:
    found = row(referral, REFERRED)
    assert (found["state"], found["premium_minor"], found["sum_insured_minor"]) == ("referred", 130_910, 50_000_000)
    assert (found["level_needed"], found["due_at"]) == (1, NOW + timedelta(days=2))
    assert found["reasons"] == [
        {
            "code": "high-sum",
            "en": "because of the risk",
            "zh": "因风险原因",
            "path": "",
            "facts": {"order.sum_insured_minor.Inpatient": 50_000_000},
        }
    ]


@pytest.mark.parametrize(
    ("steps", "state", "status", "outcome"),
    [
        ((), "referred", "referred", ("referred", "high-sum")),
        ((ASK,), "asked", "referred", ("referred", "high-sum")),
        ((ASK, ANSWER), "referred", "referred", ("referred", "high-sum")),
        ((counter(),), "offered", "offered", ("referred", "high-sum")),
        ((ACCEPT,), "accepted", "accepted", ("accepted", "")),
        ((counter(), TAKE), "accepted", "accepted", ("accepted", "")),
        ((DECLINE,), "declined", "declined", ("declined", "declined_by_underwriter")),
        ((counter(), REFUSE), "withdrawn", "withdrawn", ("withdrawn", "")),
        ((WITHDRAW,), "withdrawn", "withdrawn", ("withdrawn", "")),
        ((counter(), LAPSE), "expired", "expired", ("expired", "")),
        ((ASK, LAPSE), "expired", "expired", ("expired", "")),
    ],
)
def test_queue_status_and_count_follow_every_step(
    steps: tuple[Any, ...], state: str, status: str, outcome: tuple[str, str]
) -> None:
    events = after(*steps).history
    assert row(referral, events)["state"] == state
    assert row(application, events)["status"] == status
    assert outcomes(events) == {outcome: 1}


def test_an_offer_of_the_rules_is_in_the_queue_and_counts_once() -> None:
    start = decided(order(SMOKER, premium=37_206))
    found = row(referral, start)
    assert (found["state"], found["offer_premium_minor"], found["referred_at"]) == ("offered", 46_508, NOW)
    assert found["premium_minor"] == 37_206
    assert set(found) >= {"sum_insured_minor", "level_needed", "priced", "currency"}
    assert outcomes(start) == {("referred", "smoker"): 1}
    assert outcomes(after(REFUSE, start=start).history) == {("withdrawn", ""): 1}


def test_an_ordinary_order_is_no_referral() -> None:
    assert set(row(referral, decided(order()))) == set()


def test_a_customers_contract_counts_from_acceptance_until_it_fails() -> None:
    events = decided(order(policyholder_id=CUSTOMER), product([RANGE]))
    found = row(customer_contract, events)
    assert (found["customer"], found["in_force"], found["premium_minor"]) == (CUSTOMER, True, 26_182)
    assert (found["expiry"], found["sums_insured_minor"]) == (date(2027, 1, 1), {"Inpatient": 10_000_000})
    failed = ApplicationNotIssued(channel="shop", contract_id="K", order_no="H-1", faults=())
    assert row(customer_contract, [*events, failed])["in_force"] is False
    assert row(customer_contract, decided(order())) == {}


def test_sales_are_counted_by_the_day_of_the_order_and_less_what_failed() -> None:
    accepted = decided(order(), product([RANGE]))[-1]
    failed = ApplicationNotIssued(
        channel="shop",
        contract_id="K",
        order_no="H-1",
        faults=(),
        accepted=accepted.terms,
        placed_on=accepted.placed_on,
    )
    (one,), (less,) = (
        channel_sale.changes(Recorded(0, 1, "s", 1, event, NOW, {}, b"")) for event in (accepted, failed)
    )
    assert isinstance(one, Add)
    assert isinstance(less, Add)
    assert one.key == less.key == {"channel": "shop", "product_code": "health-basic", "day": date(2025, 12, 20)}
    assert one.amounts == {"orders": 1, "premium_minor": 26_182, "sum_insured_minor": 10_000_000}
    assert less.amounts == {name: -amount for name, amount in one.amounts.items()}


def test_without_the_orders_day_that_of_the_decision_counts() -> None:
    before = decided(order(), product([RANGE]))[-1].model_copy(update={"placed_on": None})
    (one,) = channel_sale.changes(Recorded(0, 1, "s", 1, before, NOW, {}, b""))
    assert isinstance(one, Add)
    assert one.key["day"] == NOW.date()
    older = ApplicationNotIssued(channel="shop", contract_id="K", order_no="H-1", faults=())
    assert channel_sale.changes(Recorded(0, 1, "s", 1, older, NOW, {}, b"")) == ()


@pytest.mark.parametrize("projection", [referral, customer_contract, channel_sale])
def test_what_a_sandbox_did_is_put_away(projection: Projection) -> None:
    cleared = SandboxCleared(channel="shop-sandbox", lane="a", cleared_by="head", reason="done")
    assert projection.removal(Recorded(0, 1, "s", 1, cleared, NOW, {}, b"")) == {"channel": "shop-sandbox"}


def test_blacklist_and_roster_show_the_latest() -> None:
    assert row(blacklist_entry, [ADDED])["listed"] is True
    removed = row(blacklist_entry, [ADDED, REMOVED])
    assert (removed["listed"], removed["changed_by"], removed["change"]) == (False, "legal", 2)
    assert row(underwriter, [APPOINTED])["level"] == 1
    assert row(underwriter, [APPOINTED, DISMISSED])["level"] == 0


@pytest.mark.parametrize(
    ("start", "steps", "waits_for", "until"),
    [
        (REFERRED, (counter(),), "offer", date(2025, 12, 31)),
        (REFERRED, (ASK,), "information", date(2026, 1, 4)),
        (REFERRED, (ASK, ANSWER), "information", None),
        (REFERRED, (ASK, DECLINE), "information", None),
        (REFERRED, (counter(), TAKE), "offer", None),
        (REFERRED, (counter(), REFUSE), "offer", None),
        (REFERRED, (counter(), LAPSE), "offer", None),
        (WAITING, (), "payment", date(2025, 12, 30)),
        (WAITING, (WITHDRAWN,), "payment", None),
        (WAITING, (LAPSE,), "payment", None),
        (WAITING, (ISSUE,), "payment", None),
    ],
)
def test_a_deadline_lasts_until_somebody_has_acted(start: Any, steps: Any, waits_for: str, until: date | None) -> None:
    found = row(deadline, after(*steps, start=start).history)
    assert (found["waits_for"], found["until"]) == (waits_for, until)


def test_an_order_that_waits_for_nobody_has_no_deadline() -> None:
    assert row(deadline, decided(order())) == {}


def test_an_accepted_order_that_ends_is_counted_once_and_is_no_contract_any_more() -> None:
    start = decided(order(policyholder_id=CUSTOMER), product(pay_within_days=10, rules=[RANGE]))
    for ask, status in ((WITHDRAWN, "withdrawn"), (LAPSE, "expired")):
        events = after(ask, RELEASED, start=start).history
        assert outcomes(events) == {(status, ""): 1}
        assert row(application, events)["status"] == status
        assert row(customer_contract, events)["in_force"] is False


def test_a_refused_answer_is_listed_and_counted() -> None:
    events = after(TAKEN).history
    found = row(refused_message, events)
    assert (found["message_type"], found["reference"], found["reason"]) == (
        "counter_offer.answered",
        "H-1",
        "no_counter_offer",
    )
    assert outcomes(events) == {("referred", "high-sum"): 1, ("refused", "no_counter_offer"): 1}
