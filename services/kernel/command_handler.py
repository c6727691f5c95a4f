"""Group commit: everything that waits goes into one transaction, is decided in order and appended once."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import asyncpg
import orjson

from contracts.topics import lane_of
from services.kernel import clock, event_log
from services.kernel.chain import Link, next_digest
from services.kernel.codec import EventCodec
from services.kernel.errors import CommandRefused
from services.kernel.event_log import Connection, Head, StoredEvent
from services.kernel.messages import DomainEvent, Instruction, Recorded
from services.kernel.postgres import is_transient
from services.kernel.service import ServiceDefinition
from services.kernel.state_cache import StateCache, StreamState
from services.kernel.unique_keys import reserve

_TRIES_MAX = 8
_BACKOFF_SECONDS_MAX = 2.0
_SLICE = 200
"""Instructions that are decided while PostgreSQL takes in the events of those before them."""

_BREATH = 25
"""Instructions between two looks at the network, without which a slice would not be on its way meanwhile."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Executed:
    """What became of one instruction. Exactly one of: events (perhaps none), refusal, failure (a bug)."""

    instruction: Instruction
    version: int
    state: Any
    events: Sequence[DomainEvent] = ()
    refusal: CommandRefused | None = None
    failure: Exception | None = None


class Work(Protocol):
    """Something to be committed as one: its instructions, and what it writes beside their events.

    Both methods run inside the transaction and again from the start if it has to be tried again.
    `key` keeps two works that must see each other's result out of one group.
    """

    @property
    def key(self) -> str | None:
        """Works with the same key are never in one group."""
        ...

    async def prepare(self, connection: Connection) -> Sequence[Instruction]:
        """Lock what belongs to the work and say what is to be decided."""
        ...

    async def finish(self, connection: Connection, executed: Sequence[Executed]) -> None:
        """Write what goes with the outcome."""
        ...


_Waiting: TypeAlias = tuple[Work, "asyncio.Future[None]"]


@dataclass(slots=True)
class _End:
    """Where a locked partition ends, the events decided so far included."""

    position: int
    digest: bytes


@dataclass(slots=True)
class _Done:
    """What one transaction did, to be believed once it has committed."""

    executed: list[Executed] = field(default_factory=list)
    recorded: list[Recorded[Any]] = field(default_factory=list)
    ends: dict[int, _End] = field(default_factory=dict)
    streams: dict[str, StreamState] = field(default_factory=dict)


class CommandHandler:
    """Loads, folds, decides, appends. One per service process; `run` must be running."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        definition: ServiceDefinition,
        codec: EventCodec,
        partitions: int,
        on_commit: Callable[[Sequence[Recorded[Any]], float], None],
        group_size: int,
    ) -> None:
        self._pool = pool
        self._decider = definition.decider
        self._codec = codec
        self._partitions = partitions
        self._on_commit = on_commit
        self._group_size = group_size
        self._cache = StateCache()
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def commit(self, work: Work) -> None:
        """Commit the work with whatever else waits. Raises if the database stays away."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((work, done))
        await done

    async def run(self) -> None:
        """Commit groups until cancelled; a group under way is finished first."""
        held: list[_Waiting] = []
        while True:
            group = held or [await self._waiting.get()]
            while not self._waiting.empty() and len(group) < self._group_size:
                group.append(self._waiting.get_nowait())
            group, held = _separate(group)
            await asyncio.shield(asyncio.ensure_future(self._commit_group(group)))

    async def _commit_group(self, group: Sequence[_Waiting]) -> None:
        error: BaseException | None = None
        for attempt in range(_TRIES_MAX):
            started = time.monotonic()
            try:
                recorded = await self._transaction([work for work, _ in group])
            except Exception as caught:
                error = caught
                if not is_transient(caught):
                    if len(group) > 1:
                        # One work that cannot be committed must not fail those that happened to wait beside it.
                        for entry in group:
                            await self._commit_group([entry])
                        return
                    break
                log.warning("commit tried again after %s: %s", type(caught).__name__, caught)
                await asyncio.sleep(min(_BACKOFF_SECONDS_MAX, 0.05 * 2**attempt))
            else:
                self._on_commit(recorded, time.monotonic() - started)
                error = None
                break
        for _, done in group:
            if done.cancelled():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    async def _transaction(self, works: Sequence[Work]) -> list[Recorded[Any]]:
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                prepared = [await work.prepare(connection) for work in works]
                asked = [instruction for instructions in prepared for instruction in instructions]
                done = await self._carry_out(connection, asked)
                start = 0
                for work, own in zip(works, prepared, strict=True):
                    await work.finish(connection, done.executed[start : start + len(own)])
                    start += len(own)
        except BaseException:
            # Whether a commit whose answer was lost took place is not known.
            self._cache.forget()
            raise
        self._cache.committed({partition: end.position for partition, end in done.ends.items()}, done.streams)
        return done.recorded

    async def _carry_out(self, connection: Connection, asked: Sequence[Instruction]) -> _Done:
        """Lock, load, decide and append; nothing is kept before the transaction has committed."""
        done = _Done()
        if not asked:
            return done
        instructions = await reserve(connection, asked)
        lanes = [lane_of(instruction.lane, self._partitions) for instruction in instructions]
        heads = await event_log.lock_heads(connection, set(lanes))
        self._cache.trust(heads)
        done.ends = {partition: _End(head.position, head.digest) for partition, head in heads.items()}
        done.streams = await self._load(connection, zip(instructions, lanes, strict=True))
        await self._append(connection, instructions, done)
        moved = {
            partition: Head(end.position, end.digest)
            for partition, end in done.ends.items()
            if end.position != heads[partition].position
        }
        if moved:
            await event_log.advance(connection, moved)
        return done

    async def _append(self, connection: Connection, instructions: Sequence[Instruction], done: _Done) -> None:
        """Decide slice by slice, while PostgreSQL takes in the slice before."""
        inserting: asyncio.Future[None] | None = None
        try:
            for start in range(0, len(instructions), _SLICE):
                recorded_at = clock.now()
                stored: list[StoredEvent] = []
                for count, instruction in enumerate(instructions[start : start + _SLICE]):
                    if inserting is not None and count % _BREATH == 0:
                        await asyncio.sleep(0)
                    done.executed.append(self._execute(instruction, done, recorded_at, stored))
                if inserting is not None:
                    await inserting
                inserting = asyncio.ensure_future(event_log.insert(connection, stored)) if stored else None
        finally:
            # Nobody may leave the transaction while a statement is under way.
            if inserting is not None:
                await inserting

    async def _load(
        self, connection: Connection, addressed: Iterable[tuple[Instruction, int]]
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
            stream.state = self._decider.evolve(stream.state, self._codec.decode(kind, schema, data))
            stream.version = version
        return streams

    def _execute(
        self, instruction: Instruction, done: _Done, recorded_at: datetime, stored: list[StoredEvent]
    ) -> Executed:
        stream = done.streams[instruction.stream]
        try:
            events = self._decider.decide(instruction.command, stream.state)
            encoded = [self._codec.encode(event) for event in events]
            state = self._decider.fold(events, stream.state)
        except CommandRefused as refusal:
            return Executed(instruction, stream.version, stream.state, refusal=refusal)
        except Exception as failure:
            # A bug in a rule stops this command alone; the others of the group go on.
            log.exception("%s on %s failed", type(instruction.command).__name__, instruction.stream)
            return Executed(instruction, stream.version, stream.state, failure=failure)
        stream.state = state
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


def _separate(
    group: list[_Waiting],
) -> tuple[list[_Waiting], list[_Waiting]]:
    """Works that may be committed together, and those whose key is among them and must come after."""
    keys: set[str] = set()
    together: list[_Waiting] = []
    after: list[_Waiting] = []
    for entry in group:
        key = entry[0].key
        (after if key is not None and key in keys else together).append(entry)
        if key is not None:
            keys.add(key)
    return together, after
