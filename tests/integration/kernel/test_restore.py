"""Backup and restore on real servers: an older copy is found out and publishes nothing, a newer one puts all right."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from contracts.topics import lane_of
from infra import backup as copies
from infra.errors import BackupFailed
from infra.local.process import ChildProcess, Command
from infra.local.recovery import recovered_server
from services.kernel import postgres
from services.kernel.errors import NotRestored
from services.kernel.process import restoration
from services.kernel.process.doctor import Complaint, examine
from services.kernel.process.runtime import Kernel
from services.kernel.proof.verify import verify_log
from tests.support.running import PARTITIONS, Home, eventually, home_of_a_tally
from tests.support.tally import Count, to
from tests.support.topic_audit import assert_topic_is_the_log

PREFIX = "test"


def _place(home: Home) -> tuple[str, str, str]:
    return home.servers.postgres, home.definition.name, PREFIX


async def _backup(home: Home, file: Path, admin_dsn: str | None = None) -> tuple[int, ...]:
    admin = admin_dsn or home.servers.postgres
    async with restoration.snapshot(admin, home.definition.name, PREFIX) as moment:
        address = postgres.admin_dsn_of(admin, postgres.database_name(home.definition.name, PREFIX))
        await asyncio.to_thread(copies.dump, address, file, moment.id)
    return moment.heads


async def _restore(home: Home, file: Path) -> str | None:
    await restoration.check_stopped(*_place(home))
    await asyncio.to_thread(copies.load, file, await restoration.make_room(*_place(home)))
    await restoration.adopt(*_place(home))
    return await restoration.swap_in(*_place(home))


async def _count(home: Home, kernel: Kernel, *amounts: int) -> None:
    for amount in amounts:
        for tally in ("t1", "t2", "t3"):
            await home.execute(kernel, to(tally, Count(tally, amount)))


async def _relay_stopped(kernel: Kernel) -> bool:
    return kernel.relay.stopped_because is not None


async def _settled(home: Home, *amounts: int) -> None:
    async with home.kernel() as kernel:
        await _count(home, kernel, *amounts)
        await home.publish(home.ask("count", "t4"))
        await home.quiet(kernel)


@pytest.fixture(autouse=True)
async def nothing_kept_aside(home: Home) -> AsyncIterator[None]:
    yield
    for name in await restoration.aside(*_place(home)):
        await restoration.drop_aside(*_place(home), name)


async def test_an_older_backup_publishes_nothing_and_a_newer_one_puts_all_right(home: Home, tmp_path: Path) -> None:
    await _settled(home, 1)
    older = await _backup(home, tmp_path / "older")
    await _settled(home, 2, 3)
    newer = await _backup(home, tmp_path / "newer")
    assert sum(older) == 4
    assert sum(newer) == 11
    topic, log = await home.read_topic(home.events_topic), await home.heads()

    first_aside = await _restore(home, tmp_path / "older")
    assert [head.position for head in (await home.heads()).values()] == list(older)
    async with home.kernel() as kernel:
        await eventually(lambda: _relay_stopped(kernel), "the relay stopped")
        await _count(home, kernel, 100, 200)
        status = await kernel.status()
    digest = log[lane_of("t1", PARTITIONS)].digest.hex()[:16]
    assert not status["ready"]
    (reason,) = status["stopped_because"]
    assert f"{home.events_topic}/" in reason
    assert " ends with position " in reason
    assert "; the log has " in reason
    assert await home.read_topic(home.events_topic) == topic
    findings = await examine(home.dsn, home.servers.kafka, home.definition)
    behind = [finding.problem for finding in findings if finding.complaint == Complaint.LOG_BEHIND_TOPIC]
    assert len(behind) == sum(head.position > 0 for head in log.values())
    assert any(digest in problem for problem in behind)

    second_aside = await _restore(home, tmp_path / "newer")
    assert await home.heads() == log
    assert await examine(home.dsn, home.servers.kafka, home.definition) == []
    await _settled(home, 5)
    assert await assert_topic_is_the_log(home) == 15
    async with home.superuser() as superuser:
        assert (await verify_log(superuser)).findings == ()
    assert await restoration.aside(*_place(home)) == [first_aside, second_aside]


async def test_the_restored_service_has_its_read_models_and_may_still_not_change_events(
    home: Home, tmp_path: Path
) -> None:
    await _settled(home, 1)
    await _backup(home, tmp_path / "copy")
    await _restore(home, tmp_path / "copy")
    await _settled(home, 2)
    async with home.pool() as pool:
        rows = {row["tally"]: row["total"] for row in await pool.fetch("select tally, total from tally_total")}
        for change in ("update log.events set version = 9", "delete from log.events"):
            with pytest.raises(Exception, match="permission denied"):
                await pool.execute(change)
    assert rows == {"t1": 3, "t2": 3, "t3": 3, "t4": 2}
    # A rebuild drops and makes tables, so they must be the service's own.
    async with home.superuser() as superuser:
        owners = await superuser.fetch("select distinct tableowner from pg_tables where schemaname = 'read'")
    assert [row["tableowner"] for row in owners] == [urlsplit(home.dsn).username]


async def test_a_running_service_is_not_restored(home: Home, tmp_path: Path) -> None:
    await _settled(home, 1)
    await _backup(home, tmp_path / "copy")
    async with home.kernel() as kernel:
        with pytest.raises(NotRestored, match="is running"):
            await restoration.check_stopped(*_place(home))
        # Started after the check: the swap itself still does not happen.
        await asyncio.to_thread(copies.load, tmp_path / "copy", await restoration.make_room(*_place(home)))
        await restoration.adopt(*_place(home))
        with pytest.raises(NotRestored, match="was started meanwhile"):
            await restoration.swap_in(*_place(home))
        await _count(home, kernel, 7)
        await home.quiet(kernel)
    await restoration.give_up(*_place(home))
    assert await restoration.aside(*_place(home)) == []
    assert (await home.totals())["t1"] == 8


async def test_the_backup_of_another_service_is_refused(home: Home, tmp_path: Path) -> None:
    async with home_of_a_tally(home.servers) as other:
        await _backup(other, tmp_path / "other")
    await asyncio.to_thread(copies.load, tmp_path / "other", await restoration.make_room(*_place(home)))
    with pytest.raises(NotRestored, match=f"a backup of {other.definition.name}, not of {home.definition.name}"):
        await restoration.adopt(*_place(home))
    await restoration.give_up(*_place(home))


async def test_a_backup_that_was_cut_is_refused_and_none_is_overwritten(home: Home, tmp_path: Path) -> None:
    await _settled(home, 1)
    await _backup(home, tmp_path / "copy")
    with pytest.raises(BackupFailed, match="a backup never overwrites another"):
        copies.dump(home.servers.postgres, tmp_path / "copy")
    whole = (tmp_path / "copy").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(BackupFailed, match="pg_restore failed"):
        await _restore(home, tmp_path / "cut")
    await restoration.give_up(*_place(home))


def test_a_base_backup_with_an_altered_file_is_refused(home: Home, tmp_path: Path) -> None:
    copies.base_backup(home.servers.postgres, tmp_path / "base")
    file = tmp_path / "base" / "global" / "pg_control"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(BackupFailed, match="pg_control is missing or was altered"):
        copies.check_base_backup(tmp_path / "base")
    with pytest.raises(BackupFailed, match="is no base backup"):
        copies.check_base_backup(tmp_path)


async def test_what_was_put_aside_can_be_brought_back(home: Home, tmp_path: Path) -> None:
    await _settled(home, 1)
    await _backup(home, tmp_path / "older")
    await _settled(home, 2)
    now = await home.heads()
    kept = await _restore(home, tmp_path / "older")
    assert kept is not None
    with pytest.raises(NotRestored, match="is not kept aside"):
        await restoration.drop_aside(*_place(home), urlsplit(home.dsn).path[1:])
    await restoration.bring_back(*_place(home), kept)
    assert await home.heads() == now
    await _settled(home, 3)
    await assert_topic_is_the_log(home)


@pytest.fixture
def archive(home: Home, tmp_path: Path) -> Iterator[Path]:
    """A folder that the WAL is written to, as `pledger up` does it with LEDGER_WAL, under a slot of its own."""
    folder, slot = tmp_path / "wal", f"test_{secrets.token_hex(4)}"
    copies.create_slot(home.servers.postgres, folder, slot)
    argv, variables = copies.wal_receiver(home.servers.postgres, folder, slot)
    receiver = ChildProcess(
        Command(
            name="WAL receiver",
            argv=argv,
            log=tmp_path / "wal.log",
            stop_signal=signal.SIGTERM,
            stop_seconds_max=10,
            env=copies.environment(variables),
        )
    )
    yield folder
    receiver.stop()
    copies.drop_slot(home.servers.postgres, slot)


async def test_base_backup_and_wal_bring_back_the_last_event_and_any_moment_before(
    home: Home, archive: Path, tmp_path: Path
) -> None:
    await _settled(home, 1)
    await asyncio.to_thread(copies.base_backup, home.servers.postgres, tmp_path / "base")
    await _settled(home, 2)
    between = [head.position for head in (await home.heads()).values()]
    async with home.superuser() as superuser:
        moment: datetime = await superuser.fetchval("select clock_timestamp()")
    await _settled(home, 3)
    last = [head.position for head in (await home.heads()).values()]
    async with home.superuser() as superuser:
        end = await superuser.fetchval("select pg_current_wal_lsn()::text")

        async def archived() -> bool:
            flushed = "select bool_or(flush_lsn >= $1::text::pg_lsn) from pg_stat_replication"
            return bool(await superuser.fetchval(flushed, end))

        await eventually(archived, "the WAL is archived")
    for until, wanted in ((moment, between), (None, last)):
        file = tmp_path / f"recovered-{until is None}"
        with recovered_server(tmp_path / "base", archive, until) as address:
            assert list(await _backup(home, file, address)) == wanted
    await _restore(home, tmp_path / "recovered-True")
    assert await examine(home.dsn, home.servers.kafka, home.definition) == []
    await _settled(home, 4)
    await assert_topic_is_the_log(home)
