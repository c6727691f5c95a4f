"""A replay under way: a shadow is filled to the live checkpoints while traffic goes on, then the projector is held.

Nothing but shadow and read model is written: a replay sends no message and runs no command.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from services.kernel import postgres
from services.kernel.codec import EventCodec
from services.kernel.errors import ReplayRefused
from services.kernel.log import event_log
from services.kernel.log.event_log import Connection
from services.kernel.projecting import projection_sql, shadow
from services.kernel.projecting.narrowing import WHOLE, Narrowing
from services.kernel.projecting.replay_crew import Crew, crew
from services.kernel.projecting.replay_worker import Assignment, Job
from services.kernel.projecting.shadow import Purpose
from services.kernel.projection import Projection

_CATCH_UP_EVENTS = 2_000
_EVENTS_A_PROCESS = 10_000
"""A process takes half a second to start, and folds so many in that time."""
_HOLD_TIMEOUT = "set local lock_timeout = '5s'"
_IS_LIVE = "select live from log.projections where name = $1 and version = $2"
_WITH_STREAM = """
select p.partition from unnest($1::smallint[]) as p(partition)
 where exists (select from log.events e where e.partition = p.partition and e.stream = $2) order by 1
"""
_LIVE = """
select partition, position from log.checkpoints
 where projection = $1 and version = $2 and partition = any($3) order by partition
"""


def _ignore(*_: Any) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What is to be folded again, and how. `workers` 0: in this process; `fresh`: not from where one was killed.

    `progress` hears (events passed, events to pass), `say` a sentence for the person who waits.
    """

    dsn: str
    codec: EventCodec
    projection: Projection
    narrowing: Narrowing = WHOLE
    workers: int = 0
    fresh: bool = False
    progress: Callable[[int, int], None] = _ignore
    say: Callable[[str], None] = _ignore


@dataclass(slots=True)
class Filled:
    """A shadow that is almost caught up. `resumed_at` is how many events an earlier run had passed."""

    replay: Replay
    shadow: Projection
    connection: asyncpg.Connection
    positions: dict[int, int]
    resumed_at: int
    _here: Crew
    started_at: int = field(init=False)

    def __post_init__(self) -> None:
        self.started_at = self.resumed_at

    @property
    def events(self) -> int:
        """Log events that this run has passed."""
        return sum(self.positions.values()) - self.started_at

    async def worthwhile(self) -> int:
        """How many of the wanted processes have enough to do to be worth their start."""
        live = await _live(self.connection, self.replay.projection, list(self.positions))
        return min(self.replay.workers, self._left(live) // _EVENTS_A_PROCESS, len(self.positions))

    async def fill(self, hands: Crew) -> None:
        """Fill until little is left to catch up."""
        while True:
            live = await _live(self.connection, self.replay.projection, list(self.positions))
            if self._left(live) <= _CATCH_UP_EVENTS:
                return
            await self._advance(hands, live)

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """A transaction that holds the projector still, with the shadow at its very position.

        Raises ReplayRefused where the read model is gone: a newer version has taken its place.
        """
        await self.fill(self._here)
        async with self.connection.transaction():
            await self.connection.execute(_HOLD_TIMEOUT)
            live = await _live(self.connection, self.replay.projection, list(self.positions), lock=True)
            if set(live) != set(self.positions):
                name = f"{self.replay.projection.name} v{self.replay.projection.version}"
                raise ReplayRefused(f"{name} is gone: another version has taken its place; nothing was changed")
            await self._advance(self._here, live)
            yield

    def _left(self, live: dict[int, int]) -> int:
        return sum(max(0, live[p] - position) for p, position in self.positions.items() if p in live)

    async def _advance(self, hands: Crew, live: dict[int, int]) -> None:
        jobs = [Job(p, self.positions[p], until) for p, until in live.items() if until > self.positions[p]]
        total = sum(live.values())
        self.replay.progress(sum(self.positions.values()), total)

        def report(partition: int, position: int) -> None:
            self.positions[partition] = position
            self.replay.progress(sum(self.positions.values()), total)

        await hands.carry_out(jobs, report)


@contextlib.asynccontextmanager
async def filled(replay: Replay, purpose: Purpose) -> AsyncIterator[Filled]:
    """The shadow of a read model, filled nearly up to the live checkpoints.

    It stays in the database where this is left by an error, so that the next run can go on with it.
    Raises ReplayRefused where the read model is not live, or another replay of it runs.
    """
    connection = await postgres.connect_for_replay(replay.dsn)
    try:
        await shadow.claim(connection, replay.projection)
        await _refuse_unless_live(connection, replay.projection)
        made = await _open(connection, replay, purpose)
        assignment = Assignment(replay.dsn, replay.codec, made.shadow, replay.narrowing)
        async with crew(assignment, 0) as here:
            made._here = here
            async with crew(assignment, await made.worthwhile()) as hands:
                await made.fill(hands)
            await connection.execute(projection_sql.analyze(made.shadow))
            yield made
    finally:
        await connection.close()


async def _open(connection: asyncpg.Connection, replay: Replay, purpose: Purpose) -> Filled:
    name = shadow.shadow_of(replay.projection, purpose)
    partitions = replay.narrowing.of(list(await event_log.heads(connection)))
    if replay.narrowing.stream is not None:
        rows = await connection.fetch(_WITH_STREAM, partitions, replay.narrowing.stream)
        partitions = [row["partition"] for row in rows]
        if not partitions:
            raise ReplayRefused(f"there is no stream {replay.narrowing.stream} in these partitions of the log")
    # Which rows an unfinished run had chosen by their events is not worth remembering.
    fresh = replay.fresh or replay.narrowing.by_event or purpose == Purpose.COMPARISON
    shape = shadow.shape_of(replay.projection, replay.narrowing)
    positions = await shadow.open_shadow(connection, name, shape, partitions, fresh=fresh)
    stood = sum(positions.values())
    if stood:
        replay.say(f"{replay.projection.name}: an earlier run was stopped; going on after {stood:,} events")
    return Filled(replay, name, connection, positions, stood, Crew([]))


async def _refuse_unless_live(connection: Connection, projection: Projection) -> None:
    live = await connection.fetchval(_IS_LIVE, projection.name, projection.version)
    name = f"{projection.name} v{projection.version}"
    if live is None:
        raise ReplayRefused(f"{name} is not in the database; start its service once")
    if not live:
        raise ReplayRefused(f"{name} is being filled by its service for the first time; wait until it is live")


async def _live(
    connection: Connection, projection: Projection, partitions: list[int], *, lock: bool = False
) -> dict[int, int]:
    sql = _LIVE + (" for update" if lock else "")
    rows = await connection.fetch(sql, projection.name, projection.version, partitions)
    return {row["partition"]: row["position"] for row in rows}
