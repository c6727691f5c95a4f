"""Sources: a topic that was made again, or lost records, stops its partition instead of swallowing what is new."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from contracts.topics import Topic, channel_topics, events_topic, orders_topic
from services.kernel import kafka
from services.kernel.errors import NotReseated
from services.kernel.process.runtime import Kernel
from services.kernel.receiving.reseat import reseat
from tests.support.running import PARTITIONS, Home, delete_topics, eventually
from tests.support.tally import Count, to
from tests.support.topic_audit import assert_topic_is_the_log


async def _make_again(home: Home, *topics: Topic) -> None:
    """Delete the topics and make them anew, empty, as after a loss of Kafka."""
    await delete_topics(home.servers.kafka, [topic.name for topic in topics])

    async def gone() -> bool:
        return not {topic.name for topic in topics} & set(await kafka.list_topics(home.servers.kafka))

    await eventually(gone, "the topics are gone")
    await kafka.ensure_topics(home.servers.kafka, topics, PARTITIONS)


def _order(number: int) -> bytes:
    return json.dumps({"tally": f"t{number}", "order_no": f"O-{number}"}).encode()


def _has_stopped(kernel: Kernel, *places: tuple[str, int]) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return set(kernel.stopped_sources) == {TopicPartition(*place) for place in places}

    return holds


@pytest.mark.parametrize(("new_orders", "what"), [(2, "ends at offset 2"), (9, "has another record at offset 4")])
async def test_a_channels_topic_that_was_made_again_stops_and_swallows_no_order(
    channel_home: Home, new_orders: int, what: str
) -> None:
    home, topic = channel_home, orders_topic(channel_home.channel)
    async with home.kernel() as kernel:
        for number in range(5):
            await home.order(_order(number), partition=1)
        await home.quiet(kernel)
    await _make_again(home, channel_topics(home.channel)[0])
    for number in range(100, 100 + new_orders):
        await home.order(_order(number), partition=1)
    async with home.kernel() as kernel:
        await eventually(_has_stopped(kernel, (topic, 1)), "the partition stopped")
        await home.order(_order(50), partition=2)
        await home.publish(home.ask("count", "elsewhere"))
        await eventually(lambda: _counted(home, "elsewhere"), "other partitions go on")
        await eventually(lambda: _opened(home, "t50"), "other partitions of the topic go on")
        status = await kernel.status()
    (reason,) = status["stopped_because"]
    assert not status["ready"]
    assert reason.startswith(f"{topic}/1 {what}")
    assert "t100" not in await home.totals()


async def _counted(home: Home, tally: str) -> bool:
    return (await home.totals()).get(tally, 0) > 0


async def _opened(home: Home, tally: str) -> bool:
    return tally in await home.totals()


async def test_a_topic_that_is_made_again_under_a_running_service_stops_too(channel_home: Home) -> None:
    home, topic = channel_home, orders_topic(channel_home.channel)
    async with home.kernel() as kernel:
        for number in range(5):
            await home.order(_order(number), partition=1)
        await home.quiet(kernel)
        await _make_again(home, channel_topics(home.channel)[0])
        for number in range(100, 103):
            await home.order(_order(number), partition=1)
        await eventually(_has_stopped(kernel, (topic, 1)), "the partition stopped")
    assert "t100" not in await home.totals()


async def test_offsets_that_go_back_without_a_new_assignment_are_compared_too(home: Home) -> None:
    record = home.ask("count", "t1")
    place = TopicPartition(home.source_topic, record.partition)
    async with home.kernel() as kernel:
        await home.publish(record)
        await home.quiet(kernel)
        (subscriber,) = kernel.broker.subscribers
        consumer = subscriber.consumer  # type: ignore[attr-defined]
        consumer.seek(place, 0)
        await home.publish(home.ask("count", "t1", amount=10))
        await home.quiet(kernel)
        assert kernel.stopped_because == []
        async with home.superuser() as superuser:
            await superuser.execute("update log.inbox set fingerprint = sha256('other') where position > 0")
        consumer.seek(place, 0)
        await eventually(_has_stopped(kernel, (home.source_topic, record.partition)), "the partition stopped")
    assert await home.totals() == {"t1": 11}


async def test_records_that_are_gone_from_the_beginning_are_noticed(home: Home) -> None:
    async with home.kernel() as kernel:
        first = home.ask("count", "t1")
        await home.publish(first, home.ask("count", "t1"))
        await home.quiet(kernel)
    admin = AIOKafkaAdminClient(bootstrap_servers=home.servers.kafka)
    await admin.start()
    try:
        place = TopicPartition(home.source_topic, first.partition)
        await admin.delete_records({place: RecordsToDelete(before_offset=2)})
    finally:
        await admin.close()
    async with home.kernel() as kernel:
        await eventually(_has_stopped(kernel, (home.source_topic, first.partition)), "the partition stopped")
        assert "begins at offset 2, so the record handled last, 1, is gone" in kernel.stopped_because[0]


async def test_a_stopped_partition_goes_on_by_itself_once_the_inbox_fits(home: Home) -> None:
    record = home.ask("count", "t1")
    async with home.kernel() as kernel:
        await home.publish(record)
        await home.quiet(kernel)
        async with home.superuser() as superuser:
            (row,) = await superuser.fetch("select * from log.inbox where fingerprint is not null")
            await superuser.execute("update log.inbox set fingerprint = sha256('other')")
    async with home.kernel() as kernel:
        await eventually(_has_stopped(kernel, (home.source_topic, record.partition)), "the partition stopped")
        await home.publish(home.ask("count", "t1", amount=10))
        async with home.superuser() as superuser:
            await superuser.execute(
                "update log.inbox set fingerprint = $1 where partition = $2", row["fingerprint"], row["partition"]
            )
        await home.quiet(kernel)
        assert kernel.stopped_because == []
    assert await home.totals() == {"t1": 11}


async def _reseat(home: Home, topic: str) -> list[int]:
    async with home.pool() as pool, pool.acquire() as connection:
        moved = await reseat(connection, home.servers.kafka, topic, linked=topic == home.source_topic)
    return [each.partition for each in moved]


async def test_a_reseated_service_reads_on_without_a_second_effect(channel_home: Home) -> None:
    home, topic = channel_home, orders_topic(channel_home.channel)
    records = [home.ask("count", tally, amount=amount) for amount in (1, 10) for tally in ("t1", "t2")]
    async with home.kernel() as kernel:
        await home.order(_order(1), partition=1)
        await home.publish(*records)
        await home.quiet(kernel)
        assert await _reseat(home, topic) == await _reseat(home, home.source_topic) == []
    await _make_again(home, channel_topics(home.channel)[0], Topic(home.source_topic, home.source, "tally"))
    # The owner sends all of it again, at other offsets: a marker of a transaction or a lost record lies before it.
    async with home.kernel() as kernel:
        with pytest.raises(NotReseated, match="its relay sends all of it again"):
            await _reseat(home, home.source_topic)
        gap = replace(records[0], headers=[("position", b"0"), ("previous", b"0")])
        await home.publish(gap, *records)
        assert await _reseat(home, home.source_topic) == [gap.partition]
        assert await _reseat(home, topic) == [1]
        await home.publish(home.ask("count", "t1", amount=100))
        for number in (1, 2):
            await home.order(_order(number), partition=1)
        await eventually(lambda: _counted_to(home, "t1", 111), "events are read on")
        await eventually(lambda: _opened(home, "t2"), "orders are read on")
        await home.quiet(kernel)
        assert kernel.stopped_because == []
    totals = await home.totals()
    assert (totals["t1"], totals["t2"]) == (111, 11)
    assert await home.dead_letters() == []


async def _counted_to(home: Home, tally: str, total: int) -> bool:
    return (await home.totals()).get(tally) == total


async def test_a_topic_of_another_log_is_not_reseated(home: Home) -> None:
    record = home.ask("count", "t1")
    async with home.kernel() as kernel:
        await home.publish(record)
        await home.quiet(kernel)
    await _make_again(home, Topic(home.source_topic, home.source, "tally"))
    await home.publish(replace(record, value=record.value + b" "))
    with pytest.raises(NotReseated, match="it comes from another log"):
        await _reseat(home, home.source_topic)


@pytest.mark.parametrize("offset", [0, 3])
async def test_a_group_whose_offsets_were_reset_changes_nothing(home: Home, offset: int) -> None:
    records = [home.ask("count", "t1", amount=amount) for amount in (1, 10, 100)]
    async with home.kernel() as kernel:
        await home.publish(records[0])
        await home.quiet(kernel)
    await home.publish(*records[1:])
    consumer = AIOKafkaConsumer(bootstrap_servers=home.servers.kafka, group_id=f"{home.definition.name}.events")
    await consumer.start()
    try:
        place = TopicPartition(home.source_topic, records[0].partition)
        consumer.assign([place])
        await consumer.commit({place: offset})
    finally:
        await consumer.stop()
    async with home.kernel() as kernel:
        await home.quiet(kernel)
    assert await home.totals() == {"t1": 111}


async def test_our_own_topic_that_was_lost_is_made_again_from_the_log(home: Home) -> None:
    async with home.kernel() as kernel:
        for amount in range(20):
            await home.execute(kernel, to(f"t{amount % 5}", Count(f"t{amount % 5}", amount)))
        await home.quiet(kernel)
    await _make_again(home, Topic(events_topic(home.definition.name), home.definition.name, "tally"))
    async with home.kernel() as kernel:
        await home.execute(kernel, to("t1", Count("t1", 1)))
        await home.quiet(kernel)
    assert await assert_topic_is_the_log(home) == 21
