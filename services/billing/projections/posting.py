"""Read model `posting`: the journal, one row a line; `entry_no` is the event's number on its account."""

from services.billing.domain.events import MONEY_EVENTS, BillingEvent, MoneyEvent
from services.kernel.messages import Recorded
from services.kernel.projection import Projection, Put

posting = Projection(
    name="posting",
    version=1,
    columns={
        "contract_id": "text",
        "entry_no": "integer",
        "account": "text",
        "event_type": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "booked_at": "timestamptz",
    },
    key=("contract_id", "entry_no", "account"),
)


@posting.on(*MONEY_EVENTS)
def post(event: MoneyEvent, recorded: Recorded[BillingEvent]) -> list[Put]:
    """The lines of one entry; debits are positive, credits negative."""
    return [
        Put(
            {
                "contract_id": event.contract_id,
                "entry_no": recorded.version,
                "account": account,
                "event_type": event.event_type,
                "amount_minor": amount,
                "currency": event.currency,
                "booked_at": recorded.recorded_at,
            }
        )
        for account, amount in event.postings.items()
    ]
