"""`pledger rebuild` is killed as a whole: nothing of it stays, readers notice nothing, and it can be run again."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
import pytest

from contracts.topics import PARTITIONS_DEFAULT
from infra.local.process import wait_gone
from infra.servers import Servers
from infra.stack_file import Stack, write_stack
from services.cli.stack import DATABASE_PREFIX
from services.kernel import postgres
from services.kernel.codec import EventCodec
from services.kernel.projecting import shadow
from services.kernel.projecting.narrowing import WHOLE
from services.kernel.projecting.rebuild import rebuild
from services.kernel.projecting.replay import Replay
from services.kernel.projecting.shadow import Purpose
from services.policy.app import DEFINITION
from services.policy.projections.policy_term import policy_term
from tests.bench.rebuild import write_policy_log
from tests.support.running import eventually

EVENTS = 400
_COMMAND = """
from services.cli import main
from services.kernel.projecting import replay

replay._EVENTS_A_PROCESS, replay._CATCH_UP_EVENTS = 1, 0
main()
"""
"""`pledger`, which leaves also a small log to worker processes."""
GONE_SECONDS_MAX = 30.0
_ROWS = "select count(*) as rows, count(*) filter (where currency = 'XXX') as old from policy_term"
_SESSIONS = "select count(*) from pg_stat_activity where application_name = 'replay' and datname = current_database()"


@dataclass(frozen=True, slots=True)
class Policies:
    """A database of the policy service, and where the command line finds it."""

    dsn: str
    pool: asyncpg.Pool
    data: Path

    def start_rebuild(self) -> "subprocess.Popen[str]":
        """Start `pledger rebuild policy --projection policy_term` with two workers."""
        return subprocess.Popen(
            [
                *(sys.executable, "-c", _COMMAND, "rebuild", "policy"),
                *("--projection", "policy_term", "--workers", "2"),
            ],
            env={**os.environ, "LEDGER_DATA": str(self.data)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    async def rebuild(self) -> str:
        """Run it to its end; returns what it said."""
        process = self.start_rebuild()
        said, _ = await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, said
        return said

    async def rows(self) -> tuple[int, int]:
        """How many rows readers see, and how many of these are the old ones."""
        async with self.pool.acquire() as connection:
            found = await connection.fetchrow(_ROWS)
        assert found is not None
        return found["rows"], found["old"]

    async def waits(self) -> bool:
        """Whether a worker waits for a lock."""
        return bool(await self.pool.fetchval(f"{_SESSIONS} and wait_event_type = 'Lock'"))

    async def no_sessions(self) -> bool:
        """Whether no session of a replay is left."""
        return not await self.pool.fetchval(_SESSIONS)


@pytest.fixture
async def policies(servers: Servers, tmp_path: Path) -> AsyncIterator[Policies]:
    """Some hundred events, folded by a first rebuild."""
    dsn = await postgres.provision(servers.postgres, "policy", DATABASE_PREFIX, PARTITIONS_DEFAULT)
    try:
        await write_policy_log(dsn, EVENTS)
        created = psutil.Process().create_time()
        write_stack(tmp_path, Stack(os.getpid(), created, servers.kafka, servers.postgres, urls={}))
        async with await postgres.open_pool(dsn, size=4) as pool:
            await rebuild(Replay(dsn=dsn, codec=EventCodec(DEFINITION.events), projection=policy_term))
            yield Policies(dsn, pool, tmp_path)
    finally:
        await postgres.drop(servers.postgres, "policy", DATABASE_PREFIX)


async def test_it_leaves_no_process_readers_see_the_old_rows_and_it_goes_on(policies: Policies) -> None:
    assert await policies.rows() == (EVENTS, 0)
    await policies.pool.execute("update policy_term set currency = 'XXX'")
    await _killed_half_way(policies)
    assert await policies.rows() == (EVENTS, EVENTS)
    async with policies.pool.acquire() as connection:
        (left,) = await shadow.leftovers(connection)
    assert left.projection == policy_term.name
    said = await policies.rebuild()
    assert f"an earlier run was stopped; going on after {left.events} events" in " ".join(said.split())
    assert await policies.rows() == (EVENTS, 0)
    async with policies.pool.acquire() as connection:
        assert await shadow.leftovers(connection) == []


async def _killed_half_way(policies: Policies) -> None:
    """Kill the command, and only that, while a worker waits for the checkpoint of a partition."""
    shape, made = shadow.shape_of(policy_term, WHOLE), shadow.shadow_of(policy_term, Purpose.REBUILD)
    connection = await postgres.connect(policies.dsn)
    try:
        # Silent in a transaction for as long as the command takes to start.
        await connection.execute("set idle_in_transaction_session_timeout = 0")
        await shadow.open_shadow(connection, made, shape, range(PARTITIONS_DEFAULT), fresh=True)
        async with connection.transaction():
            held = "select from log.checkpoints where projection = $1 and partition = 3 for update"
            await connection.execute(held, made.name)
            process = policies.start_rebuild()
            try:
                await eventually(policies.waits, "a worker waits for the checkpoint")
                workers = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                await asyncio.to_thread(process.communicate)
                assert len(workers) == 2
                # While the lock that one of them waits for is still held.
                assert await asyncio.to_thread(wait_gone, workers, GONE_SECONDS_MAX), workers
                assert await policies.rows() == (EVENTS, EVENTS)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.communicate()
    finally:
        await connection.close()
    await eventually(policies.no_sessions, "no session of the killed rebuild is left")
