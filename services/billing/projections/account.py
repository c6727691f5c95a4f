"""Read model `account`: one row for each contract that money was billed to, taken for or paid on."""

from services.billing.domain.events import AccountOpened, BillingEvent, PremiumWritten, SandboxCleared
from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put

account = Projection(
    name="account",
    version=1,
    columns={
        "contract_id": "text",
        "channel": "text",
        "contract_no": "text",
        "book": "text",
        "opened_at": "timestamptz",
    },
    key=("contract_id",),
)


@account.on(AccountOpened)
def open_account(event: AccountOpened, recorded: Recorded[BillingEvent]) -> Put:
    """The account, named as whatever came first names it."""
    return Put(
        {
            "contract_id": event.contract_id,
            "channel": event.channel,
            "contract_no": event.contract_no,
            "book": event.book,
            "opened_at": recorded.recorded_at,
        }
    )


@account.on(PremiumWritten)
def name_seller(event: PremiumWritten, recorded: Recorded[BillingEvent]) -> Change:
    """The account is listed under the channel that sold its latest term, whoever sent money first."""
    return Change(
        {
            "contract_id": event.contract_id,
            "channel": event.channel,
            "contract_no": event.contract_no,
            "book": event.book,
        }
    )


@account.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
