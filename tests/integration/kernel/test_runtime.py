"""A service process: starts whole or not at all, and ends whenever it is told to."""

import asyncio

import pytest

from tests.support.running import Home
from tests.support.tally import Count, tally_total, to

STOP_SECONDS_MAX = 5


@pytest.mark.parametrize("head_start_ms", [0, 1, 3, 10, 20, 40])
async def test_a_service_that_is_told_to_stop_while_it_starts_stops(home: Home, head_start_ms: int) -> None:
    async with asyncio.timeout(STOP_SECONDS_MAX), home.kernel():
        # Clients that are being opened or closed meet the cancellation at another point each time.
        await asyncio.sleep(head_start_ms / 1000)


async def test_a_start_that_fails_leaves_no_connection_open(home: Home) -> None:
    async with home.kernel():
        pass
    with pytest.raises(ValueError, match="raise its version"):
        async with home.kernel(projections=(tally_total(1, colour="text"),)):
            pass
    async with home.superuser() as superuser:
        open_sessions = "select count(*) from pg_stat_activity where usename = $1"
        assert await superuser.fetchval(open_sessions, home.dsn.rpartition("/")[2]) == 0


async def test_what_was_committed_is_relayed_and_projected_before_the_end(home: Home) -> None:
    async with home.kernel() as kernel:
        await asyncio.gather(*(home.execute(kernel, to("t1", Count("t1", 1))) for _ in range(100)))
    assert kernel.projector.lag == kernel.relay.lag == 0


async def test_status_says_how_far_everything_is(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.publish(home.ask("count", "t1"), home.ask("close", "t1"))
        await home.quiet(kernel)
        status = await kernel.status()
    (taken,) = status["inbox"]
    assert (taken["topic"], taken["position"], taken["next_offset"]) == (home.source_topic, 4, 2)
    assert status["heads"][taken["partition"]] == 2
    assert status["published"][taken["partition"]] == 1
    assert (status["ready"], status["relay"], status["dead_letters"], status["replies_waiting"]) == (
        True,
        "working",
        0,
        0,
    )
