"""What one transaction decides: lock the heads, load the streams, decide in order, append once."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from contracts.topics import lane_of
from services.kernel import clock, dead_letters, event_log
from services.kernel.chain import Link
from services.kernel.codec import EventCodec
from services.kernel.decider import Decider
from services.kernel.errors import CommandRefused
from services.kernel.event_log import Connection, StoredEvent
from services.kernel.messages import DomainEvent, Impossible, Instruction, Recorded
from services.kernel.state_cache import StateCache, StreamState
from services.kernel.unique_keys import reserve

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
class _Decided:
    """The events decided so far in one transaction, of one partition; both lists run in step."""

    links: list[Link] = field(default_factory=list)
    events: list[tuple[DomainEvent, Mapping[str, Any]]] = field(default_factory=list)


@dataclass(slots=True)
class Done:
    """What one transaction did, to be believed once it has committed."""

    executed: list[Executed] = field(default_factory=list)
    recorded: list[Recorded[Any]] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)
    streams: dict[str, StreamState] = field(default_factory=dict)


@dataclass(slots=True)
class _Obstacles:
    """Streams that cannot be read, and lanes in which a message waits for a person."""

    broken: dict[str, Exception] = field(default_factory=dict)
    lanes: set[str] = field(default_factory=set)


class Execution:
    """Carries out instructions inside a transaction that the caller began and ends."""

    def __init__(self, decider: Decider[Any, Any, Any], codec: EventCodec, partitions: int) -> None:
        self._decider = decider
        self._codec = codec
        self._partitions = partitions
        self._cache = StateCache()

    def believe(self, done: Done) -> None:
        """Keep what a transaction did, now that it has committed."""
        self._cache.committed(done.positions, done.streams)

    def forget(self) -> None:
        """Trust nothing that was folded before: a transaction ended in doubt."""
        self._cache.forget()

    async def carry_out(self, connection: Connection, asked: Sequence[Instruction]) -> Done:
        """Lock, load, decide and append; nothing is kept before the transaction has committed."""
        done = Done()
        if not asked:
            return done
        instructions = await reserve(connection, asked)
        partitions = {lane_of(instruction.lane, self._partitions) for instruction in instructions}
        heads = await event_log.lock_heads(connection, partitions)
        self._cache.trust(heads)
        done.positions = {partition: head.position for partition, head in heads.items()}
        # Asked for only now: whoever settles a dead letter holds the head of its lane as well.
        obstacles = _Obstacles(lanes=await dead_letters.lanes_held(connection, _lanes_in_order(instructions)))
        done.streams = await self._load(connection, instructions, obstacles)
        decided: dict[int, _Decided] = {}
        done.executed = [self._execute(instruction, done, obstacles, decided) for instruction in instructions]
        chained = {p: event_log.chained(heads[p], batch.links) for p, batch in decided.items()}
        await event_log.append(connection, chained)
        for name in obstacles.broken:
            del done.streams[name]
        done.recorded = [
            _recorded(stored, event, cause)
            for partition, batch in decided.items()
            for stored, (event, cause) in zip(chained[partition], batch.events, strict=True)
        ]
        return done

    async def _load(
        self, connection: Connection, instructions: Iterable[Instruction], obstacles: _Obstacles
    ) -> dict[str, StreamState]:
        streams: dict[str, StreamState] = {}
        unknown: dict[str, int] = {}
        for instruction in instructions:
            name = instruction.stream
            if name not in streams:
                known = self._cache.get(name)
                partition = lane_of(instruction.lane, self._partitions)
                streams[name] = known or StreamState(partition, 0, self._decider.initial_state)
                if known is None:
                    unknown[name] = partition
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
        self, instruction: Instruction, done: Done, obstacles: _Obstacles, decided: dict[int, _Decided]
    ) -> Executed:
        stream = done.streams[instruction.stream]
        if instruction.in_order and instruction.lane in obstacles.lanes:
            return Executed(instruction, stream.version, stream.state, held=True)
        executed = self._decide(instruction, stream, done.positions, obstacles, decided)
        if instruction.in_order and (executed.failure is not None or executed.refusal is not None):
            obstacles.lanes.add(instruction.lane)
        return executed

    def _decide(
        self,
        instruction: Instruction,
        stream: StreamState,
        positions: dict[int, int],
        obstacles: _Obstacles,
        decided: dict[int, _Decided],
    ) -> Executed:
        try:
            _check_possible(instruction, obstacles)
            events = self._decider.decide(instruction.command, stream.state)
            encoded = [self._codec.encode(event) for event in events]
            state = self._decider.fold(events, stream.state)
        except CommandRefused as refusal:
            return Executed(instruction, stream.version, stream.state, refusal=refusal)
        except Exception as failure:
            # A bug in a rule stops this command alone; the others of the group go on.
            log.warning("%s on %s failed", type(instruction.command).__name__, instruction.stream, exc_info=failure)
            return Executed(instruction, stream.version, stream.state, failure=failure)
        stream.state = state
        meta, recorded_at = orjson.dumps(instruction.cause), clock.now()
        batch = decided.setdefault(stream.partition, _Decided()) if events else _Decided()
        for event, data in zip(events, encoded, strict=True):
            positions[stream.partition] += 1
            stream.version += 1
            batch.events.append((event, instruction.cause))
            batch.links.append(
                Link(
                    stream.partition,
                    positions[stream.partition],
                    instruction.stream,
                    stream.version,
                    event.event_type,
                    event.schema_version,
                    data,
                    meta,
                    recorded_at,
                )
            )
        return Executed(instruction, stream.version, state, events)


def _lanes_in_order(instructions: Iterable[Instruction]) -> set[str]:
    return {instruction.lane for instruction in instructions if instruction.in_order}


def _check_possible(instruction: Instruction, obstacles: _Obstacles) -> None:
    if isinstance(instruction.command, Impossible):
        raise instruction.command.error
    broken = obstacles.broken.get(instruction.stream)
    if broken is not None:
        raise broken


def _recorded(stored: StoredEvent, event: DomainEvent, cause: Mapping[str, Any]) -> Recorded[Any]:
    link = stored.link
    return Recorded(
        link.partition,
        link.position,
        link.stream,
        link.version,
        event,
        link.recorded_at,
        cause,
        stored.digest,
    )
