"""Read model `account_balance`: what was billed, paid, suspended and paid out on a contract, by currency."""

from services.billing.domain.events import (
    BillingEvent,
    ClaimPaid,
    InvoiceIssued,
    MoneyEvent,
    PaymentReceived,
    PaymentSuspended,
    PremiumAdvanceReversed,
    SuspenseMatched,
)
from services.kernel.messages import Recorded
from services.kernel.projection import Add, Projection

account_balance = Projection(
    name="account_balance",
    version=1,
    columns={
        "contract_id": "text",
        "currency": "text",
        "billed_minor": "bigint",
        "paid_minor": "bigint",
        "cancelled_minor": "bigint",
        "suspended_minor": "bigint",
        "refundable_minor": "bigint",
        "claims_paid_minor": "bigint",
    },
    key=("contract_id", "currency"),
)


def _move(
    event: MoneyEvent,
    *,
    billed: int = 0,
    paid: int = 0,
    cancelled: int = 0,
    suspended: int = 0,
    refundable: int = 0,
    claims_paid: int = 0,
) -> Add:
    # All columns every time: rows of a batch that set the same columns are written by one statement.
    return Add(
        {"contract_id": event.contract_id, "currency": event.currency},
        {
            "billed_minor": billed,
            "paid_minor": paid,
            "cancelled_minor": cancelled,
            "suspended_minor": suspended,
            "refundable_minor": refundable,
            "claims_paid_minor": claims_paid,
        },
    )


@account_balance.on(InvoiceIssued)
def bill(event: InvoiceIssued, recorded: Recorded[BillingEvent]) -> Add:
    """More is owed to us."""
    return _move(event, billed=event.amount_minor)


@account_balance.on(PaymentReceived)
def receive(event: PaymentReceived, recorded: Recorded[BillingEvent]) -> Add:
    """Invoices are settled."""
    return _move(event, paid=event.amount_minor)


@account_balance.on(PaymentSuspended)
def suspend(event: PaymentSuspended, recorded: Recorded[BillingEvent]) -> Add:
    """Money waits."""
    return _move(event, suspended=event.amount_minor)


@account_balance.on(SuspenseMatched)
def match_suspended(event: SuspenseMatched, recorded: Recorded[BillingEvent]) -> Add:
    """Money that waited settles invoices."""
    return _move(event, paid=event.amount_minor, suspended=-event.amount_minor)


@account_balance.on(PremiumAdvanceReversed)
def reverse(event: PremiumAdvanceReversed, recorded: Recorded[BillingEvent]) -> Add:
    """Open invoices of an order that was not issued are dropped; what was paid is owed back."""
    cancelled = sum(invoice.amount_minor for invoice in event.cancelled)
    return _move(event, cancelled=cancelled, refundable=event.refundable_minor)


@account_balance.on(ClaimPaid)
def pay_claim(event: ClaimPaid, recorded: Recorded[BillingEvent]) -> Add:
    """A claim is paid out."""
    return _move(event, claims_paid=event.amount_minor)
