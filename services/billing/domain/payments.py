"""Rules of incoming money: match it exactly, keep it in suspense, or refuse a number used twice."""

from collections.abc import Sequence

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.money import format_minor
from services.billing.domain import ledger
from services.billing.domain.commands import ReportedPayment
from services.billing.domain.events import (
    AccountOpened,
    BillingEvent,
    InvoiceIssued,
    PaymentReceived,
    PaymentRefused,
    PaymentSuspended,
    SuspenseMatched,
)
from services.billing.domain.matching import closed, invoices_settled, without
from services.billing.domain.state import AccountState, numbered


def book_payment(payment: ReportedPayment, state: AccountState) -> list[BillingEvent]:
    """Money is taken in once under its number; the first report of a number stands."""
    known = state.payments.get(numbered(payment.channel, payment.payment_no))
    if known is not None:
        return [] if known.content == payment.content else refuse_payment(payment, state)
    settled = invoices_settled(state.open_invoices, payment.amount_minor, payment.currency)
    if settled:
        return [_received(payment, settled)]
    suspended = _suspended(payment, state.open_invoices)
    return [suspended] if state.opened else [_opened(payment), suspended]


def refuse_payment(payment: ReportedPayment, state: AccountState) -> list[BillingEvent]:
    """Refuse the report, once."""
    if payment.content in state.refused:
        return []
    fault = Fault(
        code=FaultCode.PAYMENT_NUMBER_REUSED,
        path="payment_no",
        message=f"payment {payment.payment_no} was reported before with other content, and the first report stands; "
        "report another payment under a number of its own",
    )
    return [
        PaymentRefused(
            contract_id=payment.contract_id,
            channel=payment.channel,
            payment_no=payment.payment_no,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            paid_at=payment.paid_at,
            content=payment.content,
            source=payment.source,
            faults=(fault,),
        )
    ]


def match_suspense(
    suspended: Sequence[PaymentSuspended], open_invoices: Sequence[InvoiceIssued]
) -> list[SuspenseMatched]:
    """Suspended money, first come first, that settles invoices which are open now."""
    matched: list[SuspenseMatched] = []
    for payment in suspended:
        invoices = closed(invoices_settled(open_invoices, payment.amount_minor, payment.currency))
        if not invoices:
            continue
        open_invoices = without(open_invoices, invoices)
        matched.append(
            SuspenseMatched(
                contract_id=payment.contract_id,
                channel=payment.channel,
                payment_no=payment.payment_no,
                amount_minor=payment.amount_minor,
                currency=payment.currency,
                settled=invoices,
                postings=ledger.suspense_matched(payment.amount_minor),
            )
        )
    return matched


def _opened(payment: ReportedPayment) -> AccountOpened:
    return AccountOpened(
        contract_id=payment.contract_id,
        channel=payment.channel,
        contract_no=payment.contract_no,
        book=payment.book,
        currency=payment.currency,
    )


def _received(payment: ReportedPayment, settled: Sequence[InvoiceIssued]) -> PaymentReceived:
    return PaymentReceived(
        contract_id=payment.contract_id,
        channel=payment.channel,
        payment_no=payment.payment_no,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        paid_at=payment.paid_at,
        content=payment.content,
        settled=closed(settled),
        postings=ledger.payment_matched(payment.amount_minor),
    )


def _suspended(payment: ReportedPayment, open_invoices: Sequence[InvoiceIssued]) -> PaymentSuspended:
    return PaymentSuspended(
        contract_id=payment.contract_id,
        channel=payment.channel,
        payment_no=payment.payment_no,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        paid_at=payment.paid_at,
        content=payment.content,
        faults=(_why_suspended(payment, open_invoices),),
        postings=ledger.payment_suspended(payment.amount_minor),
    )


def _why_suspended(payment: ReportedPayment, open_invoices: Sequence[InvoiceIssued]) -> Fault:
    if not open_invoices:
        return Fault(
            code=FaultCode.NO_OPEN_INVOICE,
            path="contract_no",
            message=f"contract {payment.contract_no} has no open invoice; the money waits in suspense and settles "
            "the next invoice of exactly this amount",
        )
    amounts = [invoice.amount_minor for invoice in open_invoices if invoice.currency == payment.currency]
    if not amounts:
        billed_in = ", ".join(sorted({invoice.currency for invoice in open_invoices}))
        return Fault(
            code=FaultCode.WRONG_CURRENCY,
            path="currency",
            message=f"the contract is billed in {billed_in}, not {payment.currency}; the money waits in suspense",
        )
    open_total = format_minor(sum(amounts), payment.currency)
    return Fault(
        code=FaultCode.AMOUNT_MISMATCH,
        path="amount_minor",
        message=f"{format_minor(payment.amount_minor, payment.currency)} {payment.currency} is neither one open "
        f"invoice nor the sum of the oldest ones ({len(amounts)} are open, {open_total} in all); "
        "the money waits in suspense",
    )
