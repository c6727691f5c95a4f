"""Row: 64 writers that each append one event at a time, against the library `eventsourcing` on the same PostgreSQL.

Ours is `CommandHandler.commit` of a work with one command to a new stream; what waits shares a commit. Theirs is
`Application.save` of a new aggregate with the same fields, by 64 threads, with its PostgreSQL recorder.
"""

import itertools
from urllib.parse import urlsplit

import asyncpg

from tests.bench.append import commit_all
from tests.bench.measuring import Bench, Row, in_turns, rate_row
from tests.bench.peers import run_peer
from tests.bench.workload import Batch, counting, database, pool, tallies

WRITERS = 64
_NAME = f"append single events, {WRITERS} concurrent writers"
_AGAINST = f"eventsourcing, PostgreSQL recorder, {WRITERS} threads"


async def measure(bench: Bench) -> list[Row]:
    """Events a second on both sides."""
    each = 100 if bench.quick else 500
    seconds = 3 if bench.quick else 6
    turns = itertools.count()
    async with database(bench.servers.postgres, "singly") as dsn, pool(dsn) as own:

        async def ours() -> float:
            return await _kernel(own, f"turn-{next(turns)}", each)

        async def theirs() -> float:
            return await _library(bench, seconds)

        await ours()
        found, others = await in_turns(ours, theirs, bench.repetitions)
    return [rate_row(_NAME, _AGAINST, "events/s", found, others, at_least=5)]


async def _kernel(own: asyncpg.Pool, prefix: str, each: int) -> float:
    names = (name for _, name in tallies(prefix))
    return await commit_all(own, [[Batch([counting(next(names))]) for _ in range(each)] for _ in range(WRITERS)])


async def _library(bench: Bench, seconds: int) -> float:
    name = "bench_eventsourcing"
    admin = await asyncpg.connect(bench.servers.postgres)
    try:
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.execute(f"create database {name}")
        address = urlsplit(bench.servers.postgres)._replace(path=f"/{name}").geturl()
        found = await run_peer("peer_eventsourcing.py", address, WRITERS, seconds)
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()
    return float(found["events"]) / float(found["seconds"])
