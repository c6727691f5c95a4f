"""Rebuilding chosen rows, comparing a read model with its log, and that a replay touches nothing but read models."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from contracts.topics import lane_of
from services.kernel.errors import ReplayRefused
from services.kernel.projecting import shadow
from services.kernel.projecting.comparison import Comparison, compare
from services.kernel.projecting.narrowing import Narrowing
from services.kernel.projecting.rebuild import rebuild
from services.kernel.projecting.shadow import Purpose
from services.kernel.projection import Add, Change, Projection
from tests.support.replays import (
    ROWS,
    TALLIES,
    append,
    declare_filled,
    replay_of,
    tables,
    write_tallies,
    written,
)
from tests.support.running import PARTITIONS, Home, eventually
from tests.support.tally import Count, Counted, TallyOpened, opening, tally_total, to

SPOIL = "update tally_total set total = -1, status = 'spoilt'"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def _spoilt(pool: asyncpg.Pool) -> set[str]:
    return {row["tally"] for row in await pool.fetch(ROWS) if row["total"] == -1}


async def test_a_partition_alone_is_put_right_with_all_its_rows(home: Home) -> None:
    mine = lane_of("t1", PARTITIONS)
    others = {tally for tally in TALLIES if lane_of(tally, PARTITIONS) != mine}
    async with written(home) as pool:
        right = await pool.fetch(ROWS)
        await pool.execute(SPOIL)
        await pool.execute("insert into tally_total (partition, tally) values ($1, 'never')", mine)
        await pool.execute("delete from tally_total where tally = 't1'")
        done = await rebuild(replay_of(home, narrowing=Narrowing(partitions=(mine,))))
        assert done.replaced == len(TALLIES) - len(others)
        assert await _spoilt(pool) == others
        rows = await pool.fetch(ROWS)
        assert [r for r in rows if r["partition"] == mine] == [r for r in right if r["partition"] == mine]
        assert (await rebuild(replay_of(home, narrowing=Narrowing(partitions=(mine,))))).replaced == 0
    assert await tables(home) == ["tally_total_v1"]


async def test_a_stream_alone_puts_its_rows_right_and_no_others(home: Home) -> None:
    async with written(home) as pool:
        right = {row["tally"]: row for row in await pool.fetch(ROWS)}
        await pool.execute(SPOIL)
        done = await rebuild(replay_of(home, narrowing=Narrowing(stream="tally-t3")))
        own = lane_of("t3", PARTITIONS)
        assert (done.replaced, done.events) == (1, (await home.heads())[own].position)
        assert await _spoilt(pool) == set(TALLIES) - {"t3"}
        assert {row["tally"]: row for row in await pool.fetch(ROWS)}["t3"] == right["t3"]


async def test_a_partition_or_a_stream_that_there_is_not_is_named(home: Home) -> None:
    async with written(home):
        with pytest.raises(ReplayRefused, match="there is no stream tally-t9 in these partitions of the log"):
            await rebuild(replay_of(home, narrowing=Narrowing(stream="tally-t9")))
        with pytest.raises(ValueError, match="there is no partition 9; the log has 0 to 3"):
            await rebuild(replay_of(home, narrowing=Narrowing(partitions=(1, 9))))


def _by_first_letter() -> Projection:
    """A counter that many streams feed."""
    projection = Projection(name="letters", version=1, columns={"letter": "text", "total": "bigint"}, key=("letter",))
    projection.on(Counted)(lambda event, recorded: Add({"letter": event.tally[0]}, {"total": event.amount}))
    return projection


async def test_rows_chosen_by_a_time_are_folded_over_their_whole_history(home: Home) -> None:
    letters = _by_first_letter()
    tallies = [f"{letter}{number}" for letter in "ab" for number in range(4)]
    days = [NOON - timedelta(days=1), NOON, NOON + timedelta(days=1)]
    await append(
        home,
        *(
            (f"tally-{tally}", Counted(tally=tally, amount=10**day), moment)
            for day, moment in enumerate(days)
            for tally in tallies
            # Only the a's are counted at noon.
            if tally[0] == "a" or day != 1
        ),
    )
    async with home.pool() as pool, pool.acquire() as connection:
        await declare_filled(connection, letters)
    narrowing = Narrowing(since=NOON, until=NOON + timedelta(days=1))
    await rebuild(replay_of(home, letters, narrowing=narrowing))
    async with home.pool() as pool:
        rows = await pool.fetch("select letter, sum(total)::integer as total from letters group by 1")
        assert [tuple(row) for row in rows] == [("a", 4 * 111)]
        await rebuild(replay_of(home, letters, narrowing=Narrowing(since=NOON + timedelta(days=1))))
        rows = await pool.fetch("select letter, sum(total)::integer as total from letters group by 1 order by 1")
        assert [tuple(row) for row in rows] == [("a", 4 * 111), ("b", 4 * 101)]


async def test_a_chosen_row_that_the_log_does_not_make_is_removed(home: Home) -> None:
    await append(home, ("tally-t1", TallyOpened(tally="t1", channel="shop", order_no="O-1"), NOON))
    # Here an opening changes rows and never makes one.
    projection = Projection(name="changed", version=1, columns={"tally": "text", "status": "text"}, key=("tally",))
    projection.on(TallyOpened)(lambda event, recorded: Change({"tally": event.tally, "status": "open"}))
    async with home.pool() as pool:
        async with pool.acquire() as connection:
            await declare_filled(connection, projection)
        await pool.execute("insert into changed values ($1, 't1', 'false')", lane_of("t1", PARTITIONS))
        assert (await rebuild(replay_of(home, projection, narrowing=Narrowing(since=NOON)))).replaced == 1
        assert await pool.fetch("select * from changed") == []


async def _compared(home: Home, **fields: Any) -> Comparison:
    return await compare(replay_of(home, **fields))


async def test_a_comparison_finds_nothing_where_nothing_is_wrong(home: Home) -> None:
    async with written(home) as pool:
        before = await pool.fetch(ROWS)
        assert await _compared(home) == Comparison("tally_total", ("tally",), 5, 0, 0, 0, ())
        assert await pool.fetch(ROWS) == before
        assert await tables(home) == ["tally_total_v1"]


async def test_a_comparison_names_what_is_added_changed_and_removed_and_changes_nothing(home: Home) -> None:
    lane = lane_of("t5", PARTITIONS)
    async with written(home) as pool:
        await pool.execute("update tally_total set total = -1 where tally in ('t1', 't2', 't3')")
        await pool.execute("delete from tally_total where tally in ('t4', 't5')")
        await pool.execute("insert into tally_total (partition, tally, counts) values (0, 'never', 3)")
        before = await pool.fetch(ROWS)
        found = await _compared(home)
        assert (found.rows, found.added, found.changed, found.removed, found.equal) == (4, 2, 3, 1, False)
        added, changed, removed = found.examples
        assert added.now is None
        assert added.fresh is not None
        assert added.fresh["tally"] in ("t4", "t5")
        assert changed.columns == ["total"]
        assert changed.now is not None
        assert changed.now["total"] == -1
        assert removed.fresh is None
        assert removed.now == {"partition": 0, "tally": "never", "total": None, "counts": 3, "status": None}
        assert await pool.fetch(ROWS) == before
        assert await tables(home) == ["tally_total_v1"]
        limited = await _compared(home, narrowing=Narrowing(stream="tally-t5"))
        assert (limited.added, limited.changed, limited.removed) == (1, 0, 0)
        (example,) = limited.examples
        assert example.fresh == {"partition": lane, "tally": "t5", "total": 50, "counts": 10, "status": "closed"}
        await rebuild(replay_of(home))
        assert (await _compared(home)).equal


async def test_a_comparison_under_traffic_sees_both_sides_at_one_position(home: Home) -> None:
    async with home.kernel() as kernel:
        await write_tallies(home, kernel)
        for _ in range(5):
            written_meanwhile = [home.execute(kernel, to("t1", Count("t1", 1))) for _ in range(30)]
            writing = asyncio.gather(*written_meanwhile)
            assert (await _compared(home)).equal
            await writing


async def test_a_comparison_leaves_what_a_stopped_rebuild_has_filled(home: Home) -> None:
    async with written(home) as pool, pool.acquire() as connection:
        stopped = shadow.shadow_of(tally_total(), Purpose.REBUILD)
        await shadow.open_shadow(connection, stopped, "", range(PARTITIONS), fresh=True)
        await _compared(home)
        assert [left.purpose for left in await shadow.leftovers(connection)] == ["rebuild"]


async def test_a_comparison_waits_for_no_rebuild(home: Home) -> None:
    async with written(home) as pool, pool.acquire() as connection:
        await shadow.claim(connection, tally_total())
        with pytest.raises(ReplayRefused, match="another rebuild or comparison of tally_total is running"):
            await _compared(home)
        await shadow.release(connection, tally_total())


async def test_a_replay_repeats_no_side_effect(channel_home: Home) -> None:
    home = channel_home
    async with home.kernel() as kernel:
        await home.execute(kernel, opening("t1", home.channel, "O-1"))
        await home.execute(kernel, to("t1", Count("t1", 5)))
        await home.publish(home.ask("count", "t1"), home.ask("explode", "t2"))
        await home.quiet(kernel)
        await eventually(lambda: _has_a_notice(home), "the channel was told")
        before = await _everything_told(home)
        await rebuild(replay_of(home))
        await rebuild(replay_of(home, narrowing=Narrowing(stream="tally-t1")))
        assert (await _compared(home)).equal
        await home.quiet(kernel)
        assert await _everything_told(home) == before
    assert before["notices"] == 1
    assert before["dead_letters"] == 1


async def _has_a_notice(home: Home) -> bool:
    return len(await home.notices()) == 1


async def _everything_told(home: Home) -> dict[str, Any]:
    """Counts of all that leaves the service or comes in, and the heads of its log."""
    published = await home.read_topic(home.events_topic)
    found: dict[str, Any] = {
        "notices": len(await home.notices()),
        "published": {partition: len(records) for partition, records in published.items()},
        "heads": await home.heads(),
    }
    async with home.superuser() as connection:
        for name in ("events", "commands", "replies", "inbox", "unique_keys", "dead_letters"):
            found[name] = await connection.fetchval(f"select count(*) from log.{name}")
        found["reply_number"] = await connection.fetchval("select last_value from log.replies_id_seq")
    return found
