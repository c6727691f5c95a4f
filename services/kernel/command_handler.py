"""Group commit: everything that waits goes into one transaction, is decided in order and appended once."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import asyncpg
import orjson

from contracts.topics import lane_of
from services.kernel import clock, event_log, failpoints
from services.kernel.chain import Link
from services.kernel.codec import EventCodec
from services.kernel.errors import CommandRefused
from services.kernel.event_log import Connection, StoredEvent
from services.kernel.messages import DomainEvent, Instruction, Recorded
from services.kernel.postgres import is_transient
from services.kernel.service import ServiceDefinition
from services.kernel.state_cache import StateCache, StreamState
from services.kernel.unique_keys import reserve

_TRIES_MAX = 8
_BACKOFF_SECONDS_MAX = 2.0

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
class _Decided:
    """The events decided so far in one transaction, of one partition; both lists run in step."""

    links: list[Link] = field(default_factory=list)
    events: list[tuple[DomainEvent, Mapping[str, Any]]] = field(default_factory=list)


@dataclass(slots=True)
class _Done:
    """What one transaction did, to be believed once it has committed."""

    executed: list[Executed] = field(default_factory=list)
    recorded: list[Recorded[Any]] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)
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
        self._cache.committed(done.positions, done.streams)
        return done.recorded

    async def _carry_out(self, connection: Connection, asked: Sequence[Instruction]) -> _Done:
        """Lock, load, decide and append; nothing is kept before the transaction has committed."""
        done = _Done()
        if not asked:
            return done
        instructions = await reserve(connection, asked)
        partitions = {lane_of(instruction.lane, self._partitions) for instruction in instructions}
        heads = await event_log.lock_heads(connection, partitions)
        self._cache.trust(heads)
        done.positions = {partition: head.position for partition, head in heads.items()}
        done.streams = await self._load(connection, instructions)
        decided: dict[int, _Decided] = {}
        done.executed = [
            self._execute(instruction, done.streams, done.positions, decided) for instruction in instructions
        ]
        failpoints.hit("inbox.decided")
        chained = {p: event_log.chained(heads[p], batch.links) for p, batch in decided.items()}
        await event_log.append(connection, chained)
        failpoints.hit("inbox.inserted")
        done.recorded = [
            _recorded(stored, event, cause)
            for partition, batch in decided.items()
            for stored, (event, cause) in zip(chained[partition], batch.events, strict=True)
        ]
        return done

    async def _load(self, connection: Connection, instructions: Iterable[Instruction]) -> dict[str, StreamState]:
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
            stream.state = self._decider.evolve(stream.state, self._codec.decode(kind, schema, data))
            stream.version = version
        return streams

    def _execute(
        self,
        instruction: Instruction,
        streams: dict[str, StreamState],
        positions: dict[int, int],
        decided: dict[int, _Decided],
    ) -> Executed:
        stream = streams[instruction.stream]
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
