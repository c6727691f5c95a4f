"""The shapes that move through the kernel: events, instructions, deliveries, outgoing messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from contracts.vocabulary.model import PublicEvent

Event = TypeVar("Event", bound="DomainEvent")


Upcaster: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""Pure: the stored JSON of one schema version to that of the next."""


class DomainEvent(BaseModel):
    """A fact in a service's own log: private, frozen, and kept for ever under `event_type`.

    Never rename a type or change the meaning of a field: add an optional field, or raise `schema_version` and
    declare in `upcasters`, under the old version's number, how its stored JSON becomes the next version's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_type: ClassVar[str]
    schema_version: ClassVar[int] = 1
    upcasters: ClassVar[Mapping[int, Upcaster]] = MappingProxyType({})


class Recorded(NamedTuple, Generic[Event]):
    """An event at its place in the log. `recorded_at` is when we learnt it, in UTC.

    A tuple, as one is made for every event that is written or read: a frozen dataclass takes four times as long.
    """

    partition: int
    position: int
    stream: str
    version: int
    event: Event
    recorded_at: datetime
    meta: Mapping[str, Any]
    digest: bytes


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A business number that one stream alone may use, such as a channel's order number."""

    scope: str
    key: str


@dataclass(frozen=True, slots=True)
class Impossible:
    """Stands for a command that cannot be carried out at all. `reason` is a code, such as `unreadable`."""

    reason: str
    error: Exception


class FieldFault(NamedTuple):
    """One thing that is wrong with a message: a stable code, the field's dotted path (or nothing), and a sentence."""

    code: str
    path: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """A command addressed to a stream.

    `lane` decides the partition (a contract id, or the stream's own key where there is none). Where
    `unique` belongs to another stream already, `otherwise` is carried out instead. `dead_letter` asks
    the inbox to keep the raw message beside the outcome, with the `faults` that its sender is told. `in_order` says
    that it must not overtake a message of its lane that waits for a person. `cause` goes into the events' metadata.
    """

    lane: str
    stream: str
    command: Any
    unique: UniqueKey | None = None
    otherwise: "Instruction | None" = None
    dead_letter: str | None = None
    faults: tuple[FieldFault, ...] = ()
    in_order: bool = False
    cause: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One Kafka record as it was delivered: raw bytes, nothing decoded."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int

    @property
    def source(self) -> str:
        """`topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    def header(self, name: str) -> bytes | None:
        """The first header of that name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for one channel's notice topic."""

    channel: str
    message: PublicEvent


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What the world hears of a log event: one public event and, with it, at most one notice.

    A notice never goes without a public event: the topic's tail is the relay's checkpoint for both.
    """

    key: str
    event: PublicEvent
    notice: Notice | None = None
