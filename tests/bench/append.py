"""Row: appending batches of 100 events, against a plain multi-row insert of the same rows without a chain.

Ours is the whole path of a service: `CommandHandler.commit` of a work with 100 commands to 100 streams, so
locking heads, loading, deciding, folding, encoding, chaining, inserting, committing; eight works wait at a time, one
a partition. Theirs is eight writers, each with a connection and one `insert ... select from unnest` of 100 rows a
transaction, into a table with the same columns but the digest, and the same two unique indexes.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Sequence
from typing import Any

import asyncpg

from tests.bench.measuring import Bench, Row, in_turns, rate_row
from tests.bench.workload import (
    CONNECTIONS,
    PARTITIONS,
    Batch,
    as_superuser,
    batches,
    database,
    handler,
    pool,
)

SIZE = 100
_NAME = "append 100-event batches, 8 partitions, hash-chained"
_AGAINST = "asyncpg multi-row insert of the same rows, no chain"
_TABLE = """
create table public.raw_events (
    partition smallint not null, position bigint not null, stream text not null, version integer not null,
    type text not null, schema smallint not null, data bytea not null, meta bytea not null,
    recorded_at timestamptz not null,
    primary key (partition, position), unique (partition, stream, version)
)
"""
_ROWS = """
select partition, position, stream, version, type, schema, data, meta, recorded_at from log.events
 where partition = $1 order by position desc limit $2
"""
_INSERT = """
insert into public.raw_events
select * from unnest($1::smallint[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::smallint[],
                     $7::bytea[], $8::bytea[], $9::timestamptz[])
"""

Columns = list[Sequence[Any]]


async def measure(bench: Bench) -> list[Row]:
    """Events a second on both sides."""
    count = 20 if bench.quick else 150
    turns = itertools.count()
    async with database(bench.servers.postgres, "append") as dsn:
        superuser = as_superuser(bench.servers.postgres, dsn)
        async with pool(dsn) as own, asyncpg.create_pool(superuser, min_size=CONNECTIONS, max_size=CONNECTIONS) as raw:
            await raw.execute(_TABLE)
            # So that neither side pays for the first use of its connections and tables.
            await commit_all(own, batches("warm", 10, SIZE))
            await _plain(raw, await _rows(raw, 10))

            async def ours() -> float:
                return await commit_all(own, batches(f"turn-{next(turns)}", count, SIZE))

            async def theirs() -> float:
                await raw.execute("truncate public.raw_events")
                return await _plain(raw, await _rows(raw, count))

            await ours()
            found, others = await in_turns(ours, theirs, bench.repetitions)
    return [rate_row(_NAME, _AGAINST, "events/s", found, others, at_least=0.6)]


async def commit_all(own: asyncpg.Pool, work: Sequence[Sequence[Batch]]) -> float:
    """Commit the works of each writer one after the other, all writers at once; events a second."""
    commands = handler(own)
    running = asyncio.create_task(commands.run())

    async def write(lane: Sequence[Batch]) -> None:
        for batch in lane:
            await commands.commit(batch)

    started = time.perf_counter()
    await asyncio.gather(*(write(lane) for lane in work))
    seconds = time.perf_counter() - started
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return sum(len(batch.instructions) for lane in work for batch in lane) / seconds


async def _rows(raw: asyncpg.Pool, count: int) -> list[list[Columns]]:
    """What the kernel wrote last, as batches of columns for each partition."""
    found: list[list[Columns]] = []
    for partition in range(PARTITIONS):
        rows = [tuple(row) for row in reversed(await raw.fetch(_ROWS, partition, count * SIZE))]
        found.append([list(zip(*rows[start : start + SIZE], strict=True)) for start in range(0, len(rows), SIZE)])
    return found


async def _plain(raw: asyncpg.Pool, rows: Sequence[Sequence[Columns]]) -> float:
    async def write(lane: Sequence[Columns]) -> None:
        async with raw.acquire() as connection:
            for columns in lane:
                await connection.execute(_INSERT, *columns)

    started = time.perf_counter()
    await asyncio.gather(*(write(lane) for lane in rows))
    return sum(len(columns[0]) for lane in rows for columns in lane) / (time.perf_counter() - started)
