"""The projector: applies log events to read models, rows and checkpoint in one transaction.

A projection whose version is new fills a table of its own from position 0, and is swapped in by one
transaction when it has caught up; readers go on with the old version until then.
"""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from typing import Any

import asyncpg

from services.kernel import failpoints, projection_sql
from services.kernel.event_log import Connection
from services.kernel.log_reader import LogReader
from services.kernel.messages import Recorded
from services.kernel.observability import Metrics
from services.kernel.projection import Projection, RowChange

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
_OLDER = "select version from log.projections where name = $1 and version <> $2"
_FORGET = "delete from log.projections where name = $1 and version <> $2"
_FORGET_CHECKPOINTS = "delete from log.checkpoints where projection = $1 and version <> $2"
_LIVE = "update log.projections set live = true where name = $1 and version = $2"

log = logging.getLogger(__name__)

Checkpoints = dict[tuple[str, int], int]


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

    @property
    def lag(self) -> int:
        """Log events that are not in every read model yet."""
        return sum(h - p for h, p in zip(self._reader.heads, self._passed, strict=True))

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
                        await self._reader.grown(self._passed, _IDLE_SECONDS)
                    # A turn costs a dozen statements whatever it holds, so a trickle is gathered a little.
                    await asyncio.sleep(max(0.0, _TURN_SECONDS_MIN - (time.monotonic() - started)))
            except Exception as error:
                log.warning("projector starts again after %s: %s", type(error).__name__, error, exc_info=True)
                await asyncio.sleep(_RETRY_SECONDS)

    async def declare(self) -> None:
        """Make the tables of versions that are new. Raises ValueError where a version changed its shape."""
        for projection in self._projections:
            async with self._pool.acquire() as connection, connection.transaction():
                # Two replicas that start together must not both create the table.
                await connection.execute("select pg_advisory_xact_lock(hashtext($1))", f"declare/{projection.name}")
                await self._declare(connection, projection)

    async def _declare(self, connection: Connection, projection: Projection) -> None:
        shape = json.dumps([dict(projection.columns), list(projection.key)])
        known = await connection.fetchrow(_DECLARED, projection.name, projection.version)
        if known is not None:
            if known["shape"] != shape:
                raise ValueError(f"{projection.name} v{projection.version} changed its columns; raise its version")
            if known["live"]:
                self._live.add(projection.name)
            return
        for statement in projection_sql.create_statements(projection):
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
                # Later events are for the next turn: a new version would never catch up under steady traffic.
                heads = list(self._reader.heads)
                events = await self._events(checkpoints)
                moved = await self._apply(connection, checkpoints, events)
            self._passed = [
                min(checkpoints[projection.name, partition] for projection in self._projections)
                for partition in self._reader.partitions
            ]
            await self._swap_in_what_caught_up(connection, checkpoints, heads)
        self._metrics.projection_lag.set(self.lag)
        return moved

    async def _lock(self, connection: Connection) -> Checkpoints:
        names = [projection.name for projection in self._projections]
        versions = [projection.version for projection in self._projections]
        rows = await connection.fetch(_LOCK, names, versions)
        return {(row["projection"], row["partition"]): row["position"] for row in rows}

    async def _events(self, checkpoints: Checkpoints) -> list[Sequence[Recorded[Any]]]:
        return [
            await self._reader.read(
                partition,
                min(checkpoints[projection.name, partition] for projection in self._projections),
                self._batch_events,
            )
            for partition in self._reader.partitions
        ]

    async def _apply(
        self, connection: Connection, checkpoints: Checkpoints, events: Sequence[Sequence[Recorded[Any]]]
    ) -> bool:
        moves: list[tuple[str, int, int, int]] = []
        for projection in self._projections:
            # Give way between projections: a long stretch of work would delay commits and HTTP answers.
            await asyncio.sleep(0)
            changes: list[tuple[int, RowChange]] = []
            for own in events:
                if not own:
                    continue
                place = (projection.name, own[0].partition)
                for recorded in own:
                    if recorded.position > checkpoints[place]:
                        changes.extend((recorded.partition, change) for change in projection.changes(recorded))
                if own[-1].position > checkpoints[place]:
                    checkpoints[place] = own[-1].position
                    moves.append((projection.name, projection.version, own[0].partition, own[-1].position))
            if changes:
                await projection_sql.write(connection, projection, projection_sql.merge(projection, changes))
                failpoints.hit("projector.rows_written")
        if moves:
            await connection.execute(_MOVE, *([move[i] for move in moves] for i in range(4)))
            failpoints.hit("projector.checkpoint_moved")
        return bool(moves)

    async def _swap_in_what_caught_up(
        self, connection: Connection, checkpoints: Checkpoints, heads: Sequence[int]
    ) -> None:
        for projection in self._projections:
            if projection.name in self._live:
                continue
            if all(
                checkpoints[projection.name, partition] >= heads[partition] for partition in self._reader.partitions
            ):
                async with connection.transaction():
                    await self._swap_in(connection, projection)

    async def _swap_in(self, connection: Connection, projection: Projection) -> None:
        older = [row["version"] for row in await connection.fetch(_OLDER, projection.name, projection.version)]
        await connection.execute(f"drop view if exists read.{projection.name}")
        table = projection_sql.table_name(projection)
        await connection.execute(f"create view read.{projection.name} as select * from {table}")
        for version in older:
            await connection.execute(f"drop table if exists read.{projection.name}_v{version}")
        failpoints.hit("projector.in_swap")
        await connection.execute(_FORGET, projection.name, projection.version)
        await connection.execute(_FORGET_CHECKPOINTS, projection.name, projection.version)
        await connection.execute(_LIVE, projection.name, projection.version)
        self._live.add(projection.name)
