"""Verification: whatever a database administrator does to the log is found, with partition and position."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from contracts.topics import lane_of
from infra.servers import Servers
from services.kernel.verify import Finding, verify_log
from tests.support.running import PARTITIONS, home_of_a_tally
from tests.support.tally import Count, to

EVENTS = 10
PARTITION = lane_of("t1", PARTITIONS)


@pytest_asyncio.fixture(scope="module")
async def whole_log(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to a log of ten events in one partition."""
    async with home_of_a_tally(servers) as home:
        async with home.kernel() as kernel:
            for amount in range(EVENTS):
                await home.execute(kernel, to("t1", Count("t1", amount)))
        async with home.superuser() as superuser:
            yield superuser


@pytest_asyncio.fixture
async def log(whole_log: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """The same inside a transaction, so that each test tampers with a whole log."""
    transaction = whole_log.transaction(isolation="repeatable_read")
    await transaction.start()
    yield whole_log
    await transaction.rollback()


async def _found(log: asyncpg.Connection) -> Finding:
    """The one finding; the other partitions verify."""
    (finding,) = (await verify_log(log, lambda more: None)).findings
    assert finding.partition == PARTITION
    return finding


async def test_an_untouched_log_verifies(log: asyncpg.Connection) -> None:
    verified = await verify_log(log, lambda more: None)
    assert (verified.events, verified.findings) == (EVENTS, ())


@pytest.mark.parametrize(
    "change",
    [
        "data = convert_to(replace(convert_from(data, 'UTF8'), '\"amount\":3', '\"amount\":4'), 'UTF8')",
        'meta = \'{"cause":"somebody else"}\'',
        "recorded_at = recorded_at - interval '1 microsecond'",
        "stream = 'tally-t9'",
        "version = 99",
        "type = 'tally.closed'",
        "schema = 2",
        "digest = sha256(data)",
    ],
)
async def test_an_altered_event_is_found(log: asyncpg.Connection, change: str) -> None:
    await log.execute(f"update log.events set {change} where partition = $1 and position = 4", PARTITION)
    finding = await _found(log)
    assert finding.position == 4
    assert "altered or reordered" in finding.problem


async def test_a_removed_event_is_found(log: asyncpg.Connection) -> None:
    await log.execute("delete from log.events where partition = $1 and position = 4", PARTITION)
    assert await _found(log) == Finding(PARTITION, 4, "event missing: 5 follows 3")


async def test_an_inserted_event_is_found(log: asyncpg.Connection) -> None:
    for position in range(EVENTS, 4, -1):
        await log.execute(
            "update log.events set position = position + 1 where partition = $1 and position = $2", PARTITION, position
        )
    await _copy(log, position=4, to_position=5)
    assert (await _found(log)).position == 5


async def test_an_event_beyond_the_head_is_found(log: asyncpg.Connection) -> None:
    await _copy(log, position=EVENTS, to_position=EVENTS + 1)
    assert (await _found(log)).position == EVENTS + 1
    await log.execute(
        "update log.log_head set position = position - 1, digest = e.digest from (select digest from log.events"
        " where partition = $1 and position = $2) e where partition = $1",
        PARTITION,
        EVENTS - 1,
    )
    await log.execute("delete from log.events where partition = $1 and position > $2", PARTITION, EVENTS)
    assert await _found(log) == Finding(PARTITION, EVENTS, "event inserted: the head says 9")


async def _copy(log: asyncpg.Connection, *, position: int, to_position: int) -> None:
    await log.execute(
        "insert into log.events select partition, $3, stream, 1000, type, schema, data, meta, recorded_at, digest"
        " from log.events where partition = $1 and position = $2",
        PARTITION,
        position,
        to_position,
    )


async def test_two_events_that_changed_places_are_found(log: asyncpg.Connection) -> None:
    for old, new in ((4, 1_000), (5, 4), (1_000, 5)):
        await log.execute(
            "update log.events set position = $3 where partition = $1 and position = $2", PARTITION, old, new
        )
    assert (await _found(log)).position == 4


async def test_a_cut_tail_is_found(log: asyncpg.Connection) -> None:
    await log.execute("delete from log.events where partition = $1 and position > 7", PARTITION)
    finding = await _found(log)
    assert (finding.position, finding.problem[:40]) == (8, "the log ends at 7, its head says 10: eve")


async def test_an_altered_head_is_found(log: asyncpg.Connection) -> None:
    await log.execute("update log.log_head set digest = sha256(digest) where partition = $1", PARTITION)
    finding = await _found(log)
    assert finding.position == EVENTS + 1
    assert "the head was altered" in finding.problem


async def test_an_altered_genesis_is_found(log: asyncpg.Connection) -> None:
    await log.execute("update log.genesis set document = 'other' where partition = $1", PARTITION)
    assert await _found(log) == Finding(PARTITION, 0, "the genesis document was altered")


async def test_a_genesis_that_was_exchanged_whole_is_found_at_the_first_event(log: asyncpg.Connection) -> None:
    await log.execute(
        "update log.genesis set document = 'other', digest = sha256('other') where partition = $1", PARTITION
    )
    assert (await _found(log)).position == 1
