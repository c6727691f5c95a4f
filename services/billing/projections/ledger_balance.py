"""Read model `ledger_balance`: debits and credits of each ledger account, by channel and currency."""

from services.billing.domain.events import MONEY_EVENTS, BillingEvent, MoneyEvent, SandboxCleared
from services.kernel.messages import Recorded
from services.kernel.projection import Add, Projection

ledger_balance = Projection(
    name="ledger_balance",
    version=1,
    columns={
        "channel": "text",
        "account": "text",
        "currency": "text",
        "debit_minor": "bigint",
        "credit_minor": "bigint",
    },
    key=("channel", "account", "currency"),
)


@ledger_balance.on(*MONEY_EVENTS)
def add_up(event: MoneyEvent, recorded: Recorded[BillingEvent]) -> list[Add]:
    """Each line of the entry, on its side."""
    return [
        Add(
            {"channel": event.channel, "account": account, "currency": event.currency},
            {"debit_minor": max(amount, 0), "credit_minor": max(-amount, 0)},
        )
        for account, amount in event.postings.items()
    ]


@ledger_balance.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
