"""How fast the log is verified, beside sha256 over the same bytes. `python -m tests.bench.verify` prints all."""

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from infra.servers import running_servers
from services.cli.console import console, table
from services.kernel import postgres
from services.kernel.log import event_log
from services.kernel.log.chain import Link
from services.kernel.log.event_log import Head
from services.kernel.proof.chain_walk import ROWS
from services.kernel.proof.verify import verify_log
from services.kernel.proof.verify_jobs import ChainJob, ChainPart, run_jobs
from tests.bench.workload import as_superuser

PARTITIONS = 8
EVENTS = 400_000
PAGE = 10_000
ROUNDS = 3
_TIMES = 8
"""So often is the log walked on all cores: a process takes half a second to start, one walk a second and a half."""

_SERVICE, _PREFIX = "verify", "bench"
_START = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rate:
    """Events a second by the clock, and by the processor time of this process, which other programs do not change."""

    clock: float
    processor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRates:
    """Verified in one process and on all cores, and what each part of it would allow alone."""

    one_process: Rate
    sha256_an_event: Rate
    sha256_as_chained: Rate
    transport: Rate
    all_cores: float
    event_bytes: int


async def verify_rates(admin_dsn: str, events: int = EVENTS) -> tuple[float, float, float]:
    """Events/s of verifying in one process, of sha256 over the same bytes in one process, of verifying on all cores."""
    found = await measure(admin_dsn, events)
    return found.one_process.clock, found.sha256_an_event.clock, found.all_cores


async def measure(admin_dsn: str, events: int = EVENTS) -> VerifyRates:
    """Fill a log of its own with chained events of usual size, and measure; the log is dropped again."""
    dsn = await postgres.provision(admin_dsn, _SERVICE, _PREFIX, PARTITIONS)
    try:
        connection = await asyncpg.connect(as_superuser(admin_dsn, dsn))
        try:
            await _fill(connection, events)
            return await _measured(connection, dsn, events)
        finally:
            await connection.close()
    finally:
        await postgres.drop(admin_dsn, _SERVICE, _PREFIX)


async def _fill(connection: asyncpg.Connection, events: int) -> None:
    for partition, genesis in (await event_log.heads(connection)).items():
        head = genesis
        for start in range(0, events // PARTITIONS, PAGE):
            page = [_link(partition, start + place + 1) for place in range(min(PAGE, events // PARTITIONS - start))]
            stored = event_log.chained(head, page)
            await event_log.append(connection, {partition: stored})
            head = Head(stored[-1].link.position, stored[-1].digest)
    await connection.execute("vacuum analyze log.events")


def _link(partition: int, position: int) -> Link:
    """One of four events of a stream, two of which come of one command, in the sizes of the generated book."""
    stream, version = divmod(position - 1, 4)
    mark = hashlib.sha256(b"%d/%d" % (partition, position)).hexdigest()
    return Link(
        partition,
        position,
        f"application-{stream:016d}",
        version + 1,
        "application.accepted" if version % 2 else "application.submitted",
        1,
        b'{"premium_minor":%d,"terms":"%s"}' % (position, mark.encode() * 7),
        b'{"cause":"quote/%d/%d"}' % (partition, position // 2),
        _START + timedelta(milliseconds=position),
    )


async def _measured(connection: asyncpg.Connection, dsn: str, events: int) -> VerifyRates:
    rows = await connection.fetch("select * from log.events where partition = 0 order by position limit 50000")
    contents = [(row["data"], row["meta"], f"{row['stream']}{row['type']}".encode() + bytes(99)) for row in rows]
    whole = [b"".join(parts) for parts in contents]

    async def verified() -> int:
        found = await verify_log(connection)
        if found.findings:
            raise RuntimeError(f"a log that nobody touched does not verify: {found.findings}")
        return found.events

    async def hashed() -> int:
        for content in whole:
            hashlib.sha256(content).digest()
        return len(whole)

    async def hashed_as_chained() -> int:
        for data, meta, header in contents:
            hashlib.sha256(data).digest()
            hashlib.sha256(meta).digest()
            hashlib.sha256(header).digest()
        return len(contents)

    async def copied() -> int:
        async def ignore(chunk: bytes) -> None:
            del chunk

        done = 0
        for partition in range(PARTITIONS):
            status = await connection.copy_from_query(ROWS, partition, 0, events, output=ignore, format="binary")
            done += int(status.split()[1])
        return done

    # In turn, so that a machine that is busy with other things is so for all of them.
    one_process, sha256_an_event, sha256_as_chained, transport = await _best_in_turn(
        verified, hashed, hashed_as_chained, copied
    )
    return VerifyRates(
        one_process=one_process,
        sha256_an_event=sha256_an_event,
        sha256_as_chained=sha256_as_chained,
        transport=transport,
        all_cores=await asyncio.to_thread(_on_all_cores, dsn, events),
        event_bytes=len(whole[0]),
    )


async def _best_in_turn(*measures: Callable[[], Awaitable[int]]) -> list[Rate]:
    best = [Rate(0, 0)] * len(measures)
    for _ in range(ROUNDS):
        for place, once in enumerate(measures):
            clock, processor = time.perf_counter(), time.process_time()
            done = await once()
            clock, processor = time.perf_counter() - clock, time.process_time() - processor
            best[place] = Rate(max(best[place].clock, done / clock), max(best[place].processor, done / processor))
    return best


def _on_all_cores(dsn: str, events: int) -> float:
    """With the start of the processes. The log is walked several times, as if it were so much larger."""
    part = ChainPart(0, events // PARTITIONS)
    jobs = [ChainJob(_SERVICE, dsn, (replace(part, partition=partition),)) for partition in range(PARTITIONS)] * _TIMES
    started = time.perf_counter()
    outcomes = run_jobs(jobs, os.cpu_count() or 1, lambda more: None)
    return sum(outcome.checked for outcome in outcomes) / (time.perf_counter() - started)


def main() -> None:
    """Measure on servers of its own."""
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder, running_servers(Path(folder), print) as servers:
        found = asyncio.run(measure(servers.postgres))
    compared = {
        "verify": found.one_process,
        "sha256, one call an event": found.sha256_an_event,
        "sha256, three calls as the chain asks for": found.sha256_as_chained,
        "COPY out of the log and nothing else": found.transport,
    }
    rows = [
        (
            what,
            round(rate.clock),
            f"{found.one_process.clock / rate.clock:.2f}",
            round(rate.processor),
            f"{found.one_process.processor / rate.processor:.2f}",
        )
        for what, rate in compared.items()
    ]
    title = f"Events of {found.event_bytes} bytes a second in one process, on {os.cpu_count()} cores"
    columns = ("what", "by the clock", "verify / this", "by processor time", "verify / this")
    console.print(table(title, *columns, rows=rows))
    console.print(f"On all cores, with the start of processes: {found.all_cores:,.0f} events/s by the clock")


if __name__ == "__main__":
    main()
