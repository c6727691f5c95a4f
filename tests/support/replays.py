"""What tests of replays share: a tally's log with something in it, its rows, and readers that never stop reading."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
from pydantic import BaseModel

from contracts.topics import lane_of
from services.kernel.log import event_log
from services.kernel.log.chain import Link
from services.kernel.process.runtime import Kernel
from services.kernel.projecting import projection_sql
from services.kernel.projecting.replay import Replay
from services.kernel.projection import Projection
from services.kernel.read_models import ReadModels
from tests.support.running import PARTITIONS, Home
from tests.support.tally import Close, Count, Event, opening, tally_total, to

ROWS = "select partition, tally, total, counts, status from tally_total order by tally"
TALLIES = ("t1", "t2", "t3", "t4", "t5")


class _Counts(BaseModel):
    counts: int | None


def replay_of(home: Home, projection: Projection | None = None, **fields: Any) -> Replay:
    """A replay of `tally_total`, or of another read model, in this process unless `workers` says otherwise."""
    return Replay(dsn=home.dsn, codec=home.codec, projection=projection or tally_total(), **fields)


async def write_tallies(home: Home, kernel: Kernel) -> None:
    """Five tallies with ten counts each; every other one is closed."""
    for number, tally in enumerate(TALLIES, 1):
        await home.execute(kernel, opening(tally, "shop", f"O-{tally}"))
        await asyncio.gather(*(home.execute(kernel, to(tally, Count(tally, number))) for _ in range(10)))
        if number % 2:
            await home.execute(kernel, to(tally, Close(tally)))
    await home.quiet(kernel)


@asynccontextmanager
async def written(home: Home) -> AsyncIterator[asyncpg.Pool]:
    """The five tallies in log and read model, the service stopped again; a pool to look at them."""
    async with home.kernel() as kernel:
        await write_tallies(home, kernel)
    async with home.pool() as pool:
        yield pool


async def append(home: Home, *events: tuple[str, Event, datetime | None]) -> None:
    """Put events of streams straight into the log, each with the moment at which it was recorded."""
    async with home.superuser() as connection, connection.transaction():
        heads = await event_log.lock_heads(connection, range(PARTITIONS))
        rows = await connection.fetch("select stream, max(version) as version from log.events group by stream")
        versions = {row["stream"]: row["version"] for row in rows}
        links: dict[int, list[Link]] = {}
        for stream, event, moment in events:
            partition = lane_of(event.tally, PARTITIONS)
            own = links.setdefault(partition, [])
            versions[stream] = versions.get(stream, 0) + 1
            place = (partition, heads[partition].position + len(own) + 1, stream, versions[stream])
            stored = home.codec.encode(event)
            at = moment or datetime(2026, 1, 5, tzinfo=UTC)
            own.append(Link(*place, event.event_type, event.schema_version, stored, b"{}", at))
        await event_log.append(connection, {p: event_log.chained(heads[p], own) for p, own in links.items()})


async def declare_filled(connection: event_log.Connection, projection: Projection) -> None:
    """Make table and view of a read model that stands at the end of the log and holds nothing."""
    await connection.execute(projection_sql.create_table(projection))
    for statement in projection_sql.create_indexes(projection):
        await connection.execute(statement)
    await projection_sql.point_view(connection, projection, projection_sql.table_name(projection))
    await connection.execute(
        "insert into log.projections values ($1, $2, true, '')", projection.name, projection.version
    )
    await connection.execute(
        "insert into log.checkpoints select $1, $2, partition, position from log.log_head",
        projection.name,
        projection.version,
    )


async def tables(home: Home) -> list[str]:
    """All tables of the schema of read models."""
    async with home.superuser() as connection:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = 'read' order by 1")
        return [row["tablename"] for row in rows]


@dataclass
class Reader:
    """Reads the model over and over, and remembers how many counts it saw each time; any error ends it."""

    pool: asyncpg.Pool
    sql: str
    seen: list[int] = field(default_factory=list)
    ended: bool = False

    async def loop(self) -> None:
        """Read until told to end."""
        while not self.ended:
            rows = await ReadModels(self.pool).many(_Counts, self.sql)
            self.seen.append(sum(row.counts or 0 for row in rows))


@asynccontextmanager
async def readers(home: Home, *sqls: str) -> AsyncIterator[Sequence[Reader]]:
    """One reader for each statement, on pools as the service has them; leaving raises what any of them met."""
    async with home.pool() as pool:
        found = [Reader(pool, sql) for sql in sqls]
        reading = [asyncio.create_task(reader.loop()) for reader in found]
        try:
            yield found
        finally:
            for reader in found:
                reader.ended = True
            await asyncio.gather(*reading)
