"""As of a moment: what a read model, or one stream's part of it, said then; nothing is left behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.topics import lane_of
from services.kernel.errors import ReplayRefused
from services.kernel.projecting.as_of import positions_at, read_model_at, stream_at
from services.kernel.projection import Projection, Put
from tests.support.replays import append, replay_of, tables
from tests.support.running import PARTITIONS, Home
from tests.support.tally import Counted, TallyClosed, TallyOpened, tally_total

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


async def _written(home: Home) -> None:
    """Two tallies: opened at 0, t1 counted in minutes 1 to 9, closed in minute 10."""
    opened = [(f"tally-{t}", TallyOpened(tally=t, channel="shop", order_no=f"O-{t}"), START) for t in ("t1", "t2")]
    counted = [("tally-t1", Counted(tally="t1", amount=1), _after(minute)) for minute in range(1, 10)]
    await append(home, *opened, *counted, ("tally-t1", TallyClosed(tally="t1"), _after(10)))


async def _rows(home: Home, moment: datetime, projection: Projection | None = None, **where: str) -> list[Any]:
    async with read_model_at(replay_of(home, projection), moment, where) as rows:
        return [{column: row[column] for column in row if column != "partition"} async for row in rows]


def _row(tally: str, total: int | None, status: str) -> dict[str, Any]:
    return {"tally": tally, "total": total, "counts": total, "status": status}


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-0.1, []),
        (0, [_row("t1", None, "open"), _row("t2", None, "open")]),
        (0.9, [_row("t1", None, "open"), _row("t2", None, "open")]),
        (1, [_row("t1", 1, "open"), _row("t2", None, "open")]),
        (5.5, [_row("t1", 5, "open"), _row("t2", None, "open")]),
        (9, [_row("t1", 9, "open"), _row("t2", None, "open")]),
        (10, [_row("t1", 9, "closed"), _row("t2", None, "open")]),
        (9_999, [_row("t1", 9, "closed"), _row("t2", None, "open")]),
    ],
)
async def test_a_read_model_is_what_it_was_at_the_moment(home: Home, minutes: float, expected: list[Any]) -> None:
    await _written(home)
    assert await _rows(home, _after(minutes)) == expected
    assert await tables(home) == []


async def test_one_stream_is_what_it_was_at_the_moment(home: Home) -> None:
    await _written(home)
    partition, projections = lane_of("t1", PARTITIONS), (tally_total(),)
    for minutes, expected in ((-1, []), (5, [_row("t1", 5, "open")]), (10, [_row("t1", 9, "closed")])):
        found = await stream_at(replay_of(home), projections, partition, "tally-t1", _after(minutes))
        assert found == {"tally_total": expected}


async def test_a_clock_that_was_set_back_does_not_tear_a_state_apart(home: Home) -> None:
    moments = [_after(0), _after(1), _after(5), _after(2), _after(6)]
    await append(home, *(("tally-t1", Counted(tally="t1", amount=10**n), at) for n, at in enumerate(moments)))
    prefixes = [sum(10**n for n in range(length)) for length in range(6)]
    for minutes in (-1, 0, 1, 2, 3, 4, 5, 6):
        rows = await _rows(home, _after(minutes))
        assert (rows[0]["total"] if rows else 0) in prefixes
    async with home.superuser() as connection:
        assert (await positions_at(connection, _after(6)))[lane_of("t1", PARTITIONS)] == 5


async def test_rows_are_chosen_by_key_and_by_other_columns(home: Home) -> None:
    await _written(home)
    end = _after(99)
    assert await _rows(home, end, tally="t2") == [_row("t2", None, "open")]
    assert await _rows(home, end, tally="t1", status="open") == []
    assert await _rows(home, end, status="closed", total="9") == [_row("t1", 9, "closed")]
    assert await _rows(home, end, partition=str(lane_of("t2", PARTITIONS)), tally="t2") == [_row("t2", None, "open")]


async def test_a_column_that_there_is_not_and_a_value_of_another_type_are_refused(home: Home) -> None:
    with pytest.raises(ReplayRefused, match="cannot be asked by colour; it has partition, tally, total, counts"):
        await _rows(home, START, colour="red")
    with pytest.raises(ReplayRefused, match="'many' is no bigint, which total is"):
        await _rows(home, START, total="many")


async def test_documents_come_back_as_they_were(home: Home) -> None:
    await append(home, ("tally-t1", Counted(tally="t1", amount=1, note="é\U0001f600"), START))
    columns = {"tally": "text", "body": "jsonb", "nothing": "jsonb", "unset": "jsonb", "at": "timestamptz"}
    projection = Projection(name="documents", version=1, columns=columns, key=("tally",))
    projection.on(Counted)(
        lambda event, recorded: Put(
            {"tally": event.tally, "body": [{event.note: [1, None]}], "nothing": None, "at": recorded.recorded_at}
        )
    )
    (row,) = await _rows(home, START, projection)
    assert row == {"tally": "t1", "body": [{"é\U0001f600": [1, None]}], "nothing": None, "unset": None, "at": START}
