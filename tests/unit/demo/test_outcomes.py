"""What the book expects is what the four services' rules make of it, message by message and in total."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from contracts.billing.v1 import ClaimPaid
from contracts.channel import notices_v1 as notices
from contracts.policy.v1 import IssuanceFailed, PolicyIssued, PolicyRenewed
from contracts.vocabulary.model import PublicEvent
from services.demo.book import Book, Outcome, RawMessage, generate_book
from tests.unit.demo.in_memory import InMemoryLedger


@pytest.fixture(scope="module")
def book() -> Book:
    return generate_book()


@pytest.fixture(scope="module")
def worked(book: Book) -> tuple[InMemoryLedger, dict[str, list[tuple[RawMessage, str]]]]:
    """The ledger after the whole book, and each message with what its channel was told."""
    ledger = InMemoryLedger()
    told: dict[str, list[tuple[RawMessage, str]]] = {}
    for name in ("orders", "payments", "claims"):
        told[name] = [
            (message, outcome(ledger.publish(message.channel, message.value))) for message in getattr(book, name)
        ]
    return ledger, told


def outcome(heard: Sequence[PublicEvent]) -> str:
    """The last word about the message: a fault's code, or the furthest that it came."""
    found = "silence"
    for notice in heard:
        faults: Sequence[Any] = getattr(notice, "faults", ())
        if faults and not (isinstance(notice, notices.ClaimDecided) and notice.approved):
            return str(faults[0].code)
        match notice:
            case notices.OrderReferred():
                found = Outcome.REFERRED
            case notices.CounterOfferMade():
                found = Outcome.OFFERED
            case notices.PaymentBooked():
                return Outcome.MATCHED
            case notices.OrderReferred():
                return Outcome.REFERRED
            case notices.CounterOfferMade():
                return Outcome.OFFERED
            case notices.PolicyInForce():
                found = Outcome.RENEWED if notice.renewal else Outcome.ISSUED
            case notices.OrderAccepted() if notice.payment_due_before_cover:
                found = Outcome.AWAITING_PAYMENT
            case notices.ClaimRegistered():
                found = Outcome.AWAITING_APPROVAL
            case notices.ClaimDecided():
                found = Outcome.APPROVED if notice.approved_minor else Outcome.ZERO
            case notices.OrderWithdrawn():
                found = Outcome.WITHDRAWN
            case _:
                pass
    return found


@pytest.mark.parametrize("name", ["orders", "payments", "claims"])
def test_every_message_ends_as_expected(
    worked: tuple[InMemoryLedger, dict[str, list[tuple[RawMessage, str]]]], name: str
) -> None:
    _, told = worked
    wrong = [
        (message.reference, str(message.expected), found)
        for message, found in told[name]
        if message.expected not in (found, Outcome.REPEATED)
    ]
    assert wrong == []


def test_a_repeated_message_is_answered_as_before(
    worked: tuple[InMemoryLedger, dict[str, list[tuple[RawMessage, str]]]],
) -> None:
    _, told = worked
    for name, outcomes in told.items():
        first: dict[bytes, str] = {}
        for message, found in outcomes:
            before = first.setdefault(message.value, found)
            if message.expected == Outcome.REPEATED:
                assert found == before, f"{name} {message.reference}"


def test_the_totals_are_as_expected(
    book: Book, worked: tuple[InMemoryLedger, dict[str, list[tuple[RawMessage, str]]]]
) -> None:
    events = worked[0].events
    written: Counter[str] = Counter()
    for event in (*events[PolicyIssued.event_type], *events[PolicyRenewed.event_type]):
        assert isinstance(event, PolicyIssued | PolicyRenewed)
        written[event.terms.currency] += event.terms.premium_minor
    paid: Counter[str] = Counter()
    for event in events[ClaimPaid.event_type]:
        assert isinstance(event, ClaimPaid)
        paid[event.currency] += event.paid_minor
    assert len(events[PolicyIssued.event_type]) == book.expected.policies_issued
    assert len(events[PolicyRenewed.event_type]) == book.expected.renewals
    assert len(events[IssuanceFailed.event_type]) == book.expected.orders["overlapping_term"]
    assert written == book.expected.written_premium_minor
    assert paid == book.expected.claims_paid_minor
