"""Replicas of different builds on one log: the newer version stays, and an unknown event stops one partition alone."""

from collections.abc import Mapping
from typing import ClassVar

from contracts.topics import lane_of
from services.kernel.messages import Upcaster
from services.kernel.process.runtime import Kernel
from tests.support.replays import ROWS, TALLIES, append, tables, write_tallies
from tests.support.running import PARTITIONS, Home, eventually
from tests.support.tally import Count, Counted, tally_total, to

WIDER = tally_total(2, opened_at="timestamptz")


class NewerCounted(Counted):
    """The same in a schema version that the running build does not know."""

    schema_version: ClassVar[int] = 9


async def _versions(home: Home) -> list[tuple[int, bool]]:
    async with home.superuser() as connection:
        rows = await connection.fetch("select version, live from log.projections order by 1")
        return [tuple(row) for row in rows]


async def test_an_older_replica_leaves_the_newer_version_alone(home: Home) -> None:
    async with home.kernel() as old:
        await write_tallies(home, old)
        async with home.kernel(projections=(WIDER,)) as new:
            await eventually(lambda: _live(home, 2), "version 2 is swapped in")
            await eventually(lambda: _says(old, "tally_total is left to newer replicas"), "the old replica knows")
            await home.execute(old, to("t1", Count("t1", 1)))
            await home.quiet(new, old)
            assert await _versions(home) == [(2, True)]
            assert await tables(home) == ["tally_total_v2"]
    # One that starts later does not fill its version again either.
    async with home.kernel() as old, home.pool() as pool:
        await home.execute(old, to("t1", Count("t1", 1)))
        await eventually(lambda: _says(old, "which keep v2; to go back, raise the version"), "it says so")
        assert await _versions(home) == [(2, True)]
        assert await pool.fetchval("select counts from tally_total where tally = 't1'") == 11
    async with home.kernel(projections=(WIDER,)) as new, home.pool() as pool:
        await home.quiet(new)
        assert await pool.fetchval("select counts from tally_total where tally = 't1'") == 12


async def _live(home: Home, version: int) -> bool:
    return (version, True) in await _versions(home)


async def _says(kernel: Kernel, sentence: str) -> bool:
    return any(sentence in said for said in (await kernel.status())["projection_stopped"])


async def test_an_unknown_event_stops_its_partition_and_no_other(home: Home) -> None:
    lane = lane_of("t1", PARTITIONS)
    elsewhere = next(tally for tally in TALLIES if lane_of(tally, PARTITIONS) != lane)
    await append(home, *(("tally-t1", Counted(tally="t1", amount=1), None) for _ in range(300)))
    await append(home, ("tally-t1", NewerCounted(tally="t1", amount=1), None))
    await append(home, *(("tally-t1", Counted(tally="t1", amount=1), None) for _ in range(20)))
    await append(home, (f"tally-{elsewhere}", Counted(tally=elsewhere, amount=7), None))
    async with home.kernel() as kernel, home.pool() as pool:
        sentence = f"partition {lane} stopped before position 301: tally.counted.v9 is newer than this build"
        await eventually(lambda: _says(kernel, sentence), "the projector says where it stopped")
        await home.execute(kernel, to(elsewhere, Count(elsewhere, 1)))

        async def counted() -> bool:
            return {row["tally"]: row["total"] for row in await pool.fetch(ROWS)} == {"t1": 300, elsewhere: 8}

        await eventually(counted, "everything but the events behind the unknown one is in the read model")
        assert kernel.projector.waiting == 0
        assert kernel.projector.lag == 21
    await _upgraded(home, lane)


async def _upgraded(home: Home, lane: int) -> None:
    """A build that knows the event goes on behind it."""

    class CountedNow(Counted):
        schema_version: ClassVar[int] = 9
        upcasters: ClassVar[Mapping[int, Upcaster]] = dict.fromkeys(range(1, 9), lambda content: content)

    projection = tally_total()
    projection.appliers[CountedNow] = projection.appliers.pop(Counted)
    events = tuple(event for event in home.definition.events if event is not Counted)
    changes = {"projections": (projection,), "events": (*events, CountedNow)}
    async with home.kernel(**changes) as kernel, home.pool() as pool:

        async def whole() -> bool:
            return bool(await pool.fetchval("select total from tally_total where tally = 't1'") == 321)

        await eventually(whole, f"partition {lane} went on")
        assert kernel.projector.stopped == {}
