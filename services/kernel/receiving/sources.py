"""Compares the inbox with the topics that it was filled from: whether they are the same, and nothing is gone.

An offset is only meaningful on the topic that it came from. If Kafka was lost and a topic made again, the offsets of
its new records fall below what the inbox has passed, and they would be taken for known ones and dropped. So the
record that was handled last is looked up and must be what the inbox remembers.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.kernel import kafka
from services.kernel.messages import Delivery
from services.kernel.receiving.inbox import Place, Taken, fingerprint, taken

_COMPARE_SECONDS_MAX = 60


def delivery_of(record: ConsumerRecord) -> Delivery:
    """The kernel's view of a consumed record."""
    return Delivery(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        tuple(record.headers),
        record.timestamp,
    )


async def known_and_problems(
    pool: asyncpg.Pool, bootstrap: str, places: Iterable[TopicPartition]
) -> tuple[Mapping[Place, Taken], dict[TopicPartition, str]]:
    """How far each source was taken in, and which of these places are not what was read, with the reason."""
    async with pool.acquire() as connection:
        known = await taken(connection)
    read_before = {place: known[place] for place in places if place in known and known[place].next_offset}
    return known, await source_problems(bootstrap, read_before) if read_before else {}


async def source_problems(bootstrap: str, inbox: Mapping[Any, Taken]) -> dict[TopicPartition, str]:
    """The places whose last handled record is not where the inbox has it. Raises where Kafka does not answer."""
    problems: dict[TopicPartition, str] = {}
    async with asyncio.timeout(_COMPARE_SECONDS_MAX):
        partitions = await kafka.partition_counts(bootstrap)
        there = {TopicPartition(*place): row for place, row in inbox.items() if place[1] < partitions.get(place[0], 0)}
        for topic, partition in inbox.keys() - there.keys():
            problems[TopicPartition(topic, partition)] = (
                f"{topic}/{partition} does not exist, but the inbox has read it"
            )
        # A consumer that is stopped before it was assigned anything raises a cancellation of its own.
        if not there:
            return problems
        consumer = kafka.reader(bootstrap)
        try:
            await consumer.start()
            for place, row in there.items():
                if (problem := await _problem(consumer, place, row)) is not None:
                    problems[place] = problem
        finally:
            await asyncio.shield(consumer.stop())
    return problems


async def _problem(consumer: AIOKafkaConsumer, place: TopicPartition, row: Taken) -> str | None:
    where, last = f"{place.topic}/{place.partition}", row.next_offset - 1
    consumer.assign([place])
    begin = (await consumer.beginning_offsets([place]))[place]
    end = (await consumer.end_offsets([place]))[place]
    if end <= last:
        return (
            f"{where} ends at offset {end}, but the inbox has handled offset {last}: Kafka lost records, or the topic "
            "was made again"
        )
    if begin > last:
        return f"{where} begins at offset {begin}, so the record handled last, {last}, is gone and cannot be compared"
    found = await kafka.record_from(consumer, place, last, last + 1)
    if found is None or fingerprint(delivery_of(found)) != row.fingerprint:
        return f"{where} has another record at offset {last} than the one that was handled: the topic was made again"
    return None
