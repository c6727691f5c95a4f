"""A process is killed at every crash point there is, twice; whoever starts next makes good, and nothing is doubled."""

import asyncio
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess

import pytest
import pytest_asyncio

from infra.servers import Servers
from services.kernel import failpoints
from services.kernel.failpoints import Failpoint, FailpointReached
from services.kernel.proof.verify import verify_log
from tests.architecture.sources import sources
from tests.support.running import Home, eventually, home_of_a_tally
from tests.support.tally import tally_total
from tests.support.tally_process import TallyProcess
from tests.support.topic_audit import assert_topic_is_the_log

pytestmark = pytest.mark.xdist_group("failpoints")

HITS = (1, 2)
HOMES = 4
TALLIES = ("t1", "t2", "t3", "t4", "t5")
DEATH_SECONDS_MAX = 30.0
LONG_SESSION_MS = 180_000
_PACE_SECONDS = 0.03

SWAP, LOST_LOCK = "projector.in_swap", ("relay.initialised", "relay.tails_read")


@dataclass
class Died:
    """How each killed process ended, and the homes that they left."""

    exit_codes: dict[tuple[str, int], int | None] = field(default_factory=dict)
    homes: list[Home] = field(default_factory=list)
    asked: list[Counter[str]] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)


@pytest_asyncio.fixture(scope="module")
async def died(servers: Servers) -> AsyncIterator[Died]:
    """Kill a process at each point, one after the other in a few homes side by side."""
    found = Died()
    async with AsyncExitStack() as stack:
        homes = (stack.enter_async_context(home_of_a_tally(servers)) for _ in range(HOMES))
        found.homes = list(await asyncio.gather(*homes))
        found.asked = [Counter() for _ in found.homes]
        found.versions = [1 for _ in found.homes]
        await asyncio.gather(*(_kill_one_after_the_other(found, place) for place in range(HOMES)))
        yield found


async def _kill_one_after_the_other(died: Died, place: int) -> None:
    for name in failpoints.NAMES[place::HOMES]:
        for hit in HITS:
            if name == SWAP:
                # A table is swapped in once in the life of a version.
                died.versions[place] += 1
            nth = 1 if name == SWAP else hit
            died.exit_codes[name, hit] = await _killed(died, place, name, nth)


async def _killed(died: Died, place: int, name: str, nth: int) -> int | None:
    home = died.homes[place]
    settings = home.settings().model_copy(update={"failpoint": f"{name}:{nth}"})
    process = TallyProcess(home.definition.name, home.source, settings, died.versions[place]).start()
    try:
        async with asyncio.timeout(DEATH_SECONDS_MAX):
            while process.is_alive():
                await _traffic(died, place)
                if name in LOST_LOCK:
                    await _take_the_lock_away(home)
    except TimeoutError:
        pass
    finally:
        _end(process)
    return process.exitcode


def _end(process: BaseProcess) -> None:
    if process.is_alive():
        process.kill()
    process.join()


async def _traffic(died: Died, place: int) -> None:
    home, tally = died.homes[place], TALLIES[died.asked[place].total() % len(TALLIES)]
    died.asked[place][tally] += 1
    await home.publish(home.ask("count", tally))
    await asyncio.sleep(_PACE_SECONDS)


async def _take_the_lock_away(home: Home) -> None:
    """The relay begins anew when the session with its lock is gone."""
    async with home.superuser() as superuser:
        await superuser.execute(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
            " and database = (select oid from pg_database where datname = current_database()) and objid = 1"
        )


@pytest.mark.parametrize("hit", HITS)
@pytest.mark.parametrize("name", failpoints.NAMES)
async def test_a_process_is_killed_there(died: Died, name: str, hit: int) -> None:
    assert died.exit_codes[name, hit] == -signal.SIGKILL, f"{name} was not reached, or did not kill"


@pytest.mark.parametrize("place", range(HOMES))
async def test_nothing_is_lost_or_doubled_by_whoever_starts_next(died: Died, place: int) -> None:
    home, asked = died.homes[place], died.asked[place]
    projection = tally_total(died.versions[place])
    async with home.kernel(projections=(projection,)) as kernel:
        await home.quiet(kernel)
    assert await home.totals() == asked
    assert await assert_topic_is_the_log(home) == asked.total()
    async with home.superuser() as superuser:
        rows = await superuser.fetch("select tally, total from read.tally_total")
        assert {row["tally"]: row["total"] for row in rows} == asked
        assert (await verify_log(superuser)).findings == ()


async def test_a_killed_process_does_not_keep_its_partitions(home: Home) -> None:
    """Long before its session ends, the next process on the host has taken its place."""
    settings = home.settings().model_copy(update={"session_timeout_ms": LONG_SESSION_MS})
    process = TallyProcess(home.definition.name, home.source, settings).start()
    try:
        await home.publish(home.ask("count", "t1"))
        await eventually(lambda: _counted(home, "t1"), "the process counts")
    finally:
        _end(process)
    await home.publish(home.ask("count", "t2"))
    started = time.monotonic()
    async with home.kernel() as kernel:
        await home.quiet(kernel)
    assert (time.monotonic() - started) * 1000 < LONG_SESSION_MS / 2
    assert await home.totals() == {"t1": 1, "t2": 1}


async def _counted(home: Home, tally: str) -> bool:
    return tally in await home.totals()


def test_each_failpoint_is_in_the_code_exactly_once() -> None:
    found: Counter[str] = Counter()
    for source in sources("services"):
        found.update(re.findall(r'failpoints\.hit\("([^"]+)"\)', source.text))
    assert found == Counter(failpoints.NAMES)


def test_a_failpoint_acts_at_the_hit_that_was_asked_for() -> None:
    with failpoints.armed("relay.begun:3:raise"):
        failpoints.hit("relay.begun")
        failpoints.hit("relay.committed")
        failpoints.hit("relay.begun")
        with pytest.raises(FailpointReached, match=r"relay\.begun"):
            failpoints.hit("relay.begun")
        failpoints.hit("relay.begun")
    failpoints.hit("relay.begun")


def test_a_star_means_every_hit() -> None:
    with failpoints.armed("relay.begun:*:raise"):
        for _ in range(3):
            with pytest.raises(FailpointReached):
                failpoints.hit("relay.begun")


@pytest.mark.parametrize("text", ["relay.begin", "relay.begun:0", "relay.begun:often", "relay.begun:1:faint"])
def test_a_failpoint_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"failpoint|neither"):
        Failpoint.parse(text)
