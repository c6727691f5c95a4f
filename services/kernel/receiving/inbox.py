"""The inbox: a batch of Kafka records becomes commands, effectively once.

One batch, one database transaction: lock the inbox rows, drop what was handled, react, decide, append, move the
rows. Only afterwards is the consumer group's offset committed, and it is a hint: the rows are the truth.
"""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from contracts.envelope import link_of
from services.kernel import clock, failpoints
from services.kernel.commands import dead_letters, replies
from services.kernel.commands.dead_letters import DeadLetter
from services.kernel.commands.execution import Executed
from services.kernel.errors import TooManyFailures
from services.kernel.log.event_log import Connection
from services.kernel.messages import Delivery, Instruction
from services.kernel.receiving.reactions import describe, reaction, repeated, sort_out
from services.kernel.service import React, ServiceDefinition

_ENSURE = """
insert into log.inbox (source, partition, position, next_offset)
select source, partition, 0, 0 from unnest($1::text[], $2::integer[]) as wanted(source, partition)
    on conflict do nothing
"""
_LOCK = """
select i.source, i.partition, i.position, i.next_offset
  from log.inbox i join unnest($1::text[], $2::integer[]) as wanted(source, partition) using (source, partition)
 order by i.source, i.partition for update of i
"""
_MOVE = """
update log.inbox i set position = m.position, next_offset = m.next_offset, fingerprint = m.fingerprint
  from unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bytea[])
       as m(source, partition, position, next_offset, fingerprint)
 where i.source = m.source and i.partition = m.partition
"""
_TAKEN = "select source, partition, position, next_offset, fingerprint from log.inbox order by source, partition"

log = logging.getLogger(__name__)

Place = tuple[str, int]

FAILURES_IN_A_ROW_MAX = 100
"""Of messages that we could not handle. More are a bad build: a whole topic must not become dead letters."""


@dataclass(slots=True)
class _Progress:
    """How far one source partition is handled inside the transaction."""

    position: int
    next_offset: int
    last: Delivery | None = None


@dataclass(slots=True)
class InboxBatch:
    """One polled batch as a work for the command handler.

    `gaps` are partitions to be fetched again; `failures_before` counts the messages that failed in a row up to it.
    """

    service: str
    deliveries: Sequence[Delivery]
    react: React
    linked: bool
    definition: ServiceDefinition
    key: str | None = None
    alone: bool = False
    gaps: dict[Place, int] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    replied: int = 0
    failures_before: int = 0
    failures_in_a_row: int = 0
    _progress: dict[Place, _Progress] = field(default_factory=dict)
    _causes: list[Delivery] = field(default_factory=list)

    async def prepare(self, connection: Connection) -> Sequence[Instruction]:
        """Lock the inbox rows, drop what was seen, and react to the rest."""
        self.gaps, self.dead, self._causes = {}, [], []
        by_place: dict[Place, list[Delivery]] = {}
        for delivery in self.deliveries:
            by_place.setdefault((delivery.topic, delivery.partition), []).append(delivery)
        self._progress = await _lock(connection, sorted(by_place))
        failpoints.hit("inbox.locked")
        instructions: list[Instruction] = []
        for place, own in by_place.items():
            for delivery in self._unseen(place, own):
                for instruction in self._reaction(delivery):
                    instructions.append(instruction)
                    self._causes.append(delivery)
        return instructions

    def _unseen(self, place: Place, deliveries: Sequence[Delivery]) -> Iterable[Delivery]:
        progress = self._progress[place]
        for delivery in deliveries:
            if delivery.offset < progress.next_offset:
                continue
            try:
                if self.linked and not self._follows(delivery, place, progress):
                    return
            except ValueError as error:
                # Somebody else wrote to an events topic. Kept for a person; the partition goes on.
                self.dead.append(DeadLetter(delivery, "no_place", describe(error), clock.now(), own_topic=True))
                progress.next_offset, progress.last = delivery.offset + 1, delivery
                continue
            if not self.linked:
                progress.position = delivery.offset
            progress.next_offset, progress.last = delivery.offset + 1, delivery
            yield delivery

    def _follows(self, delivery: Delivery, place: Place, progress: _Progress) -> bool:
        """Whether a record of our own topics is the next one; a hole stops its partition until it is filled."""
        position, previous = link_of(delivery.headers)
        if previous != progress.position:
            log.error(
                "%s: record at position %s follows %s, but %s was handled last; fetching again",
                delivery.source,
                position,
                previous,
                progress.position,
            )
            self.gaps[place] = progress.next_offset
            return False
        progress.position = position
        return True

    def _reaction(self, delivery: Delivery) -> Sequence[Instruction]:
        return reaction(self.react, delivery, own_topic=self.linked)

    async def finish(self, connection: Connection, executed: Sequence[Executed]) -> None:
        """Keep dead letters, what is parked behind them, and replies; move the inbox."""
        outcomes = list(zip(executed, self._causes, strict=True))
        outcome = sort_out(outcomes, own_topic=self.linked)
        self.dead += outcome.dead
        self.failures_in_a_row = self._count_failures(executed)
        if self.failures_in_a_row > FAILURES_IN_A_ROW_MAX:
            raise TooManyFailures(
                f"{self.failures_in_a_row} messages in a row failed, the last with {self.dead[-1].error}. "
                "That is a fault of this build or its data, not of the messages: mend it; they are fetched again"
            )
        told = repeated(outcomes, self.definition.repeat)
        self.replied = len(told)
        await replies.put(connection, self.service, told)
        await dead_letters.put(connection, self.dead)
        await dead_letters.park(connection, outcome.parked, clock.now())
        await self._move(connection)
        failpoints.hit("inbox.moved")

    def _count_failures(self, executed: Sequence[Executed]) -> int:
        row = self.failures_before
        for one in executed:
            row = row + 1 if one.failure is not None else 0 if not one.held else row
        return row

    async def _move(self, connection: Connection) -> None:
        moved = [(place, p, p.last) for place, p in self._progress.items() if p.last is not None]
        if not moved:
            return
        await connection.execute(
            _MOVE,
            [topic for (topic, _), _, _ in moved],
            [partition for (_, partition), _, _ in moved],
            [progress.position for _, progress, _ in moved],
            [progress.next_offset for _, progress, _ in moved],
            [fingerprint(last) for _, _, last in moved],
        )


async def _lock(connection: Connection, places: Sequence[Place]) -> dict[Place, _Progress]:
    topics, partitions = [topic for topic, _ in places], [partition for _, partition in places]
    rows = await connection.fetch(_LOCK, topics, partitions)
    if len(rows) < len(places):
        await connection.execute(_ENSURE, topics, partitions)
        rows = await connection.fetch(_LOCK, topics, partitions)
    return {(row["source"], row["partition"]): _Progress(row["position"], row["next_offset"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Taken:
    """How far a source partition was taken in."""

    position: int
    next_offset: int
    fingerprint: bytes | None = None
    """Of the record at `next_offset` - 1; None before the first."""


async def taken(connection: Connection) -> dict[Place, Taken]:
    """How far each source partition that was ever read was taken in."""
    rows = await connection.fetch(_TAKEN)
    return {
        (row["source"], row["partition"]): Taken(row["position"], row["next_offset"], row["fingerprint"])
        for row in rows
    }


def fingerprint(delivery: Delivery) -> bytes:
    """sha256 over offset, timestamp, key and value: tells a recreated topic from the one that was read."""
    digest = hashlib.sha256(f"{delivery.offset}/{delivery.timestamp_ms}/".encode())
    digest.update(delivery.key or b"")
    digest.update(b"/")
    digest.update(delivery.value or b"")
    return digest.digest()
