"""An extract of a log: a few streams as they lie there, with what proves them to somebody who has no database.

An event carries the digest before it, so its own digest can be computed from it alone. A run leads from there to a
signed checkpoint: of all events in between it has what the chain covers, with hashes in place of what they say.
The statement, signed by the service, says how many events there were, so that none can be left out afterwards.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from services.kernel.log.chain import Link
from services.kernel.proof.checkpoint import origin_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """Streams of one lane: the one of this name, or all whose names begin so; of them events with these fields."""

    lane: str
    stream: str
    prefix: bool = False
    having: Mapping[str, Any] = field(default_factory=dict)

    def has(self, content: bytes) -> bool:
        """Whether the event's content has the wanted fields."""
        if not self.having:
            return True
        found = orjson.loads(content)
        return all(found.get(name) == value for name, value in self.having.items())


class ExtractedEvent(BaseModel):
    """An event byte for byte: `data` and `meta` are the texts that were hashed. Digests are hexadecimal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partition: int
    position: int
    stream: str
    version: int
    type: str
    schema_version: int
    recorded_at: datetime
    data: str
    meta: str
    before: str
    digest: str

    @staticmethod
    def of(link: Link, digest: bytes, before: bytes) -> "ExtractedEvent":
        """An event of the log, with the digest of the one before it in its partition."""
        return ExtractedEvent(
            partition=link.partition,
            position=link.position,
            stream=link.stream,
            version=link.version,
            type=link.type,
            schema_version=link.schema,
            recorded_at=link.recorded_at,
            data=link.data.decode(),
            meta=link.meta.decode(),
            before=before.hex(),
            digest=digest.hex(),
        )

    @property
    def link(self) -> Link:
        """What the chain covers of it."""
        content = (self.data.encode(), self.meta.encode(), self.recorded_at)
        return Link(self.partition, self.position, self.stream, self.version, self.type, self.schema_version, *content)


class ExtractedLink(BaseModel):
    """An event of a run, with hashes in place of its content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    position: int
    stream: str
    version: int
    type: str
    schema_version: int
    recorded_at: datetime
    data_sha256: str
    meta_sha256: str


class Run(BaseModel):
    """From the digest at `position` over every event that follows to a head that `checkpoint`, a signed note, signs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partition: int
    position: int
    digest: str
    links: tuple[ExtractedLink, ...]
    checkpoint: str


class Extract(BaseModel):
    """What one service gives out about a subject. `unsigned` says of which events no run is given, and why.

    Streams named in `partial` are not given whole. `statement` is a signed note, None where the service has no key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    subject: str
    events: tuple[ExtractedEvent, ...]
    partial: tuple[str, ...]
    runs: tuple[Run, ...]
    unsigned: tuple[str, ...]
    statement: str | None


def statement_text(service: str, subject: str, time: datetime, events: Sequence[ExtractedEvent]) -> str:
    """What the service signs of an extract. Its second line keeps it from being taken for a checkpoint."""
    lines = [
        origin_of(service),
        f"extract {subject}",
        f"time {time.isoformat()}",
        f"events {len(events)}",
        f"root {root_of(events)}",
        *stream_lines(events),
    ]
    return "\n".join(lines) + "\n"


def root_of(events: Sequence[ExtractedEvent]) -> str:
    """One digest over a line for each event, in order: partition, position, digest."""
    lines = (f"{event.partition} {event.position} {event.digest}\n" for event in events)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def stream_lines(events: Sequence[ExtractedEvent]) -> Iterator[str]:
    """A line for each stream: partition, number of events, position and version of the last one, name."""
    streams: dict[tuple[int, str], list[ExtractedEvent]] = {}
    for event in events:
        streams.setdefault((event.partition, event.stream), []).append(event)
    for (partition, stream), own in sorted(streams.items()):
        yield f"stream {partition} {len(own)} {own[-1].position} {own[-1].version} {stream}"
