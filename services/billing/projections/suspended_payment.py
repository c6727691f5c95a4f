"""Read model `suspended_payment`: money that matched nothing when it came, why, and when it was matched."""

from services.billing.domain.events import BillingEvent, PaymentSuspended, SandboxCleared, SuspenseMatched
from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put

suspended_payment = Projection(
    name="suspended_payment",
    version=1,
    columns={
        "contract_id": "text",
        "channel": "text",
        "payment_no": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "reason": "text",
        "paid_at": "timestamptz",
        "suspended_at": "timestamptz",
        "matched_at": "timestamptz",
    },
    key=("contract_id", "channel", "payment_no"),
)


@suspended_payment.on(PaymentSuspended)
def add_suspended(event: PaymentSuspended, recorded: Recorded[BillingEvent]) -> Put:
    """The money waits."""
    return Put(
        {
            "contract_id": event.contract_id,
            "channel": event.channel,
            "payment_no": event.payment_no,
            "amount_minor": event.amount_minor,
            "currency": event.currency,
            "reason": event.faults[0].code,
            "paid_at": event.paid_at,
            "suspended_at": recorded.recorded_at,
        }
    )


@suspended_payment.on(SuspenseMatched)
def take_out(event: SuspenseMatched, recorded: Recorded[BillingEvent]) -> Change:
    """The money waits no longer."""
    return Change(
        {
            "contract_id": event.contract_id,
            "channel": event.channel,
            "payment_no": event.payment_no,
            "matched_at": recorded.recorded_at,
        }
    )


@suspended_payment.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
