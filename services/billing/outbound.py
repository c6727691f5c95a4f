"""From billing's own events to what the others and the channel hear."""

from typing import assert_never

from contracts.billing import v1
from contracts.channel import notices_v1 as notices
from contracts.vocabulary.faults import Fault
from services.billing.domain.commands import BillingCommand, BookPayment, RefusePayment, ReportedPayment
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
from services.billing.domain.state import AccountState, BookedPayment, numbered
from services.kernel.messages import Notice, Outgoing, Recorded

_PAYMENT_REPORT = "payment.reported"


def to_wire(recorded: Recorded[BillingEvent]) -> Outgoing | None:
    """The public event and the channel's notice of a log event; None for what stays inside."""
    event = recorded.event
    match event:
        case InvoiceIssued():
            return _invoice_issued(event)
        case PaymentReceived() | SuspenseMatched():
            return _payment_received(event)
        case PaymentSuspended():
            return _payment_suspended(event)
        case PaymentRefused():
            return _payment_refused(event)
        case ClaimPaid():
            return _claim_paid(event)
        case (
            AccountOpened() | PremiumWritten() | PremiumAdvanceReleased() | PremiumAdvanceReversed() | SandboxCleared()
        ):
            return None
        case _:
            assert_never(event)


def _invoice_issued(event: InvoiceIssued) -> Outgoing:
    issued = v1.InvoiceIssued(
        contract_id=event.contract_id,
        channel=event.channel,
        order_no=event.order_no,
        invoice_no=event.invoice_no,
        instalment_no=event.instalment_no,
        instalments=event.instalments,
        amount_minor=event.amount_minor,
        currency=event.currency,
        due=event.due,
    )
    notice = notices.InvoiceDue(
        contract_id=event.contract_id,
        order_no=event.order_no,
        invoice_no=event.invoice_no,
        amount_minor=event.amount_minor,
        currency=event.currency,
        due=event.due.isoformat(),
    )
    return Outgoing(event.contract_id, issued, Notice(event.channel, notice))


def _payment_received(event: PaymentReceived | SuspenseMatched) -> Outgoing:
    invoices = tuple(invoice.invoice_no for invoice in event.settled)
    received = v1.PaymentReceived(
        contract_id=event.contract_id,
        channel=event.channel,
        payment_no=event.payment_no,
        amount_minor=event.amount_minor,
        currency=event.currency,
        invoices=invoices,
        paid_orders=tuple(
            v1.PaidOrder(channel=invoice.channel, order_no=invoice.order_no)
            for invoice in event.settled
            if invoice.instalment_no == 1
        ),
    )
    notice = notices.PaymentBooked(
        contract_id=event.contract_id,
        payment_no=event.payment_no,
        amount_minor=event.amount_minor,
        currency=event.currency,
        suspended=False,
        invoices=invoices,
    )
    return Outgoing(event.contract_id, received, Notice(event.channel, notice))


def _payment_suspended(event: PaymentSuspended) -> Outgoing:
    suspended = v1.PaymentSuspended(
        contract_id=event.contract_id,
        channel=event.channel,
        payment_no=event.payment_no,
        amount_minor=event.amount_minor,
        currency=event.currency,
        faults=event.faults,
    )
    notice = notices.PaymentBooked(
        contract_id=event.contract_id,
        payment_no=event.payment_no,
        amount_minor=event.amount_minor,
        currency=event.currency,
        suspended=True,
        faults=event.faults,
    )
    return Outgoing(event.contract_id, suspended, Notice(event.channel, notice))


def _payment_refused(event: PaymentRefused) -> Outgoing:
    refused = v1.PaymentRefused(
        contract_id=event.contract_id,
        channel=event.channel,
        payment_no=event.payment_no,
        amount_minor=event.amount_minor,
        currency=event.currency,
        faults=event.faults,
    )
    notice = notices.MessageRefused(
        source=event.source, message_type=_PAYMENT_REPORT, reference=event.payment_no, faults=event.faults
    )
    return Outgoing(event.contract_id, refused, Notice(event.channel, notice))


def _claim_paid(event: ClaimPaid) -> Outgoing:
    paid = v1.ClaimPaid(
        contract_id=event.contract_id,
        channel=event.channel,
        claim_no=event.claim_no,
        notice_no=event.notice_no,
        paid_minor=event.amount_minor,
        currency=event.currency,
    )
    notice = notices.ClaimSettled(
        contract_id=event.contract_id,
        notice_no=event.notice_no,
        claim_no=event.claim_no,
        paid_minor=event.amount_minor,
        currency=event.currency,
    )
    return Outgoing(event.contract_id, paid, Notice(event.channel, notice))


def repeat(command: BillingCommand, state: AccountState) -> Notice | None:
    """The outcome of a payment report again, as it stands now, for a channel that sent the report again."""
    match command:
        case BookPayment() | RefusePayment():
            payment = command.payment
            known = state.payments.get(numbered(payment.channel, payment.payment_no))
            if known is not None and known.content == payment.content:
                return _booked_again(payment, known)
            faults = state.refused.get(payment.content)
            return None if faults is None else _refused_again(payment, faults)
        case _:
            return None


def _booked_again(payment: ReportedPayment, known: BookedPayment) -> Notice:
    notice = notices.PaymentBooked(
        contract_id=payment.contract_id,
        payment_no=payment.payment_no,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        suspended=bool(known.faults),
        invoices=known.invoices,
        faults=known.faults,
    )
    return Notice(payment.channel, notice)


def _refused_again(payment: ReportedPayment, faults: tuple[Fault, ...]) -> Notice:
    notice = notices.MessageRefused(
        source=payment.source, message_type=_PAYMENT_REPORT, reference=payment.payment_no, faults=faults
    )
    return Notice(payment.channel, notice)
