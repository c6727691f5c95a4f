"""The projector: applies log events to read models, rows and checkpoint in one transaction.

A projection whose version is new fills a table of its own from position 0, and is swapped in by one
transaction when it has caught up; readers go on with the old version until then.
"""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from services.kernel import failpoints
from services.kernel.errors import UnknownEvent
from services.kernel.log.event_log import Connection
from services.kernel.log.log_reader import LogReader
from services.kernel.messages import Recorded
from services.kernel.observability import Metrics
from services.kernel.postgres import is_transient
from services.kernel.projecting import projection_sql
from services.kernel.projecting.merging import Batch
from services.kernel.projection import Projection

_IDLE_SECONDS = 0.5
_TURN_SECONDS_MIN = 0.05
_RETRY_SECONDS = 0.5

_DECLARED = "select shape, live from log.projections where name = $1 and version = $2"
_DECLARE = "insert into log.projections (name, version, live, shape) values ($1, $2, false, $3)"
_START = "insert into log.checkpoints (projection, version, partition, position) values ($1, $2, $3, 0)"
_LOCK = """
select projection, version, partition, position from log.checkpoints
 where (projection, version) in (select * from unnest($1::text[], $2::integer[]))
 order by projection, version, partition for update
"""
_MOVE = """
update log.checkpoints c set position = m.position
  from unnest($1::text[], $2::integer[], $3::smallint[], $4::bigint[]) as m(projection, version, partition, position)
 where c.projection = m.projection and c.version = m.version and c.partition = m.partition
"""
_NEWER = "select max(version) from log.projections where name = $1 and version > $2 and live"
_OLDER = "select version from log.projections where name = $1 and version < $2"
_FORGET = "delete from log.projections where name = $1 and version < $2"
_FORGET_CHECKPOINTS = "delete from log.checkpoints where projection = $1 and version < $2"
_DECLARING = "select pg_advisory_xact_lock(hashtext($1))"
_LIVE = "update log.projections set live = true where name = $1 and version = $2"
_SWAP_TIMEOUT = "set local lock_timeout = '500ms'"
"""Whoever waits for a table makes all later readers of it wait as well, so it is given up soon and tried again."""

log = logging.getLogger(__name__)

Checkpoints = dict[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Stopped:
    """An event that this build does not know, and why; the read models of its partition end before it."""

    position: int
    reason: str


class Projector:
    """Keeps all read models of one service up to date."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        projections: Sequence[Projection],
        reader: LogReader,
        metrics: Metrics,
        batch_events: int,
    ) -> None:
        self._pool = pool
        self._projections = projections
        self._reader = reader
        self._metrics = metrics
        self._batch_events = batch_events
        self._passed = [0] * len(reader.partitions)
        self._live: set[str] = set()
        self._superseded: dict[str, int] = {}
        self.stopped: dict[int, Stopped] = {}

    @property
    def lag(self) -> int:
        """Log events that are not in every read model yet."""
        return sum(h - p for h, p in zip(self._reader.heads, self._passed, strict=True))

    @property
    def waiting(self) -> int:
        """The part of the lag that this process can still work off."""
        return sum(
            h - p
            for partition, (h, p) in enumerate(zip(self._reader.heads, self._passed, strict=True))
            if partition not in self.stopped
        )

    @property
    def stopped_because(self) -> list[str]:
        """A sentence for each partition that stands still, and for each read model that a newer build keeps."""
        return [
            *(
                f"partition {partition} stopped before position {stopped.position}: {stopped.reason}"
                for partition, stopped in sorted(self.stopped.items())
            ),
            *(
                f"{name} is left to newer replicas, which keep v{version}; to go back, raise the version of this build"
                for name, version in sorted(self._superseded.items())
            ),
        ]

    @property
    def passed(self) -> list[int]:
        """The log position up to which each partition is in every read model."""
        return list(self._passed)

    async def run(self) -> None:
        """Project until cancelled."""
        while True:
            try:
                await self.declare()
                while True:
                    started = time.monotonic()
                    if not await self.turn():
                        await self._reader.grown(self._seen(), _IDLE_SECONDS)
                    # A turn costs a dozen statements whatever it holds, so a trickle is gathered a little.
                    await asyncio.sleep(max(0.0, _TURN_SECONDS_MIN - (time.monotonic() - started)))
            except Exception as error:
                cause = type(error).__name__
                log.warning("projector starts again after %s: %s", cause, error, exc_info=not is_transient(error))
                await asyncio.sleep(_RETRY_SECONDS)

    def _seen(self) -> list[int]:
        # A partition that stands still has nothing to wake up for.
        heads = self._reader.heads
        return [heads[p] if p in self.stopped else passed for p, passed in enumerate(self._passed)]

    async def declare(self) -> None:
        """Make the tables of versions that are new. Raises ValueError where a version changed its shape."""
        for projection in self._projections:
            async with self._pool.acquire() as connection, connection.transaction():
                # Two replicas that start together must not both create the table.
                await connection.execute(_DECLARING, f"declare/{projection.name}")
                await self._declare(connection, projection)

    async def _declare(self, connection: Connection, projection: Projection) -> None:
        newer = await connection.fetchval(_NEWER, projection.name, projection.version)
        if newer is not None:
            # An older replica of a rolling deploy must not fill its version again, least of all swap it in.
            self._superseded[projection.name] = newer
            return
        self._superseded.pop(projection.name, None)
        shape = json.dumps([dict(projection.columns), list(projection.key)])
        known = await connection.fetchrow(_DECLARED, projection.name, projection.version)
        if known is not None:
            if known["shape"] != shape:
                raise ValueError(f"{projection.name} v{projection.version} changed its columns; raise its version")
            if known["live"]:
                self._live.add(projection.name)
            return
        for statement in (projection_sql.create_table(projection), *projection_sql.create_indexes(projection)):
            await connection.execute(statement)
        await connection.execute(_DECLARE, projection.name, projection.version, shape)
        for partition in self._reader.partitions:
            await connection.execute(_START, projection.name, projection.version, partition)
        if not await connection.fetchval(_OLDER, projection.name, projection.version):
            await self._swap_in(connection, projection)

    async def turn(self) -> bool:
        """Apply what is new; whether there was anything."""
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                checkpoints = await self._lock(connection)
                projections = [p for p in self._projections if (p.name, self._reader.partitions[0]) in checkpoints]
                # Later events are for the next turn: a new version would never catch up under steady traffic.
                heads = list(self._reader.heads)
                lowest = _lowest(projections, checkpoints, heads)
                events = [await self._events(partition, after) for partition, after in enumerate(lowest)]
                moved = await self._apply(connection, projections, checkpoints, events)
            self._passed = _lowest(projections, checkpoints, heads)
            await self._swap_in_what_caught_up(connection, projections, checkpoints, heads)
        if len(projections) + len(self._superseded) < len(self._projections):
            # A newer replica has swapped its version in and forgotten ours.
            await self.declare()
        self._metrics.projection_lag.set(self.lag)
        return moved

    async def _lock(self, connection: Connection) -> Checkpoints:
        names = [projection.name for projection in self._projections]
        versions = [projection.version for projection in self._projections]
        rows = await connection.fetch(_LOCK, names, versions)
        return {(row["projection"], row["partition"]): row["position"] for row in rows}

    async def _events(self, partition: int, after: int) -> Sequence[Recorded[Any]]:
        """The next events of a partition; none beyond one that this build does not know."""
        stopped, limit = self.stopped.get(partition), self._batch_events
        if stopped is not None and after >= stopped.position:
            # A newer replica has applied it.
            del self.stopped[partition]
        elif stopped is not None:
            limit = min(limit, stopped.position - 1 - after)
        while limit > 0:
            try:
                return await self._reader.read(partition, after, limit)
            except UnknownEvent as unknown:
                if limit == 1:
                    self.stopped[partition] = Stopped(after + 1, str(unknown))
                    log.error("read models of partition %d stop before position %d: %s", partition, after + 1, unknown)
                limit //= 2
        return ()

    async def _apply(
        self,
        connection: Connection,
        projections: Sequence[Projection],
        checkpoints: Checkpoints,
        events: Sequence[Sequence[Recorded[Any]]],
    ) -> bool:
        moves: list[tuple[str, int, int, int]] = []
        for projection in projections:
            # Give way between projections: a long stretch of work would delay commits and HTTP answers.
            await asyncio.sleep(0)
            batch = Batch(projection)
            for own in events:
                if not own:
                    continue
                place = (projection.name, own[0].partition)
                for recorded in own:
                    if recorded.position > checkpoints[place]:
                        batch = await _take(connection, projection, batch, recorded)
                if own[-1].position > checkpoints[place]:
                    checkpoints[place] = own[-1].position
                    moves.append((projection.name, projection.version, own[0].partition, own[-1].position))
            if batch.rows:
                await projection_sql.write(connection, projection, batch.rows)
                failpoints.hit("projector.rows_written")
        if moves:
            await connection.execute(_MOVE, *([move[i] for move in moves] for i in range(4)))
            failpoints.hit("projector.checkpoint_moved")
        return bool(moves)

    async def _swap_in_what_caught_up(
        self,
        connection: Connection,
        projections: Sequence[Projection],
        checkpoints: Checkpoints,
        heads: Sequence[int],
    ) -> None:
        for projection in projections:
            if projection.name in self._live:
                continue
            if all(
                checkpoints[projection.name, partition] >= heads[partition] for partition in self._reader.partitions
            ):
                async with connection.transaction():
                    await connection.execute(_DECLARING, f"declare/{projection.name}")
                    await connection.execute(_SWAP_TIMEOUT)
                    await self._swap_in(connection, projection)

    async def _swap_in(self, connection: Connection, projection: Projection) -> None:
        if await connection.fetchval(_NEWER, projection.name, projection.version):
            return
        older = [row["version"] for row in await connection.fetch(_OLDER, projection.name, projection.version)]
        await projection_sql.point_view(connection, projection, projection_sql.table_name(projection))
        for version in older:
            await connection.execute(f"drop table if exists read.{projection.name}_v{version}")
        failpoints.hit("projector.in_swap")
        await connection.execute(_FORGET, projection.name, projection.version)
        await connection.execute(_FORGET_CHECKPOINTS, projection.name, projection.version)
        await connection.execute(_LIVE, projection.name, projection.version)
        self._live.add(projection.name)


async def _take(connection: Connection, projection: Projection, batch: Batch, recorded: Recorded[Any]) -> Batch:
    """Take one more event; a removal is done at once, and what came before it is written first."""
    where = projection.removal(recorded)
    if where is None:
        batch.take(recorded)
        return batch
    await projection_sql.write(connection, projection, batch.rows)
    await projection_sql.remove(connection, projection, recorded.partition, where)
    return Batch(projection)


def _lowest(projections: Sequence[Projection], checkpoints: Checkpoints, heads: Sequence[int]) -> list[int]:
    """The position up to which each partition is in all of the projections; the heads where there are none."""
    return [
        min((checkpoints[projection.name, partition] for projection in projections), default=head)
        for partition, head in enumerate(heads)
    ]
