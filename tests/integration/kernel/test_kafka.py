"""Tails of topics: the last committed record of each partition, whatever markers and aborted records lie behind it."""

from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services.kernel import kafka
from services.kernel.errors import WrongTopicSettings
from tests.support.running import PARTITIONS, Home


async def _tails(home: Home) -> dict[int, ConsumerRecord | None]:
    consumer = kafka.reader(home.servers.kafka)
    await consumer.start()
    try:
        return await kafka.tails(consumer, home.events_topic, PARTITIONS)
    finally:
        await consumer.stop()


async def _transaction(home: Home, values: dict[int, list[bytes]], end: Callable[[AIOKafkaProducer], object]) -> None:
    producer = kafka.relay_producer(home.servers.kafka, f"{home.definition.name}-relay")
    await producer.start()
    try:
        await producer.begin_transaction()
        for partition, own in values.items():
            for value in own:
                await producer.send_and_wait(home.events_topic, value, key=b"k", partition=partition)
        await end(producer)  # type: ignore[misc]
    finally:
        await producer.stop()


commit, abort = AIOKafkaProducer.commit_transaction, AIOKafkaProducer.abort_transaction


async def test_the_tail_is_the_last_committed_record(home: Home) -> None:
    assert await _tails(home) == dict.fromkeys(range(PARTITIONS))
    await _transaction(home, {0: [b"a", b"b"], 1: [b"c"]}, commit)
    await _transaction(home, {0: [b"x"] * 3, 1: [b"y"] * 80, 2: [b"z"] * 3}, abort)
    found = {partition: record and record.value for partition, record in (await _tails(home)).items()}
    assert found == {0: b"b", 1: b"c", 2: None, 3: None}


async def test_a_topic_that_forgot_records_is_not_taken_for_an_empty_one(home: Home) -> None:
    await _transaction(home, {0: [b"a", b"b"]}, commit)
    admin = AIOKafkaAdminClient(bootstrap_servers=home.servers.kafka)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(home.events_topic, 0): RecordsToDelete(before_offset=3)})
    finally:
        await admin.close()
    with pytest.raises(WrongTopicSettings, match="forgot its records up to 3"):
        await _tails(home)
