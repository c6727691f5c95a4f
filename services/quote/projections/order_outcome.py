"""Read model `order_outcome`: how many orders and messages of each channel ended how, and why."""

from services.kernel.messages import Recorded
from services.kernel.projection import Add, Projection
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    MessageRefused,
    OrderConflicted,
    QuoteEvent,
    SandboxCleared,
)

order_outcome = Projection(
    name="order_outcome",
    version=1,
    columns={"channel": "text", "outcome": "text", "reason": "text", "messages": "bigint"},
    key=("channel", "outcome", "reason"),
)


def _one(channel: str, outcome: str, reason: str = "") -> Add:
    return Add({"channel": channel, "outcome": outcome, "reason": reason}, {"messages": 1})


@order_outcome.on(ApplicationAccepted)
def count_accepted(event: ApplicationAccepted, recorded: Recorded[QuoteEvent]) -> Add:
    """An order that was accepted."""
    return _one(event.terms.channel, "accepted")


@order_outcome.on(ApplicationDeclined)
def count_declined(event: ApplicationDeclined, recorded: Recorded[QuoteEvent]) -> Add:
    """An order counts once, under the first of its faults."""
    return _one(event.channel, "declined", event.faults[0].code)


@order_outcome.on(MessageRefused)
def count_refused(event: MessageRefused, recorded: Recorded[QuoteEvent]) -> Add:
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
