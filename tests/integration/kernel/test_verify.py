"""Verification: whatever a database administrator does to the log is found, with partition and position."""

from collections.abc import AsyncIterator, Callable, Sequence

import asyncpg
import pytest
import pytest_asyncio

from contracts.topics import lane_of
from infra.servers import Servers
from services.kernel.log import chain, event_log
from services.kernel.log.chain import next_digest
from services.kernel.log.event_log import StoredEvent
from services.kernel.proof.chain_walk import SignedDigest
from services.kernel.proof.finding import Finding, Wrong
from services.kernel.proof.verify import verify_log, verify_partition
from tests.support.running import PARTITIONS, home_of_a_tally
from tests.support.tally import Count, to

EVENTS = 12
PARTITION = lane_of("t1", PARTITIONS)
OTHER = next(f"t{n}" for n in range(2, 99) if lane_of(f"t{n}", PARTITIONS) == PARTITION)


@pytest_asyncio.fixture(scope="module")
async def whole_log(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to a log of twelve events of two streams in one partition."""
    async with home_of_a_tally(servers) as home:
        async with home.kernel() as kernel:
            for amount in range(EVENTS):
                tally = "t1" if amount % 3 else OTHER
                await home.execute(kernel, to(tally, Count(tally, amount)))
        async with home.superuser() as superuser:
            yield superuser


@pytest_asyncio.fixture
async def log(whole_log: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """The same inside a transaction, so that each test tampers with a whole log. Nothing stops a superuser."""
    transaction = whole_log.transaction(isolation="repeatable_read")
    await transaction.start()
    await whole_log.execute("alter table log.events drop constraint events_partition_stream_version_key")
    await whole_log.execute("alter table log.events drop constraint events_pkey")
    await whole_log.execute("alter table log.events drop constraint events_position_check")
    yield whole_log
    await transaction.rollback()


async def _found(log: asyncpg.Connection, *signed: SignedDigest) -> Finding:
    """The one finding; the other partitions verify."""
    (finding,) = (await verify_log(log, lambda more: None, {PARTITION: signed})).findings
    assert finding.partition == PARTITION
    assert not finding.show or await log.fetch(finding.show) is not None
    return finding


async def _events(log: asyncpg.Connection) -> list[StoredEvent]:
    return await event_log.read(log, PARTITION, 0, 1_000)


async def _rewrite(
    log: asyncpg.Connection, change: Callable[[list[StoredEvent]], Sequence[StoredEvent]]
) -> list[StoredEvent]:
    """Change the partition's events, and compute positions, digests and the head anew: what a patient forger does."""
    digest = await log.fetchval("select digest from log.genesis where partition = $1", PARTITION)
    written = []
    for position, event in enumerate(change(await _events(log)), 1):
        link = event.link._replace(position=position)
        digest = next_digest(digest, link)
        written.append(StoredEvent(link, digest))
    await log.execute("delete from log.events where partition = $1", PARTITION)
    await event_log.append(log, {PARTITION: written})
    return written


async def _move(log: asyncpg.Connection, *moves: tuple[int, int]) -> None:
    for old, new in moves:
        await log.execute(
            "update log.events set position = $3 where partition = $1 and position = $2", PARTITION, old, new
        )


async def _make_room(log: asyncpg.Connection, position: int) -> None:
    """Move the events from `position` on one place up, and the head with them."""
    await _move(log, *((old, old + 1) for old in range(EVENTS, position - 1, -1)))
    await log.execute("update log.log_head set position = position + 1 where partition = $1", PARTITION)


async def _copy(log: asyncpg.Connection, *, position: int, to_position: int) -> None:
    await log.execute(
        "insert into log.events select partition, $3, stream, 1000, type, schema, data, meta, recorded_at, digest"
        " from log.events where partition = $1 and position = $2",
        PARTITION,
        position,
        to_position,
    )


async def _fit_digest(log: asyncpg.Connection, position: int) -> None:
    """Compute the digest of one event anew, after the one before it."""
    before, event = (await _events(log))[position - 2 : position]
    digest = next_digest(before.digest, event.link)
    await log.execute(
        "update log.events set digest = $3 where partition = $1 and position = $2", PARTITION, position, digest
    )


async def test_an_untouched_log_verifies(log: asyncpg.Connection) -> None:
    heard: list[int] = []
    verified = await verify_log(log, heard.append)
    assert (verified.events, verified.findings) == (EVENTS, ())
    assert sum(heard) == EVENTS


@pytest.mark.parametrize("position", [1, 4, EVENTS])
@pytest.mark.parametrize(
    "change",
    [
        "data = set_byte(data, 3, get_byte(data, 3) # 1)",
        'meta = \'{"cause":"somebody else"}\'',
        "recorded_at = recorded_at - interval '1 microsecond'",
        "recorded_at = 'infinity'",
        "stream = 'tally-t9'",
        "version = 99",
        "type = 'tally.closed'",
        "schema = 2",
    ],
)
async def test_an_altered_event_is_found(log: asyncpg.Connection, change: str, position: int) -> None:
    await log.execute(f"update log.events set {change} where partition = $1 and position = $2", PARTITION, position)
    finding = await _found(log)
    assert (finding.position, finding.what) == (position, Wrong.ALTERED)
    assert "changed too" not in finding.found
    if position > 1 and "infinity" not in change:
        stored = (await _events(log))[position - 1].digest.hex()[:16]
        assert finding.expected == f"content that gives {stored}"


async def test_an_altered_digest_is_told_from_altered_content(log: asyncpg.Connection) -> None:
    for position in (EVENTS, 4, 1):
        (true,) = [event for event in await _events(log) if event.link.position == position]
        await log.execute(
            "update log.events set digest = sha256(data) where partition = $1 and position = $2", PARTITION, position
        )
        finding = await _found(log)
        assert (finding.position, finding.what) == (position, Wrong.ALTERED)
        assert finding.expected == f"digest {true.digest.hex()[:16]}"


@pytest.mark.parametrize("column", ["digest", "data", "recorded_at", "stream"])
async def test_a_column_without_a_value_is_found(log: asyncpg.Connection, column: str) -> None:
    await log.execute(f"alter table log.events alter {column} drop not null")
    await log.execute(f"update log.events set {column} = null where partition = $1 and position = 4", PARTITION)
    finding = await _found(log)
    assert (finding.position, finding.what) == (4, Wrong.ALTERED)


async def test_a_digest_of_another_length_is_found(log: asyncpg.Connection) -> None:
    await log.execute("alter table log.events drop constraint events_digest_check")
    await log.execute("update log.events set digest = 'x' where partition = $1 and position = 4", PARTITION)
    finding = await _found(log)
    assert (finding.position, finding.what) == (4, Wrong.ALTERED)


@pytest.mark.parametrize("position", [1, 4, EVENTS - 1])
async def test_a_removed_event_is_found(log: asyncpg.Connection, position: int) -> None:
    await log.execute("delete from log.events where partition = $1 and position = $2", PARTITION, position)
    finding = await _found(log)
    assert (finding.position, finding.what) == (position, Wrong.MISSING)
    assert finding.found == f"{position + 1} as the next"


async def test_removed_events_whose_gap_was_closed_are_found(log: asyncpg.Connection) -> None:
    await log.execute("delete from log.events where partition = $1 and position in (4, 5)", PARTITION)
    await _move(log, *((old, old - 2) for old in range(6, EVENTS + 1)))
    await log.execute("update log.log_head set position = position - 2 where partition = $1", PARTITION)
    finding = await _found(log)
    assert (finding.position, finding.what) == (4, Wrong.MISSING)
    assert finding.expected.startswith("2 more before ")


@pytest.mark.parametrize("position", [1, 5, EVENTS])
@pytest.mark.parametrize("copied", [EVENTS + 1, 3])
@pytest.mark.parametrize("fitted", [False, True])
async def test_an_inserted_event_is_found(log: asyncpg.Connection, fitted: bool, copied: int, position: int) -> None:
    await _make_room(log, position)
    await _copy(log, position=copied, to_position=position)
    if fitted and position > 1:
        await _fit_digest(log, position)
    finding = await _found(log)
    assert (finding.position, finding.what) == (position, Wrong.INSERTED)
    assert finding.expected.endswith(f"stands at {position + 1}")


async def test_an_event_at_a_position_that_is_taken_is_found(log: asyncpg.Connection) -> None:
    await _copy(log, position=9, to_position=4)
    finding = await _found(log)
    assert finding.position in (4, 5)
    assert finding.what is Wrong.INSERTED


async def test_an_event_below_the_first_position_is_found(log: asyncpg.Connection) -> None:
    await _copy(log, position=4, to_position=0)
    finding = await _found(log)
    assert (finding.position, finding.what) == (0, Wrong.INSERTED)


@pytest.mark.parametrize(("version", "what"), [(9, Wrong.INSERTED), (1_000, Wrong.NUMBERING)])
async def test_an_event_beyond_the_head_is_found(log: asyncpg.Connection, version: int, what: Wrong) -> None:
    await _copy(log, position=EVENTS, to_position=EVENTS + 1)
    await log.execute("update log.events set version = $1 where version = 1000", version)
    assert (await _found(log)).position == EVENTS + 1
    await _fit_digest(log, EVENTS + 1)
    finding = await _found(log)
    assert (finding.position, finding.what) == (EVENTS + 1, what)


@pytest.mark.parametrize("with_digests", [True, False])
@pytest.mark.parametrize(("one", "other"), [(1, 2), (4, 5), (3, 9), (EVENTS - 1, EVENTS), (1, EVENTS)])
async def test_two_events_that_changed_places_are_found(
    log: asyncpg.Connection, one: int, other: int, with_digests: bool
) -> None:
    await _move(log, (one, 1_000), (other, one), (1_000, other))
    if not with_digests:
        a, b = [(await _events(log))[position - 1].digest for position in (one, other)]
        for position, digest in ((one, b), (other, a)):
            await log.execute(
                "update log.events set digest = $3 where partition = $1 and position = $2", PARTITION, position, digest
            )
    finding = await _found(log)
    assert (finding.position, finding.what) == (one, Wrong.REORDERED)
    assert finding.expected.endswith(f"which stands at {other}")


async def test_a_cut_tail_is_found(log: asyncpg.Connection) -> None:
    await log.execute("delete from log.events where partition = $1 and position > 7", PARTITION)
    finding = await _found(log)
    assert (finding.position, finding.what) == (8, Wrong.MISSING)
    assert (finding.expected, finding.found) == ("12 events, as the head says", "7 events")


async def test_an_altered_head_is_found(log: asyncpg.Connection) -> None:
    await log.execute("update log.log_head set digest = sha256(digest) where partition = $1", PARTITION)
    finding = await _found(log)
    assert (finding.position, finding.what) == (EVENTS, Wrong.HEAD)


@pytest.mark.parametrize("position", [EVENTS - 1, EVENTS + 1])
async def test_a_head_at_another_position_is_found(log: asyncpg.Connection, position: int) -> None:
    await log.execute("update log.log_head set position = $2 where partition = $1", PARTITION, position)
    wanted = (EVENTS, Wrong.INSERTED) if position < EVENTS else (EVENTS + 1, Wrong.MISSING)
    finding = await _found(log)
    assert (finding.position, finding.what) == wanted


async def test_a_head_that_was_removed_is_found(log: asyncpg.Connection) -> None:
    await log.execute("delete from log.log_head where partition = $1", PARTITION)
    assert (await _found(log)).what is Wrong.HEAD


async def test_an_altered_genesis_is_found(log: asyncpg.Connection) -> None:
    await log.execute("update log.genesis set document = 'other' where partition = $1", PARTITION)
    finding = await _found(log)
    assert (finding.position, finding.what) == (0, Wrong.GENESIS)


async def test_a_genesis_of_another_service_or_partition_is_found(log: asyncpg.Connection) -> None:
    for service, partition, wanted in (("tally", PARTITION + 1, None), ("claims", PARTITION, "policy")):
        document = chain.genesis_document(service, partition, (await _events(log))[0].link.recorded_at, "00")
        await log.execute(
            "update log.genesis set document = $2, digest = sha256($2) where partition = $1", PARTITION, document
        )
        _, finding = await verify_partition(log, PARTITION, service=wanted)
        assert finding is not None
        assert finding.what is Wrong.GENESIS


async def test_a_genesis_that_was_exchanged_whole_is_found_at_the_first_event(log: asyncpg.Connection) -> None:
    document = chain.genesis_document("tally", PARTITION, (await _events(log))[0].link.recorded_at, "00")
    await log.execute(
        "update log.genesis set document = $2, digest = sha256($2) where partition = $1", PARTITION, document
    )
    finding = await _found(log)
    assert finding.position == 1
    assert finding.found.endswith("or another genesis")


async def test_a_stream_with_a_hole_in_its_versions_is_found_though_every_digest_fits(log: asyncpg.Connection) -> None:
    await _rewrite(log, lambda e: [*e[:4], e[4]._replace(link=e[4].link._replace(version=7)), *e[5:]])
    finding = await _found(log)
    assert (finding.position, finding.what, finding.found) == (5, Wrong.NUMBERING, "version 7")


def _forged(events: list[StoredEvent]) -> list[StoredEvent]:
    link = events[6].link._replace(data=events[6].link.data.replace(b'"amount":6', b'"amount":9'))
    return [*events[:6], events[6]._replace(link=link), *events[7:]]


async def test_only_what_was_signed_shows_that_a_partition_was_rewritten(log: asyncpg.Connection) -> None:
    true = await _events(log)
    await _rewrite(log, _forged)
    assert (await verify_log(log)).findings == ()
    signed = [SignedDigest(e.link.position, e.digest, f"checkpoint {e.link.position}") for e in true]
    finding = await _found(log, signed[4], signed[8], signed[11])
    assert (finding.position, finding.what) == (9, Wrong.REWRITTEN)
    assert finding.expected == f"digest {true[8].digest.hex()[:16]}, signed in checkpoint 9"
    assert finding.found.endswith("at 9, from 6 on")


async def test_only_what_was_signed_shows_that_tail_and_head_were_cut(log: asyncpg.Connection) -> None:
    true = await _events(log)
    await _rewrite(log, lambda events: events[:8])
    assert (await verify_log(log)).findings == ()
    finding = await _found(log, *(SignedDigest(e.link.position, e.digest, "checkpoint 1") for e in (true[3], true[9])))
    assert (finding.position, finding.what) == (9, Wrong.CUT)
    assert finding.expected == "at least 10 events, signed in checkpoint 1"


async def test_what_was_signed_and_is_there_is_no_finding(log: asyncpg.Connection) -> None:
    signed = [SignedDigest(e.link.position, e.digest, "checkpoint") for e in await _events(log)]
    assert (await verify_log(log, None, {PARTITION: signed})).findings == ()
