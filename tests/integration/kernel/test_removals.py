"""An event that removes rows: those of its partition that were made before it, live and in every replay."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.topics import lane_of
from services.kernel.process.runtime import Kernel
from services.kernel.projecting.comparison import compare
from services.kernel.projecting.rebuild import rebuild
from services.kernel.projection import Projection
from tests.support.replays import replay_of
from tests.support.running import PARTITIONS, Home
from tests.support.tally import Close, Count, TallyClosed, count, opening, tally_total, to

ROWS = "select tally, total, counts, status from tally_total order by tally"


def _forgetful(**where: Any) -> Projection:
    """`tally_total`, but to close a tally removes rows."""
    projection = tally_total()
    appliers = {event: applier for event, applier in projection.appliers.items() if event is not TallyClosed}
    projection = replace(projection, appliers=appliers, removers={})
    projection.removes_on(TallyClosed)(lambda event: where or {"tally": event.tally})
    return projection


async def _write(home: Home, kernel: Kernel) -> None:
    for tally in ("t1", "t2"):
        await home.execute(kernel, opening(tally, "shop", f"O-{tally}"))
        await home.execute(kernel, to(tally, Count(tally, 5)))
    await home.execute(kernel, to("t1", Close("t1")))
    await home.execute(kernel, to("t1", Count("t1", 2)))
    await home.quiet(kernel)


async def test_rows_made_before_are_gone_and_rows_made_after_stay(home: Home) -> None:
    forgetful = _forgetful()
    async with home.kernel(projections=(forgetful,)) as kernel:
        await _write(home, kernel)
        async with home.pool() as pool:
            live = [tuple(row) for row in await pool.fetch(ROWS)]
            assert live == [("t1", 2, 1, None), ("t2", 5, 1, "open")]
            assert (await compare(replay_of(home, forgetful))).equal
            await rebuild(replay_of(home, forgetful))
            assert [tuple(row) for row in await pool.fetch(ROWS)] == live


async def test_of_a_batch_that_is_folded_at_once_only_the_earlier_part_is_removed(home: Home) -> None:
    async with home.kernel() as kernel:
        await _write(home, kernel)
    raised = replace(_forgetful(), version=2)
    async with home.kernel(projections=(raised,)) as kernel, home.pool() as pool:
        await home.quiet(kernel)
        assert [tuple(row) for row in await pool.fetch(ROWS)] == [("t1", 2, 1, None), ("t2", 5, 1, "open")]


async def test_rows_of_other_partitions_stay(home: Home) -> None:
    assert lane_of("t1", PARTITIONS) != lane_of("t2", PARTITIONS)
    async with home.kernel(projections=(_forgetful(status="open"),)) as kernel, home.pool() as pool:
        await _write(home, kernel)
        assert [row["tally"] for row in await pool.fetch(ROWS)] == ["t1", "t2"]
        await home.execute(kernel, to("t2", Close("t2")))
        await home.quiet(kernel)
        assert [row["tally"] for row in await pool.fetch(ROWS)] == ["t1"]


def test_an_event_either_changes_rows_or_removes_them() -> None:
    with pytest.raises(ValueError, match="tally_total has an applier for TallyClosed already"):
        tally_total().removes_on(TallyClosed)(lambda event: {"tally": event.tally})
    with pytest.raises(ValueError, match="tally_total has an applier for TallyClosed already"):
        _forgetful().on(TallyClosed)(count)
