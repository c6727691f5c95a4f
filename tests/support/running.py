"""Gives the tally service a database and topics of its own, runs its kernel, and publishes what it listens to."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts.envelope import CHAIN_START
from contracts.topics import (
    NOTICES_PARTITION,
    Topic,
    channel_topics,
    dead_letters_topic,
    events_topic,
    lane_of,
    notices_topic,
    orders_topic,
)
from infra.servers import Servers
from services.kernel import kafka, postgres
from services.kernel.codec import EventCodec
from services.kernel.commands.idempotent import CommandResult
from services.kernel.log import event_log
from services.kernel.messages import Instruction, Outgoing, Recorded
from services.kernel.process.runtime import Kernel
from services.kernel.publishing.topic_ends import committed_ends
from services.kernel.service import ServiceDefinition
from services.kernel.settings import ServiceSettings
from services.kernel.wire import Record, Tail, public_record
from tests.support.tally import Asked, Counted, Event, tally_service

PARTITIONS = 4
WAIT_SECONDS_MAX = 60.0
_POLL_SECONDS = 0.01
_RECORDED_AT = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


async def end_relay(kernel: Kernel) -> None:
    """End the relay of a running service, as if it had died."""
    relay = next(task for task in kernel._tasks if task.get_coro().__qualname__ == "Relay.run")  # type: ignore[union-attr]
    relay.cancel()
    await asyncio.wait([relay])


async def eventually(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until it holds. Raises AssertionError naming `what` after WAIT_SECONDS_MAX."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not await holds():
        assert time.monotonic() < deadline, f"still not so after {WAIT_SECONDS_MAX:.0f} s: {what}"
        await asyncio.sleep(_POLL_SECONDS)


@dataclass
class Home:
    """Where one tally service lives: names that nobody else has, a database, topics, and a producer to feed it."""

    servers: Servers
    definition: ServiceDefinition
    source: str
    channel: str
    dsn: str
    producer: AIOKafkaProducer
    partitions: int = PARTITIONS
    _tails: dict[int, Tail] = field(default_factory=dict)
    _ends: dict[tuple[str, int], int] = field(default_factory=dict)
    _commands: int = 0

    @property
    def events_topic(self) -> str:
        """The topic that the service publishes to."""
        return events_topic(self.definition.name)

    @property
    def source_topic(self) -> str:
        """The foreign topic that it listens to."""
        return events_topic(self.source)

    @property
    def codec(self) -> EventCodec:
        """Decodes its log."""
        return EventCodec(self.definition.events)

    def settings(self) -> ServiceSettings:
        """Settings of its process."""
        return ServiceSettings(database=self.dsn, kafka=self.servers.kafka)

    @asynccontextmanager
    async def kernel(self, **changes: Any) -> AsyncIterator[Kernel]:
        """The running service; `changes` replace fields of its definition."""
        kernel = Kernel(replace(self.definition, **changes), self.settings())
        await kernel.start()
        try:
            yield kernel
        finally:
            await kernel.stop()

    @asynccontextmanager
    async def superuser(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection to its database that may do anything."""
        address = urlsplit(self.servers.postgres)._replace(path=urlsplit(self.dsn).path).geturl()
        connection = await asyncpg.connect(address)
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def pool(self) -> AsyncIterator[asyncpg.Pool]:
        """A pool of its own role, as the service uses it."""
        async with await postgres.open_pool(self.dsn, size=4) as pool:
            yield pool

    async def execute(self, kernel: Kernel, instruction: Instruction) -> CommandResult:
        """Carry out a command under a command id of its own."""
        self._commands += 1
        return await kernel.execute(instruction, f"command-{self._commands}")

    def ask(self, what: str, tally: str, *, kind: type[Asked] = Asked, **fields: Any) -> Record:
        """The next record of the foreign topic on the tally's lane. Private events take every other position."""
        partition = lane_of(tally, self.partitions)
        tail = self._tails.get(partition, Tail(0, CHAIN_START))
        event = kind.model_validate({"what": what, "tally": tally, "channel": self.channel, **fields})
        position, digest = tail.position + 2, bytes([partition]) * 32
        place: Recorded[Any] = Recorded(partition, position, f"asked-{tally}", 1, event, _RECORDED_AT, {}, digest)
        record, self._tails[partition] = public_record(
            self.source, self.source_topic, place, Outgoing(tally, event), tail
        )
        return record

    async def publish(self, *records: Record) -> list[int]:
        """Send records in this order; returns their offsets."""
        sent = [
            await self.producer.send(
                record.topic,
                value=record.value,
                key=record.key,
                partition=record.partition,
                headers=record.headers,
                timestamp_ms=record.timestamp_ms,
            )
            for record in records
        ]
        offsets = [(await done).offset for done in sent]
        for record, offset in zip(records, offsets, strict=True):
            self._ends[record.topic, record.partition] = offset + 1
        return offsets

    async def order(self, value: bytes, partition: int = 0) -> int:
        """Publish a message as the channel; returns its offset."""
        record = Record(orders_topic(self.channel), partition, b"key", value, [], 1_767_602_000_000)
        (offset,) = await self.publish(record)
        return offset

    async def quiet(self, kernel: Kernel, *replicas: Kernel) -> None:
        """Wait until all that was published is taken in, relayed, projected and answered.

        Of several replicas, the one whose relay works says how far that is; the read models of all must have come
        as far, for a replica that left them to a newer one has nothing of its own to wait for.
        """

        async def settled() -> bool:
            working = next((each for each in (kernel, *replicas) if each.relay.working), kernel)
            status = await working.status()
            taken = {(entry["topic"], entry["partition"]): entry["next_offset"] for entry in status["inbox"]}
            if any(taken.get(place, 0) < end for place, end in self._ends.items()):
                return False
            if not status["heads"] == status["relayed"] == status["projected"] or status["replies_waiting"]:
                return False
            if any([(await each.status())["projected"] != status["heads"] for each in (kernel, *replicas)]):
                return False
            # A group may have been committed between the first look and the last.
            return await self._told() and (await working.status())["heads"] == status["heads"]

        await eventually(settled, f"{self.definition.name} is quiet")

    async def _told(self) -> bool:
        async with self.superuser() as connection:
            waiting = await connection.fetchval("select count(*) from log.dead_letters where not published")
        return bool(waiting == 0)

    async def log(self) -> dict[int, list[Recorded[Event]]]:
        """All events of each partition of the log."""
        async with self.superuser() as connection:
            return {
                partition: [
                    self.codec.recorded(stored)
                    for stored in await event_log.read(connection, partition, 0, head.position)
                ]
                for partition, head in (await event_log.heads(connection)).items()
            }

    async def heads(self) -> dict[int, event_log.Head]:
        """Position and digest of each partition of the log."""
        async with self.superuser() as connection:
            return await event_log.heads(connection)

    async def totals(self) -> dict[str, int]:
        """The sum of each tally's counts, from its log."""
        found: dict[str, int] = {}
        for events in (await self.log()).values():
            for recorded in events:
                event = recorded.event
                amount = event.amount if isinstance(event, Counted) else 0
                found[event.tally] = found.get(event.tally, 0) + amount
        return found

    async def dead_letters(self) -> list[asyncpg.Record]:
        """The dead letters that it keeps, oldest first."""
        async with self.superuser() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(
                "select * from log.dead_letters order by received_at, source_offset"
            )
            return rows

    async def parked(self) -> list[asyncpg.Record]:
        """The messages that wait behind a dead letter, in their order."""
        async with self.superuser() as connection:
            rows: list[asyncpg.Record] = await connection.fetch("select * from log.parked order by id")
            return rows

    async def read_topic(self, topic: str) -> dict[int, list[ConsumerRecord]]:
        """All committed records of each partition of a topic that is laid out as the log is."""
        return await read_topic(self.servers.kafka, topic, self.partitions)

    async def notices(self) -> list[ConsumerRecord]:
        """What its channel was told, in order."""
        found = await read_topic(self.servers.kafka, notices_topic(self.channel), NOTICES_PARTITION + 1)
        return found[NOTICES_PARTITION]


@asynccontextmanager
async def home_of_a_tally(
    servers: Servers, *, with_channel: bool = False, events_retention_ms: int = -1
) -> AsyncIterator[Home]:
    """Database and topics for a tally service that does not run yet; removed again afterwards."""
    mark = secrets.token_hex(4)
    name, source, channel, prefix = f"tally-{mark}", f"foreign-{mark}", f"shop-{mark}", "test"
    topics = [
        Topic(events_topic(name), name, "tally", retention_ms=events_retention_ms),
        Topic(dead_letters_topic(name), name, "source", message_bytes_max=2 * 1024 * 1024),
        Topic(events_topic(source), source, "tally"),
        *(channel_topics(channel) if with_channel else ()),
    ]
    dsn, _ = await asyncio.gather(
        postgres.provision(servers.postgres, name, prefix, PARTITIONS),
        kafka.ensure_topics(servers.kafka, topics, PARTITIONS),
    )
    producer = kafka.channel_producer(servers.kafka)
    await producer.start()
    try:
        definition = tally_service(name, source, channel if with_channel else None)
        yield Home(servers, definition, source, channel, dsn, producer)
    finally:
        await producer.stop()
        await asyncio.gather(
            delete_topics(servers.kafka, [*(topic.name for topic in topics), notices_topic(channel)]),
            postgres.drop(servers.postgres, name, prefix),
        )


async def delete_topics(bootstrap: str, topics: Sequence[str]) -> None:
    """Delete those of the topics that there are."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        await admin.delete_topics([topic for topic in dict.fromkeys(topics) if topic in existing])
    finally:
        await admin.close()


async def read_topic(bootstrap: str, topic: str, partitions: int) -> dict[int, list[ConsumerRecord]]:
    """All committed records of each partition, from the beginning to the end as it is now."""
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    found: dict[int, list[ConsumerRecord]] = {partition: [] for partition in range(partitions)}
    ends = await committed_ends(bootstrap, topic)
    consumer = kafka.reader(bootstrap)
    await consumer.start()
    try:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        while any([await consumer.position(place) < ends[place.partition] for place in places]):
            for place, records in (await consumer.getmany(*places, timeout_ms=50)).items():
                found[place.partition] += records
    finally:
        await consumer.stop()
    return found
