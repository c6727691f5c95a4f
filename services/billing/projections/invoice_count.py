"""Read model `invoice_count`: invoices issued and their sum, by channel, payment frequency and currency."""

from services.billing.domain.events import BillingEvent, InvoiceIssued, SandboxCleared
from services.kernel.messages import Recorded
from services.kernel.projection import Add, Projection

invoice_count = Projection(
    name="invoice_count",
    version=1,
    columns={
        "channel": "text",
        "frequency": "text",
        "currency": "text",
        "invoices": "bigint",
        "amount_minor": "bigint",
    },
    key=("channel", "frequency", "currency"),
)


@invoice_count.on(InvoiceIssued)
def count_invoice(event: InvoiceIssued, recorded: Recorded[BillingEvent]) -> Add:
    """Every invoice counts, also one that is cancelled later."""
    return Add(
        {"channel": event.channel, "frequency": event.frequency, "currency": event.currency},
        {"invoices": 1, "amount_minor": event.amount_minor},
    )


@invoice_count.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
