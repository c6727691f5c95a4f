"""The projector: rows are the fold of the log, move with their checkpoint, and change version unseen by readers."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import asyncpg
import pytest
from pydantic import BaseModel

from contracts.topics import lane_of
from services.kernel.messages import Recorded
from services.kernel.process.runtime import Kernel
from services.kernel.projecting import projection_sql
from services.kernel.projecting.merging import merge
from services.kernel.projection import Add, Change, Projection, Put, RowChange
from services.kernel.read_models import ReadModels
from tests.support.running import PARTITIONS, Home, eventually
from tests.support.tally import DECIDER, Close, Count, Counted, opening, tally_total, to

ROWS = "select tally, total, counts, status from tally_total order by tally"
TALLIES = ("t1", "t2", "t3", "t4", "t5")


class Row(BaseModel):
    tally: str
    total: int | None
    counts: int | None
    status: str | None


async def _write(home: Home, kernel: Kernel) -> None:
    for number, tally in enumerate(TALLIES, 1):
        await home.execute(kernel, opening(tally, "shop", f"O-{tally}"))
        await asyncio.gather(*(home.execute(kernel, to(tally, Count(tally, number))) for _ in range(10)))
        if number % 2:
            await home.execute(kernel, to(tally, Close(tally)))


async def _folded(home: Home) -> list[Row]:
    streams: dict[str, list[Any]] = {}
    for events in (await home.log()).values():
        for recorded in events:
            streams.setdefault(recorded.event.tally, []).append(recorded.event)
    states = {tally: DECIDER.fold(events) for tally, events in sorted(streams.items())}
    return [
        Row(
            tally=tally,
            total=state.total,
            counts=sum(isinstance(event, Counted) for event in streams[tally]),
            status="closed" if state.closed else "open",
        )
        for tally, state in states.items()
    ]


async def _checkpoints(home: Home) -> list[tuple[int, int, int]]:
    async with home.superuser() as connection:
        rows = await connection.fetch("select version, partition, position from log.checkpoints order by 1, 2")
        return [tuple(row) for row in rows]


async def test_the_rows_are_the_fold_of_the_log_and_the_checkpoint_is_its_head(home: Home) -> None:
    async with home.kernel() as kernel:
        await _write(home, kernel)
        await home.quiet(kernel)
        assert await kernel.read.many(Row, ROWS) == await _folded(home)
        assert await kernel.read.one(Row, ROWS) == Row(tally="t1", total=10, counts=10, status="closed")
    heads = await home.heads()
    assert await _checkpoints(home) == [(1, partition, head.position) for partition, head in heads.items()]


async def test_rows_and_checkpoint_move_together_or_not_at_all(home: Home) -> None:
    partition = lane_of("t1", PARTITIONS)
    async with home.kernel() as kernel, home.superuser() as superuser:
        await home.execute(kernel, to("t1", Count("t1", 1)))
        await home.quiet(kernel)
        await superuser.execute("alter table read.tally_total_v1 add constraint small check (total < 100) not valid")
        await home.execute(kernel, to("t1", Count("t1", 500)))
        failed = "select count(*) from pg_stat_database where datname = current_database() and xact_rollback > $1"
        rolled_back = await superuser.fetchval(
            "select xact_rollback from pg_stat_database where datname = current_database()"
        )
        await eventually(lambda: _is_one(superuser, failed, rolled_back), "the projector failed")
        assert (1, partition, 1) in await _checkpoints(home)
        assert await superuser.fetchval("select total from read.tally_total") == 1
        await superuser.execute("alter table read.tally_total_v1 drop constraint small")
        await home.quiet(kernel)
        assert (1, partition, 2) in await _checkpoints(home)
        assert await superuser.fetchval("select total from read.tally_total") == 501


async def _is_one(connection: asyncpg.Connection, sql: str, *arguments: Any) -> bool:
    return bool(await connection.fetchval(sql, *arguments))


async def test_one_text_that_postgresql_cannot_store_stops_no_read_model(home: Home) -> None:
    async with home.kernel(projections=(_notes,)) as kernel:
        await home.execute(kernel, to("t1", Count("t1", 1, note='a\x00b\\u0000"')))
        await home.execute(kernel, to("t2", Count("t2", 1, note="é\U0001f600")))
        await home.quiet(kernel)
        rows = await kernel.read.many(Note, "select tally, note, document from note order by tally")
    odd = 'a\\0b\\u0000"'
    assert rows == [
        Note(tally="t1", note=odd, document=[{odd: odd}, 1, None]),
        Note(tally="t2", note="é\U0001f600", document=[{"é\U0001f600": "é\U0001f600"}, 1, None]),
    ]


class Note(BaseModel):
    tally: str
    note: str
    document: list[Any]


_notes = Projection(
    name="note", version=1, columns={"tally": "text", "note": "text", "document": "jsonb"}, key=("tally",)
)


@_notes.on(Counted)
def _keep_note(event: Counted, recorded: Recorded[Any]) -> Put:
    return Put({"tally": event.tally, "note": event.note, "document": [{event.note: event.note}, 1, None]})


@dataclass
class Reader:
    """Reads the model over and over, and remembers what it saw and what went wrong."""

    read: ReadModels
    counts: list[int] = field(default_factory=list)
    ended: bool = False

    async def loop(self) -> None:
        while not self.ended:
            rows = await self.read.many(Row, ROWS)
            self.counts.append(sum(row.counts or 0 for row in rows))


async def test_a_new_version_fills_beside_the_old_one_and_is_swapped_in_unseen(home: Home) -> None:
    async with home.kernel() as kernel:
        await _write(home, kernel)
        await home.quiet(kernel)
    async with home.pool() as pool:
        readers = [Reader(ReadModels(pool)) for _ in range(2)]
        reading = [asyncio.ensure_future(reader.loop()) for reader in readers]
        async with home.kernel(projections=(tally_total(2, opened_at="timestamptz"),)) as kernel:
            written = 0
            while not await pool.fetchval("select live from log.projections where version = 2"):
                # Steady traffic: there is always a newer event than the ones just projected.
                await home.execute(kernel, to("t1", Count("t1", 1)))
                written += 1
                assert written < 2_000, "version 2 was not swapped in"
            await home.quiet(kernel)
            assert await kernel.read.many(Row, ROWS) == await _folded(home)
        for reader in readers:
            reader.ended = True
        await asyncio.gather(*reading)
    for reader in readers:
        assert min(reader.counts) == 50
        assert reader.counts == sorted(reader.counts)
    async with home.superuser() as connection:
        assert await connection.fetchval("select to_regclass('read.tally_total_v1')") is None
        assert [row["version"] for row in await connection.fetch("select version from log.projections")] == [2]
    assert {version for version, _, _ in await _checkpoints(home)} == {2}


async def test_a_version_that_changed_its_columns_without_a_new_number_is_refused(home: Home) -> None:
    async with home.kernel():
        pass
    with pytest.raises(ValueError, match="tally_total v1 changed its columns; raise its version"):
        async with home.kernel(projections=(tally_total(1, colour="text"),)):
            pass


_CHANGES: Sequence[Callable[[str], RowChange]] = (
    lambda key: Put({"tally": key, "total": 100, "status": "put"}),
    lambda key: Put({"tally": key, "counts": 7}),
    lambda key: Change({"tally": key, "status": "changed"}),
    lambda key: Change({"tally": key, "total": 1_000}),
    lambda key: Change({"tally": key}),
    lambda key: Add({"tally": key}, {"total": 1}),
    lambda key: Add({"tally": key}, {"total": 10, "counts": 1}),
)


async def test_a_batch_has_the_effect_of_its_changes_one_at_a_time(home: Home) -> None:
    sequences = [sequence for length in (1, 2, 3) for sequence in product(_CHANGES, repeat=length)]
    at_once, one_by_one = (
        Projection(name=name, version=1, columns=tally_total().columns, key=("tally",))
        for name in ("at_once", "one_by_one")
    )
    async with home.pool() as pool, pool.acquire() as connection:
        for projection in (at_once, one_by_one):
            await connection.execute(projection_sql.create_table(projection))
        changes: list[tuple[int, RowChange]] = [
            (0, change(f"k{number}")) for number, sequence in enumerate(sequences) for change in sequence
        ]
        await projection_sql.write(connection, at_once, merge(at_once, changes))
        # The changes of one step touch each row once, so that a step is as good as one at a time.
        for step in range(3):
            own = [(0, each[step](f"k{n}")) for n, each in enumerate(sequences) if len(each) > step]
            await projection_sql.write(connection, one_by_one, merge(one_by_one, own))
        sql = "select tally, total, counts, status from read.{}_v1 order by tally"
        merged = await connection.fetch(sql.format("at_once"))
        stepped = await connection.fetch(sql.format("one_by_one"))
        assert merged == stepped
        assert len(merged) > 300


async def test_a_change_without_a_row_makes_none(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.execute(kernel, to("t1", Close("t1")))
        await home.quiet(kernel)
        assert await kernel.read.many(Row, ROWS) == []
        await home.execute(kernel, to("t1", Count("t1", 3)))
        await home.quiet(kernel)
        assert await kernel.read.many(Row, ROWS) == [Row(tally="t1", total=3, counts=1, status=None)]
