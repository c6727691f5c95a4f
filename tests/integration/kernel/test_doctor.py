"""The doctor: each thing that can be wrong is found and told apart, and a healthy service has no finding."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete

from contracts.topics import dead_letters_topic, lane_of
from infra.local.ports import choose_port
from infra.servers import Servers
from services.cli.doctor import REMEDIES
from services.kernel import clock
from services.kernel.process.doctor import Complaint, examine
from tests.support.running import PARTITIONS, Home, delete_topics, home_of_a_tally
from tests.support.tally import Count, to

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _findings(home: Home) -> list[tuple[Complaint, str]]:
    found = await examine(home.dsn, home.servers.kafka, home.definition)
    return [(finding.complaint, finding.problem) for finding in found]


async def _run(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.publish(home.ask("count", "t1"))
        for amount in range(5):
            await home.execute(kernel, to("t1", Count("t1", amount)))
        await home.quiet(kernel)


@asynccontextmanager
async def _admin(home: Home) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=home.servers.kafka)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


def test_every_complaint_has_a_remedy() -> None:
    assert set(REMEDIES) == set(Complaint)


async def test_a_healthy_service_has_no_finding_running_or_not(home: Home) -> None:
    assert await _findings(home) == []
    await _run(home)
    assert await _findings(home) == []
    async with home.kernel():
        assert await _findings(home) == []


async def test_a_log_behind_its_topic_is_found_with_both_digests(home: Home) -> None:
    await _run(home)
    partition = lane_of("t1", PARTITIONS)
    async with home.superuser() as superuser:
        await superuser.execute("delete from log.events where partition = $1 and position > 4", partition)
    ((complaint, problem),) = await _findings(home)
    assert complaint == Complaint.LOG_BEHIND_TOPIC
    assert f"{home.events_topic}/{partition} ends with position 6, digest" in problem
    assert "the log has no such position there" in problem


async def test_topics_that_forget_or_have_another_shape_are_found(servers: Servers) -> None:
    async with home_of_a_tally(servers, events_retention_ms=604_800_000) as home, _admin(home) as admin:
        await admin.create_partitions({dead_letters_topic(home.definition.name): NewPartitions(PARTITIONS + 1)})
        assert await _findings(home) == [
            (Complaint.TOPIC_SETTINGS, f"{home.events_topic}: retention.ms is 604800000, must be -1"),
            (
                Complaint.TOPIC_PARTITIONS,
                f"{dead_letters_topic(home.definition.name)} has {PARTITIONS + 1} partitions, the log has {PARTITIONS}",
            ),
        ]


async def test_a_missing_topic_is_found(home: Home) -> None:
    await _run(home)
    await delete_topics(home.servers.kafka, [home.events_topic, home.source_topic])
    assert await _findings(home) == [
        (Complaint.TOPIC_MISSING, f"{home.events_topic} does not exist"),
        (Complaint.TOPIC_MISSING, f"{home.source_topic} does not exist"),
    ]


async def test_a_topic_that_lost_its_beginning_is_found(home: Home) -> None:
    await _run(home)
    partition = lane_of("t1", PARTITIONS)
    async with _admin(home) as admin:
        await admin.delete_records({TopicPartition(home.events_topic, partition): RecordsToDelete(before_offset=1)})
    ((complaint, problem),) = await _findings(home)
    assert complaint == Complaint.TOPIC_BEGINNING
    assert problem.startswith(f"{home.events_topic}/{partition} begins with position ")
    assert problem.endswith("came before it")


async def test_a_source_that_is_not_what_was_read_is_found(home: Home) -> None:
    await _run(home)
    async with home.superuser() as superuser:
        await superuser.execute("update log.inbox set fingerprint = sha256('other')")
    ((complaint, problem),) = await _findings(home)
    assert complaint == Complaint.SOURCE
    assert "has another record at offset 0 than the one that was handled" in problem


@pytest.mark.parametrize(("minutes", "where"), [(5, "behind ours"), (-5, "ahead of ours")])
async def test_a_database_with_another_time_is_found(home: Home, minutes: int, where: str) -> None:
    found = await examine(
        home.dsn, home.servers.kafka, home.definition, lambda: clock.now() + timedelta(minutes=minutes)
    )
    ((complaint, problem),) = [(finding.complaint, finding.problem) for finding in found]
    assert complaint == Complaint.CLOCK
    assert problem.endswith(where)


async def test_an_absent_database_is_not_a_refused_login(home: Home, tmp_path: Path) -> None:
    away = f"postgresql://x:y@127.0.0.1:{choose_port(tmp_path / 'port')}/z"
    found = await examine(away, home.servers.kafka, home.definition)
    assert [finding.complaint for finding in found] == [Complaint.DATABASE_AWAY]
    async with _listening(_refuse_the_password) as port:
        found = await examine(f"postgresql://x:y@127.0.0.1:{port}/z", home.servers.kafka, home.definition)
    assert [finding.complaint for finding in found] == [Complaint.DATABASE_REFUSES]
    assert "password authentication failed" in found[0].problem
    found = await examine(f"{home.servers.postgres}_x", home.servers.kafka, home.definition)
    assert [finding.complaint for finding in found] == [Complaint.DATABASE_MISSING]


async def test_an_absent_kafka_is_not_one_that_does_not_let_us_in(home: Home, tmp_path: Path) -> None:
    found = await examine(home.dsn, f"127.0.0.1:{choose_port(tmp_path / 'port')}", home.definition)
    assert [finding.complaint for finding in found] == [Complaint.KAFKA_AWAY]
    async with _listening(_hang_up) as port:
        found = await examine(home.dsn, f"127.0.0.1:{port}", home.definition)
    assert [finding.complaint for finding in found] == [Complaint.KAFKA_REFUSES]


@asynccontextmanager
async def _listening(serve: Serve) -> AsyncIterator[int]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _refuse_the_password(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """PostgreSQL's answer to a wrong password: no TLS here, then the error."""
    await reader.readexactly(8)
    writer.write(b"N")
    await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big") - 4)
    fields = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "x"\0\0'
    writer.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
    await writer.drain()
    writer.close()


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Kafka's answer to a client that may not talk to it, or does not speak its protocol."""
    await reader.read(4)
    writer.close()
