"""Every Kafka option in one place: topics, the relay's producer, consumers, tails."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from contracts.topics import Topic, is_notices_topic
from services.kernel.errors import WrongTopicSettings

REQUEST_TIMEOUT_MS = 10_000
TRANSACTION_TIMEOUT_MS = 10_000
RETRY_BACKOFF_MS = 500
"""How long a consumer waits while the broker is away. With aiokafka's 100 ms four services that knock take so much of
a small machine that the broker takes longer to start."""

BATCH_BYTES_MAX = 512 * 1024
REQUEST_BYTES_MAX = 1024 * 1024
KEEPS_FOR_EVER = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
"""What a topic must be set to whose tail says how far it was written."""

_REPLICAS_MAX = 3
_VISIBLE_SECONDS_MAX = 30
_TAIL_STEPS = (2, 8, 64, 1024, 65_536)


def relay_producer(bootstrap: str, transactional_id: str) -> AIOKafkaProducer:
    """The relay's producer. Transactional, so that a second relay fences the first."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        transactional_id=transactional_id,
        enable_idempotence=True,
        acks="all",
        # aiokafka writes lz4 at level 9: four times the time of zstd, for records half as large again.
        compression_type="zstd",
        linger_ms=0,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        max_batch_size=BATCH_BYTES_MAX,
        max_request_size=REQUEST_BYTES_MAX,
    )


def channel_producer(bootstrap: str) -> AIOKafkaProducer:
    """A producer for publishing as a channel does: idempotent, acknowledged by all replicas."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        compression_type="lz4",
        linger_ms=5,
        max_batch_size=128 * 1024,
        max_request_size=2 * REQUEST_BYTES_MAX,
    )


def consumer_options(session_timeout_ms: int) -> dict[str, Any]:
    """Options of every inbox subscriber.

    The inbox row decides where reading starts (each assignment seeks), so the reset policy only matters
    for a topic never read before: earliest, because latest would jump over data.
    """
    return {
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",
        "session_timeout_ms": session_timeout_ms,
        "heartbeat_interval_ms": session_timeout_ms // 10,
        "max_poll_interval_ms": 600_000,
        "fetch_max_bytes": 32 * 1024 * 1024,
        "max_partition_fetch_bytes": 4 * 1024 * 1024,
        "check_crcs": True,
    }


def reader(bootstrap: str) -> AIOKafkaConsumer:
    """A consumer without a group, for reading tails and whole topics."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        # Who reads to a known end waits for nothing new; at the end a fetch would hold up `stop` for so long.
        fetch_max_wait_ms=50,
    )


async def ensure_topics(bootstrap: str, topics: Iterable[Topic], partitions: int) -> list[str]:
    """Create the topics that are missing; returns their names."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [topic for topic in topics if topic.name not in existing]
        if not missing:
            return []
        brokers = len((await admin.describe_cluster())["brokers"])
        replicas = min(_REPLICAS_MAX, brokers)
        wanted = [
            NewTopic(topic.name, topic.partitions or partitions, replicas, topic_configs=topic.settings)
            for topic in missing
        ]
        response = await admin.create_topics(wanted)
        for name, code, *_ in response.topic_errors:
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise for_code(code)(f"topic {name} could not be created")
        await _until_visible(admin, {topic.name for topic in missing})
        return [topic.name for topic in missing]
    finally:
        await admin.close()


async def _until_visible(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    # The controller answers before the brokers' metadata shows the topics; whoever publishes next needs to see them.
    async with asyncio.timeout(_VISIBLE_SECONDS_MAX):
        while not names <= set(await admin.list_topics()):
            await asyncio.sleep(0.05)


async def list_topics(bootstrap: str) -> list[str]:
    """Names of all topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return sorted(await admin.list_topics())
    finally:
        await admin.close()


async def notices_topics(bootstrap: str) -> list[str]:
    """Names of the topics on which channels hear from us."""
    return [topic for topic in await list_topics(bootstrap) if is_notices_topic(topic)]


async def topic_settings(bootstrap: str, topic: str) -> dict[str, str]:
    """A topic's settings by name. Raises UnknownTopicOrPartitionError where there is no such topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs=None)
        (response,) = await admin.describe_configs([resource])
    finally:
        await admin.close()
    code, message = response.resources[0][:2]
    if code:
        raise for_code(code)(message)
    return {entry[0]: entry[1] for entry in response.resources[0][4]}


async def partition_counts(bootstrap: str) -> dict[str, int]:
    """How many partitions each topic has."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return {found["topic"]: len(found["partitions"]) for found in await admin.describe_topics()}
    finally:
        await admin.close()


async def check_keeps_for_ever(bootstrap: str, topic: str) -> None:
    """Refuse a topic that would forget records: its tail is a checkpoint."""
    settings = await topic_settings(bootstrap, topic)
    for name, value in KEEPS_FOR_EVER.items():
        if settings.get(name) != value:
            raise WrongTopicSettings(f"{topic}: {name} is {settings.get(name)}, must be {value}")


async def tails(consumer: AIOKafkaConsumer, topic: str, partitions: int) -> dict[int, ConsumerRecord | None]:
    """The last committed record of each partition, None where it is empty."""
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    consumer.assign(places)
    ends = await consumer.end_offsets(places)
    beginnings = await consumer.beginning_offsets(places)
    return {place.partition: await _tail(consumer, place, beginnings[place], ends[place]) for place in places}


async def first_records(consumer: AIOKafkaConsumer, topic: str, partitions: int) -> dict[int, ConsumerRecord | None]:
    """The first committed record that each partition still has, None where it is empty."""
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    consumer.assign(places)
    beginnings, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    return {place.partition: await record_from(consumer, place, beginnings[place], ends[place]) for place in places}


async def record_from(consumer: AIOKafkaConsumer, place: TopicPartition, start: int, end: int) -> ConsumerRecord | None:
    """The first committed record at or after an offset and before the end; None where there is none.

    The partition must be assigned to the consumer. Raises TimeoutError where the broker does not deliver.
    """
    if start >= end:
        return None
    consumer.seek(place, start)
    deadline = time.monotonic() + REQUEST_TIMEOUT_MS / 1000
    while await consumer.position(place) < end:
        records = (await consumer.getmany(place, timeout_ms=200, max_records=1)).get(place, [])
        if records:
            return records[0] if records[0].offset < end else None
        if time.monotonic() > deadline:
            raise TimeoutError(f"{place.topic}/{place.partition} could not be read from {start} on")
    return None


async def _tail(consumer: AIOKafkaConsumer, place: TopicPartition, beginning: int, end: int) -> ConsumerRecord | None:
    # The very last offsets are transaction markers or records of aborted transactions: step back until one comes.
    for step in (*_TAIL_STEPS, end):
        start = max(beginning, end - step)
        last = await _last_record(consumer, place, start, end)
        if last is not None:
            return last
        if start == beginning:
            break
    if beginning > 0:
        raise WrongTopicSettings(f"{place.topic}/{place.partition} forgot its records up to {beginning}")
    # All that was ever sent here belongs to aborted transactions: a relay died in its first one.
    return None


async def _last_record(
    consumer: AIOKafkaConsumer, place: TopicPartition, start: int, end: int
) -> ConsumerRecord | None:
    last: ConsumerRecord | None = None
    async for record in records_between(consumer, place, start, end):
        last = record
    return last


async def records_between(
    consumer: AIOKafkaConsumer, place: TopicPartition, start: int, end: int
) -> AsyncIterator[ConsumerRecord]:
    """The committed records from an offset up to an end; the partition must be assigned to the consumer.

    Raises TimeoutError where the broker delivers nothing for too long.
    """
    if start >= end:
        return
    consumer.seek(place, start)
    deadline = time.monotonic() + REQUEST_TIMEOUT_MS / 1000
    # Only at the end is the last record known to be the last; a slow broker must not pass for an empty topic.
    while await consumer.position(place) < end:
        for record in (await consumer.getmany(place, timeout_ms=200)).get(place, []):
            deadline = time.monotonic() + REQUEST_TIMEOUT_MS / 1000
            yield record
        if time.monotonic() > deadline:
            raise TimeoutError(f"{place.topic}/{place.partition} could not be read up to its end at {end}")


async def abandon(producer: AIOKafkaProducer, seconds: float = 1) -> None:
    """Throw a producer away with all that it holds.

    Its own `stop` first sends what waits, for ever while the broker is away; given up half way, its sender would
    go on alone. A sender that waits for a flush that only itself could do needs to be cancelled a second time.
    """
    producer._closed = True
    sender = producer._sender.sender_task if producer._sender is not None else None
    for _ in range(2):
        if sender is not None and not sender.done():
            sender.cancel()
            await asyncio.wait([sender], timeout=seconds)
    with contextlib.suppress(KafkaError, OSError):
        await producer.client.close()
    if sender is not None and sender.done() and not sender.cancelled():
        # Whoever awaited the records has heard of it.
        sender.exception()
