"""Both embedded servers: started, used, killed, started again."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from infra.errors import FolderInUse
from infra.local import kafka, postgres
from infra.local.embedded import Addresses, embedded_servers
from tests.integration.infra.processes import CHECKOUT, all_gone, descendants, eventually, kill, python, unprivileged

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

TOPIC = "facts"
RUN_SERVERS = """
import sys, time
from pathlib import Path
from infra.local.embedded import embedded_servers

with embedded_servers(Path(sys.argv[1]), lambda _: None) as addresses:
    print(addresses.kafka, addresses.postgres, flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "run_servers.py"
    file.write_text(RUN_SERVERS)
    return file


async def test_what_is_written_is_still_there_after_a_restart_at_the_same_addresses(tmp_path: Path) -> None:
    with embedded_servers(tmp_path / "stack", lambda _: None) as first:
        await _create(first)
        await _write(first, b"one")
    with embedded_servers(tmp_path / "stack", lambda _: None) as second:
        await _write(second, b"two")
        assert await _read_all(second) == ([b"one", b"two"], [b"one", b"two"])
    assert second == first


async def test_a_second_stack_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with embedded_servers(tmp_path, lambda _: None), pytest.raises(FolderInUse), embedded_servers(tmp_path, print):
        pass


async def test_the_database_is_durable_and_checks_its_pages(tmp_path: Path) -> None:
    with embedded_servers(tmp_path, lambda _: None) as addresses:
        connection = await asyncpg.connect(addresses.postgres)
        names = ("data_checksums", "fsync", "full_page_writes", "synchronous_commit")
        shown = {name: await connection.fetchval(f"show {name}") for name in names}
        version = await connection.fetchval("show server_version_num")
        await connection.close()
    assert set(shown.values()) == {"on"}
    assert int(version) // 10_000 == 18


async def test_a_killed_parent_leaves_no_process_and_the_next_start_finds_the_data(
    tmp_path: Path, script: Path
) -> None:
    folder = tmp_path / "stack"
    parent = python(script, str(folder), "600")
    addresses = _printed(parent)
    await _create(addresses)
    await _write(addresses, b"one")
    orphans = descendants(parent.pid)
    assert {process.name() for process in orphans} >= {"java", "postgres"}
    kill(parent)

    # At once, while the former servers still stop: the start has to wait for them by itself.
    with embedded_servers(folder, lambda _: None) as again:
        assert all_gone(orphans)
        assert await _read_all(again) == ([b"one"], [b"one"])


async def test_servers_that_were_killed_themselves_start_again(tmp_path: Path, script: Path) -> None:
    folder = tmp_path / "stack"
    parent = python(script, str(folder), "600")
    addresses = _printed(parent)
    await _create(addresses)
    await _write(addresses, b"one")
    servers = descendants(parent.pid)
    for process in servers:
        process.kill()
    kill(parent)
    assert all_gone(servers)
    assert (folder / "postgres" / "data" / "postmaster.pid").exists()

    with embedded_servers(folder, lambda _: None) as again:
        assert (await _read_all(again))[0] == [b"one"]


async def test_servers_that_end_by_themselves_start_again_at_the_same_addresses(tmp_path: Path) -> None:
    said: list[str] = []
    with embedded_servers(tmp_path / "stack", said.append) as addresses:
        await _create(addresses)
        await _write(addresses, b"one")
        former = [child for child in descendants(os.getpid()) if _is_below(child, tmp_path)]
        assert {child.name() for child in former} >= {"java", "postgres"}
        for process in former:
            process.kill()
        assert all_gone(former)
        assert eventually(lambda: _both_answer(addresses))
        await _write(addresses, b"two")
        assert await _read_all(addresses) == ([b"one", b"two"], [b"one", b"two"])
        again = [child for child in descendants(os.getpid()) if _is_below(child, tmp_path)]
    assert all_gone(again)
    assert {text.partition(";")[0] for text in said} >= {"PostgreSQL ended", "Kafka ended"}


def _is_below(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.cwd().startswith(str(folder))
    except psutil.Error:
        return False


def _both_answer(addresses: Addresses) -> bool:
    ports = (int(addresses.kafka.rpartition(":")[2]), urlsplit(addresses.postgres).port or 0)
    return kafka.is_ready(ports[0]) and postgres.is_ready(ports[1])


def test_the_servers_run_below_a_folder_that_only_their_owner_may_enter(tmp_path: Path, script: Path) -> None:
    """For root this is a home of mode 700, which the account that PostgreSQL runs as cannot pass through."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    completed = subprocess.run(
        [sys.executable, str(script), str(private / "stack"), "0"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "postgresql://" in completed.stdout
    assert private.stat().st_mode & 0o777 == 0o700


def test_postgres_never_runs_as_root(tmp_path: Path, script: Path) -> None:
    parent = python(script, str(tmp_path / "stack"), "600")
    try:
        _printed(parent)
        owners = {process.uids().real for process in descendants(parent.pid) if process.name() == "postgres"}
    finally:
        parent.terminate()
        parent.wait()
    assert owners
    assert 0 not in owners
    if os.geteuid() == 0:
        assert unprivileged().pw_uid != 0


async def _create(addresses: Addresses) -> None:
    connection = await asyncpg.connect(addresses.postgres)
    await connection.execute("create table fact (id int generated always as identity, said bytea)")
    await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=addresses.kafka)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()


async def _write(addresses: Addresses, said: bytes) -> None:
    connection = await asyncpg.connect(addresses.postgres)
    await connection.execute("insert into fact (said) values ($1)", said)
    await connection.close()
    producer = AIOKafkaProducer(
        bootstrap_servers=addresses.kafka, transactional_id="facts", transaction_timeout_ms=10_000
    )
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(TOPIC, said)
    await producer.stop()


async def _read_all(addresses: Addresses) -> tuple[list[bytes], list[bytes]]:
    connection = await asyncpg.connect(addresses.postgres)
    rows = await connection.fetch("select said from fact order by id")
    await connection.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=addresses.kafka, isolation_level="read_committed")
    await consumer.start()
    partition = TopicPartition(TOPIC, 0)
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    end = (await consumer.end_offsets([partition]))[partition]
    read: list[bytes] = []
    while await consumer.position(partition) < end:
        batch = await consumer.getmany(partition, timeout_ms=1_000)
        read += [record.value for record in batch.get(partition, [])]
    await consumer.stop()
    return [row["said"] for row in rows], read


def _printed(parent: subprocess.Popen[str]) -> Addresses:
    assert parent.stdout is not None
    kafka, postgres = parent.stdout.readline().split()
    return Addresses(kafka=kafka, postgres=postgres)
