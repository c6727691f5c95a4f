"""Rebuild: the same rows from the log, swapped in or put right in place, unseen by readers and without side effects."""

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import psutil
import pytest

from contracts.topics import lane_of
from services.kernel.errors import ReplayRefused
from services.kernel.projecting import filling, shadow
from services.kernel.projecting.narrowing import Narrowing
from services.kernel.projecting.rebuild import rebuild
from services.kernel.projecting.shadow import Purpose
from services.kernel.projection import Add
from tests.support.replays import (
    ROWS,
    append,
    readers,
    replay_of,
    tables,
    write_tallies,
    written,
)
from tests.support.running import PARTITIONS, Home, eventually
from tests.support.tally import Count, Counted, tally_total, to

SPOIL = "update tally_total set total = -1, status = 'spoilt'"
SHADOW = shadow.shadow_of(tally_total(), Purpose.REBUILD)


async def test_a_rebuild_gives_the_same_rows_again_and_again_while_commands_go_on(home: Home) -> None:
    async with home.kernel() as kernel, home.pool() as pool:
        await write_tallies(home, kernel)
        right = await pool.fetch(ROWS)
        await pool.execute(SPOIL)
        heard: list[tuple[int, int]] = []
        for run in range(1, 3):
            writing = asyncio.gather(*(home.execute(kernel, to("t2", Count("t2", 0))) for _ in range(20)))
            done = await rebuild(replay_of(home, progress=lambda *progress: heard.append(progress)))
            await writing
            assert heard[-1] == (done.events, done.events)
            await home.quiet(kernel)
            now = await pool.fetch(ROWS)
            assert [row for row in now if row["tally"] != "t2"] == [row for row in right if row["tally"] != "t2"]
            (counted,) = [row for row in now if row["tally"] == "t2"]
            assert (counted["total"], counted["counts"], counted["status"]) == (20, 10 + 20 * run, "open")
    assert await tables(home) == ["tally_total_v1"]


async def test_readers_see_whole_rows_through_rebuilds_and_a_new_version(home: Home) -> None:
    async with home.kernel() as kernel:
        await write_tallies(home, kernel)
    sqls = ("select tally, counts from tally_total", "select * from tally_total", "select counts from tally_total")
    wider = tally_total(2, opened_at="timestamptz")
    # The view can be replaced where columns are added, and must be made anew where they are others.
    others = replace(tally_total(3), columns=dict(reversed(list(tally_total().columns.items()))))
    async with readers(home, *sqls) as reading, home.pool() as pool:
        for projection in (tally_total(), wider, others):
            async with home.kernel(projections=(projection,)) as kernel:

                async def live(version: int = projection.version) -> bool:
                    await home.execute(kernel, to("t1", Count("t1", 1)))
                    return bool(await pool.fetchval("select live from log.projections where version = $1", version))

                await eventually(live, "the version is live while events keep coming")
                for _ in range(3):
                    writing = asyncio.gather(*(home.execute(kernel, to("t1", Count("t1", 1))) for _ in range(5)))
                    await rebuild(replay_of(home, projection))
                    await writing
    for reader in reading:
        assert len(reader.seen) > 10
        assert min(reader.seen) == 50
        assert reader.seen == sorted(reader.seen)


async def test_what_was_granted_on_the_view_stays_through_a_rebuild(home: Home) -> None:
    async with written(home) as pool:
        await pool.execute("grant select on read.tally_total to public")
        await rebuild(replay_of(home))
        assert await pool.fetchval("select relacl::text like '%=r/%' from pg_class where relname = 'tally_total'")


async def test_a_rebuild_of_a_model_that_lags_counts_nothing_twice(home: Home) -> None:
    async with written(home) as pool:
        right = await pool.fetch(ROWS)
        await pool.execute("delete from tally_total")
        await pool.execute("update log.checkpoints set position = position / 2")
        await rebuild(replay_of(home))
        assert await pool.fetch(ROWS) != right
    async with home.kernel() as kernel:
        await home.quiet(kernel)
        async with home.pool() as pool:
            assert await pool.fetch(ROWS) == right


async def test_a_model_that_was_never_filled_cannot_be_rebuilt(home: Home) -> None:
    with pytest.raises(ReplayRefused, match="tally_total v1 is not in the database; start its service once"):
        await rebuild(replay_of(home))
    async with written(home) as pool:
        await pool.execute("update log.projections set live = false")
        with pytest.raises(ReplayRefused, match="tally_total v1 is being filled by its service"):
            await rebuild(replay_of(home))


async def test_a_second_rebuild_of_one_model_is_refused_while_the_first_runs(home: Home) -> None:
    async with written(home) as pool, pool.acquire() as connection:
        await shadow.claim(connection, tally_total())
        with pytest.raises(ReplayRefused, match="another rebuild or comparison of tally_total is running"):
            await rebuild(replay_of(home))
        await shadow.release(connection, tally_total())
        assert (await rebuild(replay_of(home))).events == 58


async def test_rows_are_the_same_whatever_is_flushed_at_a_time(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async with written(home) as pool:
        right = await pool.fetch(ROWS)
        for flush_events in (1, 2, 7):
            monkeypatch.setattr(filling, "_PAGE_EVENTS", flush_events)
            monkeypatch.setattr(filling, "_FLUSH_EVENTS", flush_events)
            await pool.execute(SPOIL)
            await rebuild(replay_of(home))
            assert await pool.fetch(ROWS) == right


async def test_worker_processes_fill_the_same_rows(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.kernel.projecting.replay._EVENTS_A_PROCESS", 1)
    async with written(home) as pool:
        right = await pool.fetch(ROWS)
        await pool.execute(SPOIL)
        await append(home, *((f"tally-w{n % 9}", Counted(tally=f"w{n % 9}", amount=n), None) for n in range(2_500)))
        await pool.execute(
            "update log.checkpoints c set position = (select position from log.log_head h "
            "where h.partition = c.partition)"
        )
        assert (await rebuild(replay_of(home, workers=2))).events == 58 + 2_500
        rows = await pool.fetch(ROWS)
    assert [row for row in rows if row["tally"].startswith("t")] == right
    assert sum(row["total"] for row in rows if row["tally"].startswith("w")) == sum(range(2_500))
    assert _workers() == []


class _Killed(Exception):
    pass


async def _stopped_half_way(home: Home, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> int:
    """Stop a rebuild after some flushes; returns how many events its shadow has passed."""
    monkeypatch.setattr(filling, "_PAGE_EVENTS", 5)
    monkeypatch.setattr(filling, "_FLUSH_EVENTS", 5)
    passed = 0

    def stop(events: int, total: int) -> None:
        nonlocal passed
        passed = events
        if events > total / 2:
            raise _Killed

    with pytest.raises(_Killed):
        await rebuild(replay_of(home, progress=stop, **fields))
    return passed


async def test_a_rebuild_that_was_stopped_goes_on_where_it_stood(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async with written(home) as pool:
        right = await pool.fetch(ROWS)
        await pool.execute(SPOIL)
        monkeypatch.setattr("services.kernel.projecting.replay._CATCH_UP_EVENTS", 0)
        passed = await _stopped_half_way(home, monkeypatch)
        assert {row["status"] for row in await pool.fetch(ROWS)} == {"spoilt"}
        said: list[str] = []
        done = await rebuild(replay_of(home, say=said.append))
        assert done.events == 58 - passed
        assert said == [f"tally_total: an earlier run was stopped; going on after {passed} events"]
        assert await pool.fetch(ROWS) == right
        assert await shadow.leftovers(pool) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("why", ["fresh", "declaration", "fold", "limits"])
async def test_a_rebuild_starts_again_where_what_was_filled_is_of_no_use(
    home: Home, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    changed = tally_total()
    if why == "fold":
        changed.appliers[Counted] = lambda event, recorded: Add({"tally": event.tally}, {"total": 2})
    if why == "declaration":
        changed = replace(changed, indexes=(("status",),))
    limits = Narrowing(partitions=tuple(range(PARTITIONS))) if why == "limits" else Narrowing()
    async with written(home):
        monkeypatch.setattr("services.kernel.projecting.replay._CATCH_UP_EVENTS", 0)
        await _stopped_half_way(home, monkeypatch)
        again = replay_of(home, changed, fresh=why == "fresh", narrowing=limits)
        assert (await rebuild(again)).events == 58


async def test_what_a_stopped_rebuild_left_is_listed_and_can_be_removed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with written(home) as pool, pool.acquire() as connection:
        monkeypatch.setattr("services.kernel.projecting.replay._CATCH_UP_EVENTS", 0)
        passed = await _stopped_half_way(home, monkeypatch)
        (left,) = await shadow.leftovers(connection)
        assert (left.projection, left.version, left.purpose, left.events) == ("tally_total", 1, "rebuild", passed)
        async with pool.acquire() as other:
            await shadow.claim(other, tally_total())
            assert not await shadow.discard(connection, left)  # type: ignore[arg-type]
            await shadow.release(other, tally_total())
        assert await shadow.discard(connection, left)  # type: ignore[arg-type]
        assert await shadow.leftovers(connection) == []
    assert await tables(home) == ["tally_total_v1"]


async def test_a_worker_that_is_killed_ends_the_rebuild_and_the_next_one_goes_on(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.kernel.projecting.replay._CATCH_UP_EVENTS", 0)
    monkeypatch.setattr("services.kernel.projecting.replay._EVENTS_A_PROCESS", 1)
    shape = shadow.shape_of(tally_total(), Narrowing())
    async with written(home) as pool, pool.acquire() as connection:
        right = await pool.fetch(ROWS)
        await pool.execute(SPOIL)
        await shadow.open_shadow(connection, SHADOW, shape, range(PARTITIONS), fresh=True)
        async with connection.transaction():
            # The worker fills what it can and waits for this row.
            held = "select from log.checkpoints where projection = $1 and partition = $2 for update"
            await connection.execute(held, SHADOW.name, lane_of("t1", PARTITIONS))
            running = asyncio.create_task(rebuild(replay_of(home, workers=1)))
            await eventually(lambda: _replays(pool, " and wait_event_type = 'Lock'", 1), "the worker waits")
            (worker,) = _workers()
            worker.kill()
            with pytest.raises(Exception, match="a worker of the replay ended with code -9"):
                await running
        await eventually(lambda: _replays(pool, "", 0), "the killed worker's session has ended")
        assert "spoilt" in [row["status"] for row in await pool.fetch(ROWS)]
        await rebuild(replay_of(home, workers=1))
        assert await pool.fetch(ROWS) == right


def _workers() -> list[psutil.Process]:
    return [
        child for child in psutil.Process().children() if "services.kernel.projecting.replay_worker" in child.cmdline()
    ]


async def _replays(pool: asyncpg.Pool, condition: str, wanted: int) -> bool:
    sql = "select count(*) from pg_stat_activity where application_name = 'replay' and datname = current_database()"
    return bool(await pool.fetchval(sql + condition) == wanted)
