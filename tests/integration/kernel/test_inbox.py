"""The inbox: every record has its effect exactly once, whatever is delivered again, lost on the way or killed."""

import asyncio
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import lane_of
from services.kernel.messages import Delivery
from services.kernel.process.runtime import Kernel
from services.kernel.receiving.inbox import InboxBatch
from services.kernel.wire import Record
from tests.support.running import PARTITIONS, Home, eventually

TALLIES = ("t1", "t2", "t3", "t4", "t5")


def _consumer(kernel: Kernel) -> AIOKafkaConsumer:
    (subscriber,) = kernel.broker.subscribers
    consumer: AIOKafkaConsumer = subscriber.consumer  # type: ignore[attr-defined]
    return consumer


def _delivered(records: list[Record], first_offset: int = 0) -> list[Delivery]:
    return [
        Delivery(r.topic, r.partition, offset, r.key, r.value, tuple(r.headers), r.timestamp_ms)
        for offset, r in enumerate(records, first_offset)
    ]


def _batch(home: Home, deliveries: list[Delivery]) -> InboxBatch:
    definition = home.definition
    return InboxBatch(
        service=definition.name,
        deliveries=deliveries,
        react=definition.react,
        linked=True,
        definition=definition,
    )


async def _positions(kernel: Kernel) -> dict[int, int]:
    return {entry["partition"]: entry["position"] for entry in (await kernel.status())["inbox"]}


async def test_a_whole_topic_delivered_again_counts_nothing_twice(home: Home) -> None:
    records = [home.ask("count", tally, amount=amount) for amount in (1, 10, 100) for tally in TALLIES]
    async with home.kernel() as kernel:
        await home.publish(*records)
        await home.quiet(kernel)
    expected = dict.fromkeys(TALLIES, 111)
    assert await home.totals() == expected
    for _ in range(2):
        await _forget_group_offsets(home)
        async with home.kernel() as kernel:
            await home.publish(home.ask("count", "later"))
            await home.quiet(kernel)
            consumer = _consumer(kernel)
            wanted = _count(kernel) + len(records)
            await consumer.seek_to_beginning()
            await eventually(partial(_received, kernel, wanted), "the topic was delivered again")
        expected["later"] = expected.get("later", 0) + 1
        assert await home.totals() == expected


def _count(kernel: Kernel) -> int:
    found = kernel.metrics.registry.get_sample_value(
        "ledger_records_received_total", {"service": kernel.definition.name}
    )
    return int(found or 0)


async def _received(kernel: Kernel, records: int) -> bool:
    return _count(kernel) >= records


async def _forget_group_offsets(home: Home) -> None:
    places = [TopicPartition(home.source_topic, partition) for partition in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=home.servers.kafka, group_id=f"{home.definition.name}.events", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(places)
        await consumer.commit(dict.fromkeys(places, 0))
    finally:
        await consumer.stop()


async def test_the_same_batch_twice_is_handled_once(home: Home) -> None:
    deliveries = _delivered([home.ask("count", "t1", amount=amount) for amount in (1, 10)])
    async with home.kernel(sources=()) as kernel:
        for _ in range(2):
            await kernel.handler.commit(_batch(home, deliveries))
        await kernel.handler.commit(_batch(home, [*deliveries, *deliveries]))
    assert await home.totals() == {"t1": 11}


async def test_an_event_names_the_record_that_caused_it(home: Home) -> None:
    record = home.ask("count", "t1")
    record.headers.append(("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
    async with home.kernel() as kernel:
        await home.publish(record)
        await home.quiet(kernel)
        (counted,) = await kernel.history("t1", "tally-t1")
    assert counted.meta == {
        "cause": f"{home.source}/{record.partition}/2",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }


async def test_a_hole_stops_its_partition_alone_until_the_missing_record_comes(home: Home) -> None:
    first, missing, third = (home.ask("count", "t1", amount=amount) for amount in (1, 10, 100))
    elsewhere = home.ask("count", "t2", amount=7)
    assert elsewhere.partition != first.partition
    async with home.kernel(sources=()) as kernel:
        deliveries = _delivered([first, missing, third])
        batch = _batch(home, [deliveries[0], deliveries[2], *_delivered([elsewhere])])
        await kernel.handler.commit(batch)
        assert batch.gaps == {(home.source_topic, first.partition): 1}
        assert await home.totals() == {"t1": 1, "t2": 7}
        healed = _batch(home, deliveries[1:])
        await kernel.handler.commit(healed)
        assert healed.gaps == {}
    assert await home.totals() == {"t1": 111, "t2": 7}


async def test_a_consumer_that_jumped_ahead_goes_back_for_what_it_missed(home: Home) -> None:
    records = [home.ask("count", "t1", amount=amount) for amount in (1, 10, 100)]
    place = TopicPartition(home.source_topic, records[0].partition)
    async with home.kernel() as kernel:
        await home.publish(records[0])
        await home.quiet(kernel)
        _consumer(kernel).seek(place, 2)
        await home.publish(*records[1:])
        await home.quiet(kernel)
    assert await home.totals() == {"t1": 111}


async def test_a_record_that_never_comes_stops_its_partition_and_no_other(home: Home) -> None:
    first, _never_sent, third = (home.ask("count", "t1", amount=amount) for amount in (1, 10, 100))
    async with home.kernel() as kernel:
        await home.publish(first, third)
        await eventually(lambda: _is_taken(kernel, first.partition, 2), "the first record is handled")
        await home.publish(home.ask("count", "t2", amount=7))
        await eventually(lambda: _is_taken(kernel, lane_of("t2", PARTITIONS), 2), "another partition goes on")
        assert (await _positions(kernel))[first.partition] == 2
    assert await home.totals() == {"t1": 1, "t2": 7}


async def _is_taken(kernel: Kernel, partition: int, position: int) -> bool:
    return (await _positions(kernel)).get(partition) == position


async def test_a_backend_that_is_terminated_in_mid_batch_means_another_try_and_one_effect(home: Home) -> None:
    record = home.ask("count", "t1", amount=5)
    async with home.kernel() as kernel, home.superuser() as holder, home.superuser() as superuser:
        async with holder.transaction():
            await holder.execute("select 1 from log.log_head for update")
            await home.publish(record)
            await eventually(lambda: _terminated(superuser), "the batch waits inside its transaction")
        await home.quiet(kernel)
    assert await home.totals() == {"t1": 5}
    assert await home.dead_letters() == []


async def _terminated(superuser: Any) -> bool:
    found = await superuser.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and query like '%log.log_head%for update%' and wait_event_type = 'Lock'"
    )
    return bool(found)


@pytest.mark.parametrize("group_offset_is_kept", [True, False])
async def test_a_restart_goes_on_where_the_inbox_says(home: Home, group_offset_is_kept: bool) -> None:
    for amount in (1, 10):
        async with home.kernel() as kernel:
            await home.publish(home.ask("count", "t1", amount=amount))
            await home.quiet(kernel)
        if not group_offset_is_kept:
            await _forget_group_offsets(home)
    assert await home.totals() == {"t1": 11}


async def test_a_process_that_dies_without_stopping_loses_and_doubles_nothing(home: Home) -> None:
    records = [home.ask("count", tally) for _ in range(40) for tally in TALLIES]
    async with home.kernel() as kernel:
        publishing = asyncio.ensure_future(home.publish(*records))
        await eventually(lambda: _some(home), "some records are handled")
        # Commits end where they stand, as in a crash: what waits for one never hears of it.
        kernel._tasks[0].cancel()
        await publishing
    async with home.kernel() as kernel:
        await home.quiet(kernel)
    assert await home.totals() == dict.fromkeys(TALLIES, 40)


async def _some(home: Home) -> bool:
    return bool(await home.totals())
