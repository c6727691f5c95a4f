"""Processes that stand still, and answers that get lost: whoever goes on does nothing twice."""

import asyncio
import json
import os
import signal
import time

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidTxnState

from contracts.topics import channel_topics, lane_of, notices_topic
from services.kernel import kafka
from services.kernel.messages import Instruction
from services.kernel.process.runtime import Kernel
from services.kernel.proof.verify import verify_log
from services.kernel.publishing import relay_lock
from services.kernel.publishing.topic_ends import topic_ends
from services.kernel.receiving.assignment import SeekToInbox
from services.kernel.wire import SENT_AGAIN, notice_record
from tests.support.postgres_proxy import postgres_proxy, through
from tests.support.running import PARTITIONS, Home, delete_topics, end_relay, eventually
from tests.support.tally import Count, Open, to
from tests.support.tally_process import TallyProcess
from tests.support.topic_audit import assert_topic_is_the_log

SESSION_TIMEOUT_MS = 6_000
RELAY_END_SECONDS_MAX = 3.0
TALLIES = ("t1", "t2", "t3", "t4", "t5", "t6")


async def _counted(home: Home, total: int) -> bool:
    return sum((await home.totals()).values()) >= total


async def _count_each(home: Home) -> None:
    await home.publish(*(home.ask("count", tally) for tally in TALLIES))


async def test_a_process_that_stood_still_longer_than_its_session_writes_nothing_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_lock, "SILENT_SECONDS", 2.0)
    settings = home.settings().model_copy(update={"session_timeout_ms": SESSION_TIMEOUT_MS})
    process = TallyProcess(home.definition.name, home.source, settings).start()
    pid = process.pid or 0
    try:
        await _count_each(home)
        await eventually(lambda: _counted(home, 6), "the process counts")
        await _count_each(home)
        os.kill(pid, signal.SIGSTOP)
        async with home.kernel() as successor:
            await _count_each(home)
            await eventually(lambda: _counted(home, 18), "the successor counts")
            await eventually(lambda: _works(successor), "the successor relays")
            os.kill(pid, signal.SIGCONT)
            for _ in range(5):
                await _count_each(home)
                await asyncio.sleep(0.1)
            await eventually(lambda: _counted(home, 48), "all is counted")
            process.terminate()
            await asyncio.to_thread(process.join, 30)
            await home.quiet(successor)
    finally:
        if process.is_alive():
            process.kill()
        process.join()
    assert process.exitcode == 0
    assert await home.totals() == dict.fromkeys(TALLIES, 8)
    assert await assert_topic_is_the_log(home) == 48
    async with home.superuser() as superuser:
        assert (await verify_log(superuser)).findings == ()


async def _works(kernel: Kernel) -> bool:
    return kernel.relay.working


async def test_a_commit_whose_answer_was_lost_counts_once(home: Home) -> None:
    async with postgres_proxy(home.dsn) as proxy:
        home.dsn = through(proxy, home.dsn)
        async with home.kernel() as kernel:
            await _count_each(home)
            await home.quiet(kernel)
            proxy.lose_commits = 1
            await _count_each(home)
            await home.quiet(kernel)
            lost = proxy.lost
            proxy.lose_commits = 1
            result = await home.execute(kernel, to("t1", Count("t1", 10)))
            await home.quiet(kernel)
        assert (lost, proxy.lost) == (1, 2)
    assert result.events == ["tally.counted"]
    assert await home.totals() == {**dict.fromkeys(TALLIES, 2), "t1": 12}
    assert await assert_topic_is_the_log(home) == 13


async def test_a_relay_in_the_middle_of_a_transaction_ends_soon(home: Home) -> None:
    async with home.kernel(sources=()) as kernel:
        for turn in range(6):
            commands = [home.execute(kernel, to(tally, Count(tally, 1))) for tally in TALLIES for _ in range(20)]
            await asyncio.gather(*commands)
            await eventually(lambda: _works(kernel), "the relay works")
            await asyncio.sleep(0.01 * turn)
            started = time.monotonic()
            await end_relay(kernel)
            assert time.monotonic() - started < RELAY_END_SECONDS_MAX
            kernel._tasks = [task for task in kernel._tasks if not task.done()]
            kernel._tasks.append(asyncio.create_task(kernel.relay.run()))
        await home.quiet(kernel)
    assert await assert_topic_is_the_log(home) == 6 * 20 * len(TALLIES)


class _Consumer:
    """Remembers where it was told to go, and which partitions it reads."""

    def __init__(self) -> None:
        self.sought: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.sought[place] = offset

    def pause(self, place: TopicPartition) -> None:
        self.paused.add(place)

    def resume(self, place: TopicPartition) -> None:
        self.paused.discard(place)


async def test_an_assignment_waits_for_the_database_to_say_where_to_begin(home: Home) -> None:
    """Whatever Kafka remembers of the group may have been moved by anybody."""
    record = home.ask("count", "t1")
    async with home.kernel() as kernel:
        await home.publish(record)
        await home.quiet(kernel)
    place = TopicPartition(home.source_topic, record.partition)
    async with home.pool() as pool, home.superuser() as superuser:
        listener = SeekToInbox(pool, home.servers.kafka, {})
        consumer = _Consumer()
        listener.subscriber = type("Subscriber", (), {"consumer": consumer})
        await superuser.execute("alter table log.inbox rename to inbox_away")
        await listener.on_partitions_assigned([place])
        assert (consumer.paused, consumer.sought) == ({place}, {})
        await superuser.execute("alter table log.inbox_away rename to inbox")
        await eventually(lambda: _reads(consumer), "the partition is read again")
        listener.close()
    assert consumer.sought == {place: 1}


async def _reads(consumer: _Consumer) -> bool:
    return not consumer.paused


async def test_nothing_is_sent_behind_records_whose_fate_is_open(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """They would become visible later, behind a tail that was read without them."""
    stranger = kafka.relay_producer(home.servers.kafka, f"stranger-{home.definition.name}")
    await stranger.start()
    try:
        await stranger.begin_transaction()
        await stranger.send_and_wait(home.events_topic, b"open", partition=lane_of("t1", PARTITIONS))
        async with home.kernel(sources=()) as kernel:
            await home.execute(kernel, to("t1", Count("t1", 1)))
            await eventually(lambda: _told(caplog, "undecided records"), "the relay has seen the open records")
            assert not kernel.relay.published[lane_of("t1", PARTITIONS)]
            await stranger.abort_transaction()
            await home.quiet(kernel)
    finally:
        await stranger.stop()
    assert await assert_topic_is_the_log(home) == 1


async def _verify_partitions(home: Home, *, on: bool) -> None:
    """Whether the broker asks the coordinator before it takes a record of a transaction."""
    admin = AIOKafkaAdminClient(bootstrap_servers=home.servers.kafka)
    await admin.start()
    try:
        setting = {"transaction.partition.verification.enable": "true" if on else "false"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", configs=setting)])
    finally:
        await admin.close()


async def _leaves_open(home: Home, place: TopicPartition) -> bool:
    """Whether a record was written of which no coordinator knows; a changed setting takes its time to hold."""
    forgotten = kafka.relay_producer(home.servers.kafka, f"{home.definition.name}-relay")
    await forgotten.start()
    try:
        await forgotten.begin_transaction()
        forgotten._txn_manager.maybe_add_partition_to_txn(place)
        forgotten._txn_manager.partition_added(place)
        await forgotten.send_and_wait(place.topic, b"forgotten", partition=place.partition)
    except InvalidTxnState:
        return False
    finally:
        await kafka.abandon(forgotten)
    return True


async def _tear(home: Home, tally: str) -> int:
    """Leave a record at the end of the events topic whose end Kafka forgot; returns its partition."""
    partition = lane_of(tally, PARTITIONS)
    place = TopicPartition(home.events_topic, partition)
    await _verify_partitions(home, on=False)
    try:
        await eventually(lambda: _leaves_open(home, place), "the broker takes a record without asking")
    finally:
        await _verify_partitions(home, on=True)
    return partition


async def test_records_that_kafka_forgot_to_end_are_aborted_and_sent_again(home: Home) -> None:
    """Written by the relay's own producer to a partition that the coordinator does not count to the transaction."""
    async with home.kernel(sources=()) as kernel:
        await home.execute(kernel, to("t1", Count("t1", 1)))
        await home.quiet(kernel)
    partition = await _tear(home, "t1")
    async with topic_ends(home.servers.kafka) as ends:
        assert (await ends.look(home.events_topic, PARTITIONS)).undecided == [partition]
    async with home.kernel(sources=()) as kernel:
        await home.execute(kernel, to("t1", Count("t1", 1)))
        await home.quiet(kernel)
    assert await assert_topic_is_the_log(home) == 2


def _open(home: Home, tally: str) -> Instruction:
    return to(tally, Open(tally, home.channel, f"N-{tally}"))


async def _notices(home: Home) -> list[tuple[str, bool]]:
    """Order number of each notice that the channel can see, and whether it was sent again."""
    return [
        (json.loads(record.value)["order_no"], SENT_AGAIN in dict(record.headers)) for record in await home.notices()
    ]


async def test_a_notice_that_is_visible_before_its_event_is_not_sent_again(home: Home) -> None:
    """As it is left where Kafka wrote the end of a transaction to some of its partitions only."""
    async with home.kernel(sources=()) as kernel:
        await home.execute(kernel, _open(home, "t1"))
        await home.quiet(kernel)
        await end_relay(kernel)
        await home.execute(kernel, _open(home, "t2"))
    (recorded,) = [one for one in (await home.log())[lane_of("t2", PARTITIONS)] if one.event.tally == "t2"]
    outgoing = home.definition.to_wire(recorded)
    assert outgoing is not None and outgoing.notice is not None
    notice = notice_record(home.definition.name, recorded, outgoing.key, outgoing.notice)
    await home.producer.send_and_wait(notice.topic, notice.value, key=notice.key, headers=notice.headers)
    await _tear(home, "t2")
    async with home.kernel(sources=()) as kernel:
        await home.execute(kernel, _open(home, "t3"))
        await home.quiet(kernel)
    assert sorted(await _notices(home)) == [("N-t1", False), ("N-t2", False), ("N-t3", False)]
    assert await assert_topic_is_the_log(home) == 3


async def test_a_notice_that_is_lost_though_its_event_is_visible_is_sent_again(home: Home) -> None:
    """Aborted with what was undecided, while its event was committed."""
    async with home.kernel(sources=()) as kernel:
        await home.execute(kernel, _open(home, "t1"))
        await home.quiet(kernel)
    await delete_topics(home.servers.kafka, [notices_topic(home.channel)])
    await kafka.ensure_topics(home.servers.kafka, channel_topics(home.channel), PARTITIONS)
    await _tear(home, "t2")
    for tally in ("t2", "t3"):
        async with home.kernel(sources=()) as kernel:
            await home.execute(kernel, _open(home, tally))
            await home.quiet(kernel)
    assert sorted(await _notices(home)) == [("N-t1", True), ("N-t2", False), ("N-t3", False)]


async def _told(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return text in caplog.text
