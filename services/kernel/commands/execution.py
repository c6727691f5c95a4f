"""What one transaction decides: lock the heads, load the streams, decide in order, append once."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from contracts.topics import lane_of
from services.kernel import clock, failpoints
from services.kernel.codec import EventCodec
from services.kernel.commands import dead_letters
from services.kernel.commands.state_cache import StateCache, StreamState
from services.kernel.decider import Decider
from services.kernel.errors import CommandRefused
from services.kernel.log import event_log
from services.kernel.log.chain import Link, next_digest
from services.kernel.log.event_log import Connection, Head, StoredEvent
from services.kernel.log.unique_keys import reserve
from services.kernel.messages import DomainEvent, Impossible, Instruction, Recorded
from services.kernel.service import Witness

_SLICE = 200
"""Instructions that are decided while PostgreSQL takes in the events of those before them."""

_BREATH = 25
"""Instructions between two looks at the network, without which a slice would not be on its way meanwhile."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Executed:
    """What became of one instruction. Exactly one of: events (perhaps none), refusal, failure (a bug), held.

    A held one was not decided: it waits behind a dead letter of its lane.
    """

    instruction: Instruction
    version: int
    state: Any
    events: Sequence[DomainEvent] = ()
    refusal: CommandRefused | None = None
    failure: Exception | None = None
    held: bool = False


@dataclass(slots=True)
class _End:
    """Where a locked partition ends, the events decided so far included."""

    position: int
    digest: bytes


@dataclass(slots=True)
class Done:
    """What one transaction did, to be believed once it has committed."""

    executed: list[Executed] = field(default_factory=list)
    recorded: list[Recorded[Any]] = field(default_factory=list)
    ends: dict[int, _End] = field(default_factory=dict)
    streams: dict[str, StreamState] = field(default_factory=dict)


@dataclass(slots=True)
class _Obstacles:
    """Streams that cannot be read, and lanes in which a message waits for a person."""

    broken: dict[str, Exception] = field(default_factory=dict)
    lanes: set[str] = field(default_factory=set)


class Execution:
    """Carries out instructions inside a transaction that the caller began and ends."""

    def __init__(
        self,
        decider: Decider[Any, Any, Any],
        codec: EventCodec,
        partitions: int,
        witness: Witness | None = None,
    ) -> None:
        self._decider = decider
        self._witness = witness
        self._codec = codec
        self._partitions = partitions
        self._cache = StateCache()

    def believe(self, done: Done) -> None:
        """Keep what a transaction did, now that it has committed."""
        self._cache.committed({partition: end.position for partition, end in done.ends.items()}, done.streams)
        if self._witness is not None:
            self._witness.committed(done.recorded)

    def forget(self) -> None:
        """Trust nothing that was folded before: a transaction ended in doubt."""
        self._cache.forget()

    async def carry_out(self, connection: Connection, asked: Sequence[Instruction]) -> Done:
        """Lock, load, decide and append; nothing is kept before the transaction has committed."""
        done = Done()
        if not asked:
            return done
        if self._witness is not None:
            self._witness.begin()
        instructions = await reserve(connection, asked)
        lanes = [lane_of(instruction.lane, self._partitions) for instruction in instructions]
        heads = await event_log.lock_heads(connection, set(lanes))
        self._cache.trust(heads)
        done.ends = {partition: _End(head.position, head.digest) for partition, head in heads.items()}
        # Asked for only now: whoever settles a dead letter holds the head of its lane as well.
        obstacles = _Obstacles(lanes=await dead_letters.lanes_held(connection, _lanes_in_order(instructions)))
        done.streams = await self._load(connection, zip(instructions, lanes, strict=True), obstacles)
        await self._append(connection, instructions, done, obstacles)
        failpoints.hit("inbox.inserted")
        moved = {
            partition: Head(end.position, end.digest)
            for partition, end in done.ends.items()
            if end.position != heads[partition].position
        }
        if moved:
            await event_log.advance(connection, moved)
        for name in obstacles.broken:
            del done.streams[name]
        return done

    async def _append(
        self, connection: Connection, instructions: Sequence[Instruction], done: Done, obstacles: _Obstacles
    ) -> None:
        """Decide slice by slice, while PostgreSQL takes in the slice before."""
        inserting: asyncio.Future[None] | None = None
        try:
            for start in range(0, len(instructions), _SLICE):
                recorded_at = clock.now()
                stored: list[StoredEvent] = []
                for count, instruction in enumerate(instructions[start : start + _SLICE]):
                    if inserting is not None and count % _BREATH == 0:
                        await asyncio.sleep(0)
                    done.executed.append(self._execute(instruction, done, obstacles, recorded_at, stored))
                failpoints.hit("inbox.decided")
                if inserting is not None:
                    await inserting
                inserting = asyncio.ensure_future(event_log.insert(connection, stored)) if stored else None
        finally:
            # Nobody may leave the transaction while a statement is under way.
            if inserting is not None:
                await inserting

    async def _load(
        self, connection: Connection, addressed: Iterable[tuple[Instruction, int]], obstacles: _Obstacles
    ) -> dict[str, StreamState]:
        streams: dict[str, StreamState] = {}
        unknown: dict[str, int] = {}
        for instruction, partition in addressed:
            name = instruction.stream
            if name not in streams:
                known = self._cache.get(name)
                streams[name] = known or StreamState(partition, 0, self._decider.initial_state)
                if known is None:
                    unknown[name] = partition
        if not unknown:
            return streams
        rows = await event_log.load_streams(connection, [(place, name) for name, place in unknown.items()])
        for _, name, version, kind, schema, data in rows:
            stream = streams[name]
            try:
                stream.state = self._decider.evolve(stream.state, self._codec.decode(kind, schema, data))
            except Exception as error:
                # An event of a newer build, say: it stops its contract and no other.
                obstacles.broken.setdefault(name, error)
            stream.version = version
        return streams

    def _execute(
        self,
        instruction: Instruction,
        done: Done,
        obstacles: _Obstacles,
        recorded_at: datetime,
        stored: list[StoredEvent],
    ) -> Executed:
        stream = done.streams[instruction.stream]
        if instruction.in_order and instruction.lane in obstacles.lanes:
            return Executed(instruction, stream.version, stream.state, held=True)
        try:
            _check_possible(instruction, obstacles)
            command = instruction.command if self._witness is None else self._witness.complete(instruction.command)
            events = self._decider.decide(command, stream.state)
            encoded = [self._codec.encode(event) for event in events]
            state = self._decider.fold(events, stream.state)
        except Exception as error:
            if instruction.in_order:
                obstacles.lanes.add(instruction.lane)
            return _not_done(instruction, stream, error)
        stream.state = state
        if self._witness is not None:
            self._witness.decided(events)
        meta, end = orjson.dumps(instruction.cause), done.ends[stream.partition]
        for event, data in zip(events, encoded, strict=True):
            end.position += 1
            stream.version += 1
            place = (stream.partition, end.position, instruction.stream, stream.version)
            link = Link(*place, event.event_type, event.schema_version, data, meta, recorded_at)
            end.digest = next_digest(end.digest, link)
            stored.append(StoredEvent(link, end.digest))
            done.recorded.append(Recorded(*place, event, recorded_at, instruction.cause, end.digest))
        return Executed(instruction, stream.version, state, events)


def _not_done(instruction: Instruction, stream: StreamState, error: Exception) -> Executed:
    if isinstance(error, CommandRefused):
        return Executed(instruction, stream.version, stream.state, refusal=error)
    # A bug in a rule stops this command alone; the others of the group go on.
    log.warning("%s on %s failed", type(instruction.command).__name__, instruction.stream, exc_info=error)
    return Executed(instruction, stream.version, stream.state, failure=error)


def _lanes_in_order(instructions: Iterable[Instruction]) -> set[str]:
    return {instruction.lane for instruction in instructions if instruction.in_order}


def _check_possible(instruction: Instruction, obstacles: _Obstacles) -> None:
    if isinstance(instruction.command, Impossible):
        raise instruction.command.error
    broken = obstacles.broken.get(instruction.stream)
    if broken is not None:
        raise broken
