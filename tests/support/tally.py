"""The smallest service there can be, for tests of the kernel: tallies that are opened, counted up and closed.

Counting is not idempotent on purpose: only the kernel keeps a repeated message from counting twice.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeAlias, assert_never

from contracts.topics import channel_of, events_topic
from contracts.vocabulary.model import PublicEvent
from services.kernel.decider import Decider
from services.kernel.errors import CommandRefused
from services.kernel.messages import Delivery, DomainEvent, Instruction, Notice, Outgoing, Recorded, UniqueKey
from services.kernel.projection import Add, Change, Projection, Put
from services.kernel.routing import route
from services.kernel.service import React, ServiceDefinition


@dataclass(frozen=True, slots=True)
class Open:
    """Open a tally for a channel's order; an open one stays as it is."""

    tally: str
    channel: str
    order_no: str


@dataclass(frozen=True, slots=True)
class Count:
    """Add to the tally, however often it is said."""

    tally: str
    amount: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the tally; nobody outside hears of it."""

    tally: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """A command that a rule forbids."""

    tally: str


@dataclass(frozen=True, slots=True)
class Explode:
    """A command whose rule has a bug."""

    tally: str


Command: TypeAlias = Open | Count | Close | Refuse | Explode


class TallyOpened(DomainEvent):
    """Public, with a notice to the channel."""

    event_type: ClassVar[str] = "tally.opened"
    tally: str
    channel: str
    order_no: str


class Counted(DomainEvent):
    """Public."""

    event_type: ClassVar[str] = "tally.counted"
    tally: str
    amount: int
    note: str = ""


class TallyClosed(DomainEvent):
    """Private."""

    event_type: ClassVar[str] = "tally.closed"
    tally: str


Event: TypeAlias = TallyOpened | Counted | TallyClosed


class TallyWasOpened(PublicEvent):
    """What the world hears of an opened tally, and the notice that its channel gets."""

    event_type: ClassVar[str] = "tally.was_opened"
    tally: str
    order_no: str


class AmountCounted(PublicEvent):
    """What the world hears of a count."""

    event_type: ClassVar[str] = "tally.amount_counted"
    tally: str
    amount: int
    note: str


class Asked(PublicEvent):
    """A fact of a foreign service that asks the tally to do something."""

    event_type: ClassVar[str] = "foreign.asked"
    what: Literal["open", "count", "close", "refuse", "explode", "confuse"]
    tally: str
    amount: int = 1
    note: str = ""
    channel: str = "shop"
    order_no: str = "O-1"


class NewerAsked(Asked):
    """The same in a version that the tally does not know."""

    schema_version: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class State:
    """What a tally's events add up to."""

    total: int = 0
    opened: TallyOpened | None = None
    closed: bool = False


def decide(command: Command, state: State) -> Sequence[Event]:
    """The rules."""
    match command:
        case Open(tally, channel, order_no):
            return () if state.opened else (TallyOpened(tally=tally, channel=channel, order_no=order_no),)
        case Count(tally, amount, note):
            return (Counted(tally=tally, amount=amount, note=note),)
        case Close(tally):
            return () if state.closed else (TallyClosed(tally=tally),)
        case Refuse():
            raise CommandRefused("not_today", f"refused at a total of {state.total}")
        case Explode():
            raise RuntimeError("a bug in a rule")
        case _:
            assert_never(command)


def evolve(state: State, event: Event) -> State:
    """The state after one more event."""
    match event:
        case Counted():
            return State(state.total + event.amount, state.opened, state.closed)
        case TallyOpened():
            return replace(state, opened=event)
        case TallyClosed():
            return replace(state, closed=True)
        case _:
            assert_never(event)


DECIDER: Decider[Command, State, Event] = Decider(initial_state=State(), decide=decide, evolve=evolve)


def to_wire(recorded: Recorded[Event]) -> Outgoing | None:
    """The public event of a log event; None for a close."""
    event = recorded.event
    match event:
        case TallyOpened():
            opened = TallyWasOpened(tally=event.tally, order_no=event.order_no)
            return Outgoing(event.tally, opened, Notice(event.channel, opened))
        case Counted():
            return Outgoing(event.tally, AmountCounted(tally=event.tally, amount=event.amount, note=event.note))
        case TallyClosed():
            return None
        case _:
            assert_never(event)


def repeat(command: Command, state: State) -> Notice | None:
    """An order that is opened again hears the same again."""
    if not isinstance(command, Open) or state.opened is None:
        return None
    opened = state.opened
    return Notice(opened.channel, TallyWasOpened(tally=opened.tally, order_no=opened.order_no))


def to(tally: str, command: Command) -> Instruction:
    """The command, addressed to its tally."""
    return Instruction(lane=tally, stream=f"tally-{tally}", command=command)


def opening(tally: str, channel: str, order_no: str) -> Instruction:
    """Open the tally, unless another one has the order number: then count that attempt on the tally `taken`."""
    return Instruction(
        lane=tally,
        stream=f"tally-{tally}",
        command=Open(tally, channel, order_no),
        unique=UniqueKey("order", order_no),
        otherwise=to("taken", Count("taken", 1, order_no)),
    )


def on_asked(event: Asked) -> Sequence[Instruction]:
    """One command for each thing that can be asked; `confuse` is a bug in this very function."""
    match event.what:
        case "open":
            return (opening(event.tally, event.channel, event.order_no),)
        case "count":
            return (to(event.tally, Count(event.tally, event.amount, event.note)),)
        case "close":
            return (to(event.tally, Close(event.tally)),)
        case "refuse":
            return (to(event.tally, Refuse(event.tally)),)
        case "explode":
            return (to(event.tally, Explode(event.tally)),)
        case "confuse":
            raise LookupError(f"confused by {event.note}")
        case _:
            assert_never(event.what)


def react_to_channel_of(channel: str) -> React:
    """Opens the tally that the channel's message names; other channels on the same servers are let pass."""

    def react(delivery: Delivery) -> Sequence[Instruction]:
        if channel_of(delivery.topic) != channel:
            return ()
        message = json.loads(delivery.value or b"")
        return (opening(message["tally"], channel, message["order_no"]),)

    return react


def tally_total(version: int = 1, **more_columns: str) -> Projection:
    """Read model `tally_total`, in any version: total, number of counts and status of each tally."""
    projection = Projection(
        name="tally_total",
        version=version,
        columns={"tally": "text", "total": "bigint", "counts": "bigint", "status": "text", **more_columns},
        key=("tally",),
    )

    projection.on(TallyOpened)(open_row)
    projection.on(Counted)(count)
    projection.on(TallyClosed)(close_row)
    return projection


def open_row(event: TallyOpened, recorded: Recorded[Any]) -> Put:
    """The row of a tally."""
    return Put({"tally": event.tally, "status": "open"})


def count(event: Counted, recorded: Recorded[Any]) -> Add:
    """One count more; the first one makes the row, where nobody opened the tally."""
    return Add({"tally": event.tally}, {"total": event.amount, "counts": 1})


def close_row(event: TallyClosed, recorded: Recorded[Any]) -> Change:
    """An open row is marked."""
    return Change({"tally": event.tally, "status": "closed"})


def tally_service(name: str, source: str | None = None, channel: str | None = None) -> ServiceDefinition:
    """The service under a name of its own, listening to a foreign service's events and to a channel where given."""
    return ServiceDefinition(
        name=name,
        decider=DECIDER,
        events=(TallyOpened, Counted, TallyClosed),
        projections=(tally_total(),),
        to_wire=to_wire,
        sources=(events_topic(source),) if source else (),
        react=route((Asked, on_asked)),
        react_to_channel=react_to_channel_of(channel) if channel else None,
        repeat=repeat,
    )
