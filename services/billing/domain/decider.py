"""The rules of an account: every order billed once, every payment and claim booked once, books in balance."""

from dataclasses import replace
from typing import assert_never

from services.billing.domain import ledger
from services.billing.domain.commands import (
    BillAdvance,
    BillingCommand,
    BookPayment,
    ClearSandbox,
    PayClaim,
    RefusePayment,
    ReverseAdvance,
    WritePremium,
)
from services.billing.domain.events import (
    AccountOpened,
    BillingEvent,
    ClaimPaid,
    InvoiceIssued,
    PaymentReceived,
    PaymentRefused,
    PaymentSuspended,
    PremiumAdvanceReleased,
    PremiumAdvanceReversed,
    PremiumWritten,
    SandboxCleared,
    SuspenseMatched,
)
from services.billing.domain.matching import without
from services.billing.domain.payments import book_payment, refuse_payment
from services.billing.domain.premiums import bill_advance, reverse_advance, write_premium
from services.billing.domain.state import AccountState, BilledOrder, BookedPayment, OrderStage, numbered
from services.kernel.decider import Decider
from services.kernel.errors import CorruptHistory


def decide(command: BillingCommand, state: AccountState) -> list[BillingEvent]:
    """What happens on a command."""
    match command:
        case BillAdvance():
            return bill_advance(command, state)
        case WritePremium():
            return write_premium(command, state)
        case ReverseAdvance():
            return reverse_advance(command, state)
        case BookPayment():
            return book_payment(command.payment, state)
        case RefusePayment():
            return refuse_payment(command.payment, state)
        case PayClaim():
            return _pay_claim(command, state)
        case ClearSandbox():
            return [_cleared(command)]
        case _:
            assert_never(command)


def _pay_claim(command: PayClaim, state: AccountState) -> list[BillingEvent]:
    if command.claim_no in state.paid_claims:
        return []
    paid = ClaimPaid(
        contract_id=command.contract_id,
        channel=command.channel,
        claim_no=command.claim_no,
        notice_no=command.notice_no,
        amount_minor=command.amount_minor,
        currency=command.currency,
        postings=ledger.claim_paid(command.amount_minor),
    )
    if state.opened:
        return [paid]
    # Policy's and claims' topics are read side by side, so the claim may be heard of before the premium.
    opened = AccountOpened(
        contract_id=command.contract_id,
        channel=command.channel,
        contract_no=None,
        book=None,
        currency=command.currency,
    )
    return [opened, paid]


def _cleared(command: ClearSandbox) -> SandboxCleared:
    return SandboxCleared(
        channel=command.channel, lane=command.lane, cleared_by=command.cleared_by, reason=command.reason
    )


def evolve(state: AccountState, event: BillingEvent) -> AccountState:
    """What is true after an event."""
    match event:
        case AccountOpened():
            return replace(state, opened=True)
        case InvoiceIssued():
            return _invoiced(state, event)
        case PremiumWritten():
            return _at_stage(state, event, OrderStage.WRITTEN)
        case PremiumAdvanceReleased() | SandboxCleared():
            return state
        case PremiumAdvanceReversed():
            return replace(
                _at_stage(state, event, OrderStage.REVERSED),
                open_invoices=without(state.open_invoices, event.cancelled),
            )
        case PaymentReceived() | PaymentSuspended() | SuspenseMatched():
            return _paid(state, event)
        case PaymentRefused():
            return replace(state, refused={**state.refused, event.content: event.faults})
        case ClaimPaid():
            return replace(state, paid_claims=state.paid_claims | {event.claim_no})
        case _:
            assert_never(event)


def _invoiced(state: AccountState, event: InvoiceIssued) -> AccountState:
    # Nothing is to be paid on an invoice of zero, so it never stands open.
    still_open = (*state.open_invoices, event) if event.amount_minor else state.open_invoices
    if not event.before_cover:
        return replace(state, open_invoices=still_open)
    key = numbered(event.channel, event.order_no)
    before = state.orders.get(key)
    billed_minor = event.amount_minor + (before.advance_minor if before else 0)
    order = BilledOrder(OrderStage.ADVANCE, event.currency, billed_minor)
    return replace(state, open_invoices=still_open, orders={**state.orders, key: order})


def _at_stage(state: AccountState, event: PremiumWritten | PremiumAdvanceReversed, stage: OrderStage) -> AccountState:
    key = numbered(event.channel, event.order_no)
    before = state.orders.get(key)
    order = BilledOrder(stage, event.currency, before.advance_minor if before else 0)
    return replace(state, orders={**state.orders, key: order})


def _paid(state: AccountState, event: PaymentReceived | PaymentSuspended | SuspenseMatched) -> AccountState:
    key = numbered(event.channel, event.payment_no)
    if isinstance(event, PaymentSuspended):
        booked = BookedPayment(event.content, faults=event.faults)
        suspended = (*state.suspended, event)
        return replace(state, payments={**state.payments, key: booked}, suspended=suspended)
    invoices = tuple(invoice.invoice_no for invoice in event.settled)
    still_open = without(state.open_invoices, event.settled)
    if isinstance(event, PaymentReceived):
        booked = BookedPayment(event.content, invoices)
        return replace(state, payments={**state.payments, key: booked}, open_invoices=still_open)
    waited = state.payments.get(key)
    if waited is None:
        raise CorruptHistory(f"payment {key} left suspense, where it never was")
    return replace(
        state,
        payments={**state.payments, key: BookedPayment(waited.content, invoices)},
        suspended=tuple(p for p in state.suspended if numbered(p.channel, p.payment_no) != key),
        open_invoices=still_open,
    )


BILLING_DECIDER: Decider[BillingCommand, AccountState, BillingEvent] = Decider(
    initial_state=AccountState(), decide=decide, evolve=evolve
)
