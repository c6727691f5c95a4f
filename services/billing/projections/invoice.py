"""Read model `invoice`: every instalment that was billed, and what became of it."""

from enum import StrEnum

from services.billing.domain.events import (
    BillingEvent,
    InvoiceIssued,
    PaymentReceived,
    PremiumAdvanceReversed,
    SandboxCleared,
    SuspenseMatched,
)
from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put


class InvoiceStatus(StrEnum):
    """What became of an invoice. One of zero is settled from the start; one of an order never issued is cancelled."""

    OPEN = "open"
    SETTLED = "settled"
    CANCELLED = "cancelled"


invoice = Projection(
    name="invoice",
    version=1,
    columns={
        "contract_id": "text",
        "channel": "text",
        "invoice_no": "text",
        "order_no": "text",
        "instalment_no": "smallint",
        "instalments": "smallint",
        "frequency": "text",
        "amount_minor": "bigint",
        "paid_minor": "bigint",
        "currency": "text",
        "due": "date",
        "status": "text",
        "issued_at": "timestamptz",
        "closed_at": "timestamptz",
    },
    key=("contract_id", "channel", "invoice_no"),
)


@invoice.on(InvoiceIssued)
def add_invoice(event: InvoiceIssued, recorded: Recorded[BillingEvent]) -> Put:
    """The invoice with its amount and due date. One of nothing is closed as it is issued."""
    return Put(
        {
            "contract_id": event.contract_id,
            "channel": event.channel,
            "invoice_no": event.invoice_no,
            "order_no": event.order_no,
            "instalment_no": event.instalment_no,
            "instalments": event.instalments,
            "frequency": event.frequency,
            "amount_minor": event.amount_minor,
            "paid_minor": 0,
            "currency": event.currency,
            "due": event.due,
            "status": InvoiceStatus.OPEN if event.amount_minor else InvoiceStatus.SETTLED,
            "issued_at": recorded.recorded_at,
            "closed_at": None if event.amount_minor else recorded.recorded_at,
        }
    )


@invoice.on(PaymentReceived, SuspenseMatched)
def settle(event: PaymentReceived | SuspenseMatched, recorded: Recorded[BillingEvent]) -> list[Change]:
    """An invoice is settled whole or not at all."""
    return [
        Change(
            {
                "contract_id": event.contract_id,
                "channel": settled.channel,
                "invoice_no": settled.invoice_no,
                "paid_minor": settled.amount_minor,
                "status": InvoiceStatus.SETTLED,
                "closed_at": recorded.recorded_at,
            }
        )
        for settled in event.settled
    ]


@invoice.on(PremiumAdvanceReversed)
def cancel(event: PremiumAdvanceReversed, recorded: Recorded[BillingEvent]) -> list[Change]:
    """What was open of an order that was not issued is no longer due."""
    return [
        Change(
            {
                "contract_id": event.contract_id,
                "channel": cancelled.channel,
                "invoice_no": cancelled.invoice_no,
                "status": InvoiceStatus.CANCELLED,
                "closed_at": recorded.recorded_at,
            }
        )
        for cancelled in event.cancelled
    ]


@invoice.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
