"""Fixed accounts, payments and records that the billing tests start from."""

from datetime import UTC, datetime
from typing import Any

from contracts.vocabulary.identifiers import policy_number
from contracts.vocabulary.products import CoverTerms, SettlementMethod
from services.billing.domain.commands import BillAdvance, BookPayment, ReportedPayment, WritePremium
from services.billing.domain.decider import BILLING_DECIDER
from services.billing.domain.events import BillingEvent
from services.kernel.decider import Decider
from services.kernel.messages import DomainEvent, Recorded
from tests.support.builders import CHANNEL, CONTRACT, cover_terms

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def write(term_no: int = 1, **changes: Any) -> WritePremium:
    """The premium of the usual terms, with changes; annual 144.10 EUR unless changed."""
    return WritePremium(policy_no=policy_number(CONTRACT, term_no), term_no=term_no, terms=cover_terms(**changes))


def prepaid_terms(**changes: Any) -> CoverTerms:
    """Terms whose cover waits for the money."""
    return cover_terms(settlement=SettlementMethod.PAY_BEFORE_COVER, **changes)


def advance(**changes: Any) -> BillAdvance:
    """The billing of prepaid terms."""
    return BillAdvance(terms=prepaid_terms(**changes))


def reported(amount_minor: int, payment_no: str = "PAY-1", **changes: Any) -> ReportedPayment:
    """A payment report of the usual channel; its content differs as soon as number, amount or currency do."""
    fields: dict[str, Any] = {
        "contract_id": CONTRACT,
        "channel": CHANNEL,
        "contract_no": "C-1",
        "book": None,
        "payment_no": payment_no,
        "amount_minor": amount_minor,
        "currency": "EUR",
        "paid_at": NOON,
        "source": "orders.shop.v1/0/7",
        **changes,
    }
    content = f"{fields['channel']}/{fields['payment_no']}/{fields['amount_minor']}/{fields['currency']}"
    return ReportedPayment(**{"content": content, **fields})


def pay(amount_minor: int, payment_no: str = "PAY-1", **changes: Any) -> BookPayment:
    """The booking of a payment."""
    return BookPayment(payment=reported(amount_minor, payment_no, **changes))


def history(*commands: Any) -> tuple[BillingEvent, ...]:
    """The events that these commands lead to, one after another, on a new account."""
    events: list[BillingEvent] = []
    state = BILLING_DECIDER.initial_state
    for command in commands:
        decided = BILLING_DECIDER.decide(command, state)
        state = BILLING_DECIDER.fold(decided, state)
        events.extend(decided)
    return tuple(events)


def recorded(event: BillingEvent, version: int = 1) -> Recorded[Any]:
    """The event as it stands in the log."""
    return Recorded(3, 40 + version, f"account-{CONTRACT}", version, event, NOON, {}, bytes(32))


def decoded(event: DomainEvent) -> DomainEvent:
    """The event after it was stored and read back."""
    return type(event).model_validate_json(event.model_dump_json())


BILLING: Decider[Any, Any, Any] = BILLING_DECIDER
