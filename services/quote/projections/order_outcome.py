"""Read model `order_outcome`: how many orders and messages of each channel ended how, and why."""

from services.kernel.messages import Recorded
from services.kernel.projection import Add, Projection
from services.quote.domain.answers.events import AnswerRefused
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    MessageRefused,
    OrderConflicted,
    QuoteEvent,
    SandboxCleared,
)
from services.quote.domain.underwriting.events import (
    ApplicationExpired,
    ApplicationReferred,
    ApplicationWithdrawn,
    CounterOffered,
)

order_outcome = Projection(
    name="order_outcome",
    version=2,
    columns={"channel": "text", "outcome": "text", "reason": "text", "messages": "bigint"},
    key=("channel", "outcome", "reason"),
)


def _one(channel: str, outcome: str, reason: str = "", messages: int = 1) -> Add:
    return Add({"channel": channel, "outcome": outcome, "reason": reason}, {"messages": messages})


def _ended(counted: Add, channel: str, referred_for: str | None, *, after_acceptance: bool = False) -> list[Add]:
    """An order that was counted as referred, or accepted, is so no longer, so that each counts once."""
    if after_acceptance:
        return [_one(channel, "accepted", messages=-1), counted]
    return [counted] if referred_for is None else [_one(channel, "referred", referred_for, -1), counted]


@order_outcome.on(ApplicationAccepted)
def count_accepted(event: ApplicationAccepted, recorded: Recorded[QuoteEvent]) -> list[Add]:
    """An order that was accepted."""
    channel = event.terms.channel
    return _ended(_one(channel, "accepted"), channel, event.referred_for)


@order_outcome.on(ApplicationDeclined)
def count_declined(event: ApplicationDeclined, recorded: Recorded[QuoteEvent]) -> list[Add]:
    """An order counts once, under the first of its faults."""
    return _ended(_one(event.channel, "declined", event.faults[0].code), event.channel, event.referred_for)


@order_outcome.on(ApplicationReferred)
def count_referred(event: ApplicationReferred, recorded: Recorded[QuoteEvent]) -> Add:
    """An order that a person has to decide counts as referred until it is decided."""
    return _one(event.terms.channel, "referred", event.reasons[0].code)


@order_outcome.on(CounterOffered)
def count_offered(event: CounterOffered, recorded: Recorded[QuoteEvent]) -> Add | None:
    """An offer of the rules waits for the customer; one of an underwriter was counted when it was referred."""
    return _one(event.terms.channel, "referred", event.referred_for) if event.offered_by is None else None


@order_outcome.on(ApplicationWithdrawn)
def count_withdrawn(event: ApplicationWithdrawn, recorded: Recorded[QuoteEvent]) -> list[Add]:
    """An order that the customer did not want any more."""
    counted = _one(event.channel, "withdrawn")
    return _ended(counted, event.channel, event.referred_for, after_acceptance=event.after_acceptance)


@order_outcome.on(ApplicationExpired)
def count_expired(event: ApplicationExpired, recorded: Recorded[QuoteEvent]) -> list[Add]:
    """An order whose offer or question nobody answered, or that nobody paid."""
    counted = _one(event.channel, "expired")
    return _ended(counted, event.channel, event.referred_for, after_acceptance=event.after_acceptance)


@order_outcome.on(MessageRefused, AnswerRefused)
def count_refused(event: MessageRefused | AnswerRefused, recorded: Recorded[QuoteEvent]) -> Add:
    """A message counts once, under the first of its faults."""
    return _one(event.channel, "refused", event.faults[0].code)


@order_outcome.on(OrderConflicted)
def count_conflict(event: OrderConflicted, recorded: Recorded[QuoteEvent]) -> Add:
    """Another order under a number that was used."""
    return _one(event.channel, "conflict", event.faults[0].code)


@order_outcome.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
