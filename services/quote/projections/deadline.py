"""Read model `deadline`: the last day of whatever waits for a customer: an offer, a question, a payment."""

from datetime import date

from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put
from services.quote.domain.answers.events import ReleaseRequested
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationIssued,
    ApplicationNotIssued,
    QuoteEvent,
    SandboxCleared,
)
from services.quote.domain.underwriting.events import (
    ApplicationExpired,
    ApplicationWithdrawn,
    CounterOffered,
    InformationProvided,
    InformationRequested,
)

deadline = Projection(
    name="deadline",
    version=1,
    columns={
        "channel": "text",
        "order_no": "text",
        "contract_id": "text",
        "waits_for": "text",
        "until": "date",
    },
    key=("channel", "order_no"),
    indexes=(("until",),),
)
"""`waits_for` is offer, information or payment; `until` is the last day, null once nothing is waited for."""


@deadline.on(CounterOffered)
def offer(event: CounterOffered, recorded: Recorded[QuoteEvent]) -> Put:
    """The customer has an offer to answer."""
    terms = event.terms
    return _put(terms.channel, terms.order_no, terms.contract_id, "offer", event.valid_until)


@deadline.on(InformationRequested)
def ask(event: InformationRequested, recorded: Recorded[QuoteEvent]) -> Put:
    """The channel has a question to answer."""
    return _put(event.channel, event.order_no, event.contract_id, "information", event.until)


@deadline.on(ApplicationAccepted)
def accept(event: ApplicationAccepted, recorded: Recorded[QuoteEvent]) -> Put | Change | None:
    """The customer has to pay by a day, or nothing is waited for any more."""
    terms = event.terms
    if event.pay_by is not None:
        return _put(terms.channel, terms.order_no, terms.contract_id, "payment", event.pay_by)
    # Most orders never waited for anybody, and have no row.
    return None if event.referred_for is None else _done(terms.channel, terms.order_no)


@deadline.on(ApplicationDeclined)
def decline(event: ApplicationDeclined, recorded: Recorded[QuoteEvent]) -> Change | None:
    """Declined by a person, perhaps while a question was open; what the rules decline never waited."""
    return None if event.referred_for is None else _done(event.channel, event.order_no)


@deadline.on(
    InformationProvided,
    ApplicationWithdrawn,
    ApplicationExpired,
    ApplicationIssued,
    ApplicationNotIssued,
    ReleaseRequested,
)
def settle(
    event: InformationProvided
    | ApplicationWithdrawn
    | ApplicationExpired
    | ApplicationIssued
    | ApplicationNotIssued
    | ReleaseRequested,
    recorded: Recorded[QuoteEvent],
) -> Change:
    """Nothing is waited for any more; of an order that is to be released, policy has the next word."""
    return _done(event.channel, event.order_no)


def _put(channel: str, order_no: str, contract_id: str, waits_for: str, until: date) -> Put:
    return Put(
        {
            "channel": channel,
            "order_no": order_no,
            "contract_id": contract_id,
            "waits_for": waits_for,
            "until": until,
        }
    )


def _done(channel: str, order_no: str) -> Change:
    return Change({"channel": channel, "order_no": order_no, "until": None})


@deadline.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
