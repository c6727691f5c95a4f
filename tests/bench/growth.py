"""Rows: what an append, the load of a stream and a query by id cost in a log of 10 million events and of 100 thousand.

Two databases on one server, filled by COPY with ready-chained events in streams of four, and their read model; then
measured in turns, so that what else the machine does meets both. The benchmark's own server makes no checkpoint
meanwhile: after one, each page of the unique index is written whole to the WAL when it is first changed. That costs by
the page, not by the event: at 10 million events 77,000 pages, shared by the 1.5 million events that come between two
checkpoints of a log that is written at full speed.
"""

import asyncio
import itertools
import json
import random
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from pydantic import BaseModel

from infra.errors import ServerFailed
from services.kernel.codec import EventCodec
from services.kernel.log.log_reader import LogReader
from services.kernel.observability import Metrics
from services.kernel.projecting.projector import Projector
from services.kernel.read_models import ReadModels
from tests.bench.append import SIZE, commit_all
from tests.bench.filling import EVENTS_A_STREAM, stream_name
from tests.bench.measuring import Bench, Row, cost_row, in_turns
from tests.bench.workload import PARTITIONS, as_superuser, batches, database, pool
from tests.support.tally import tally_service

SMALL = 100_000
_AGAINST = f"the same at {SMALL:,} events"
_BYTES_AN_EVENT = 1_500
"""On disk: rows, indexes, read model and WAL."""

_FILLERS = 2
_SAMPLES = 1_500
_QUERY = "select tally, total from tally_total where partition = $1 and tally = $2"
_SETTLE = "vacuum (analyze) log.events, read.tally_total_v1"


class Total(BaseModel):
    """A row of the read model."""

    tally: str
    total: int


@dataclass(frozen=True, slots=True)
class _Log:
    """A filled log with what reads it."""

    pool: asyncpg.Pool
    reader: LogReader
    read: ReadModels
    streams: int
    """In each partition."""


async def measure(bench: Bench) -> list[Row]:
    """Microseconds an operation on both logs."""
    events = SMALL * 10 if bench.quick else SMALL * 100
    free = shutil.disk_usage(bench.folder).free
    if free < events * _BYTES_AN_EVENT:
        raise ServerFailed(
            f"growth needs {events * _BYTES_AN_EVENT / 1e9:.0f} GB in {bench.folder}; {free / 1e9:.0f} are free"
        )
    async with _filled(bench, "large", events) as large, _filled(bench, "small", SMALL) as small:
        rows = []
        for name, unit, cost in (
            (f"append batches of {SIZE}", "µs an event", _append),
            ("load of a stream", "µs", _load),
            ("query by id", "µs", _query),
        ):
            await _warmed(cost, large, small)
            found, others = await in_turns(_side(cost, large), _side(cost, small), bench.repetitions + 2)
            rows.append(cost_row(f"{name} at {events:,} events", _AGAINST, unit, found, others, at_most=1.1))
    return rows


Cost = Callable[[_Log, str], Awaitable[float]]
_turns = itertools.count()


def _side(cost: Cost, log: _Log) -> Callable[[], Awaitable[float]]:
    return lambda: cost(log, f"turn-{next(_turns)}")


async def _warmed(cost: Cost, *logs: _Log) -> None:
    for log in logs:
        await cost(log, f"warm-{next(_turns)}")


@asynccontextmanager
async def _filled(bench: Bench, name: str, events: int) -> AsyncIterator[_Log]:
    definition = tally_service(name)
    async with database(bench.servers.postgres, name) as dsn, pool(dsn) as own:
        reader = LogReader(own, EventCodec(definition.events), PARTITIONS)
        await Projector(own, definition.projections, reader, Metrics(name), 1).declare()
        started = time.monotonic()
        superuser = as_superuser(bench.servers.postgres, dsn)
        each = events // PARTITIONS // EVENTS_A_STREAM * EVENTS_A_STREAM
        await asyncio.gather(*(_fill(superuser, filler, each) for filler in range(_FILLERS)))
        connection = await asyncpg.connect(superuser)
        try:
            await connection.execute(_SETTLE)
            size = await connection.fetchval("select pg_size_pretty(pg_database_size(current_database()))")
        finally:
            await connection.close()
        await reader.refresh()
        bench.say(f"growth: {each * PARTITIONS:,} events in {time.monotonic() - started:.0f} s, {size}")
        yield _Log(own, reader, ReadModels(own), each // EVENTS_A_STREAM)


async def _fill(dsn: str, filler: int, each: int) -> None:
    """One process of several that fill; each takes every n-th partition."""
    own = json.dumps(list(range(filler, PARTITIONS, _FILLERS)))
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bench.filling", dsn, own, str(each))
    try:
        if await process.wait():
            raise ServerFailed("the log for the row growth could not be filled, see above")
    except asyncio.CancelledError:
        process.kill()
        raise


async def _append(log: _Log, turn: str) -> float:
    return 1e6 / await commit_all(log.pool, batches(turn, 5, SIZE))


async def _load(log: _Log, turn: str) -> float:
    async def load(partition: int, tally: str) -> None:
        async with log.pool.acquire() as connection:
            events = await log.reader.read_stream(connection, partition, f"tally-{tally}")
        if len(events) != EVENTS_A_STREAM:
            raise RuntimeError(f"the stream of {tally} has {len(events)} events")

    return await _mean(log, turn, load)


async def _query(log: _Log, turn: str) -> float:
    async def query(partition: int, tally: str) -> None:
        if await log.read.one(Total, _QUERY, partition, tally) is None:
            raise RuntimeError(f"there is no row of {tally}")

    return await _mean(log, turn, query)


async def _mean(log: _Log, turn: str, work: Callable[[int, str], Awaitable[None]]) -> float:
    """Microseconds of one piece of work, over streams from all over the log."""
    chance = random.Random(turn)
    lanes = [n % PARTITIONS for n in range(_SAMPLES)]
    chosen = [(lane, stream_name(lane, chance.randrange(log.streams))) for lane in lanes]
    started = time.perf_counter()
    for partition, tally in chosen:
        await work(partition, tally)
    return (time.perf_counter() - started) / len(chosen) * 1e6
