"""FastStream subscribers that hand raw batches to the inbox and survive what happens around them.

FastStream goes on after a handler that raised, and would later commit past the lost batch. So the handler here
never raises: it returns when the batch is in the database, or seeks back to where the batch began.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER

from services.kernel import failpoints, kafka
from services.kernel.commands.command_handler import CommandHandler
from services.kernel.messages import Delivery
from services.kernel.observability import Metrics
from services.kernel.postgres import is_transient
from services.kernel.receiving.assignment import SeekToInbox
from services.kernel.receiving.inbox import InboxBatch
from services.kernel.receiving.reactions import describe
from services.kernel.receiving.sources import delivery_of
from services.kernel.service import React, ServiceDefinition

CHANNEL_PATTERN = r"^orders\.[A-Za-z0-9-]+\.v1$"
_BATCH_TIMEOUT_MS = 10
_BACKOFF_SECONDS = 1.0
_COMMIT_OFFSETS_SECONDS = 1.0
_HOLD_SECONDS = 0.25
_HELD_RECORDS_MAX = 2_000

log = logging.getLogger(__name__)


class Intake:
    """Takes batches of one subscriber into the inbox."""

    def __init__(
        self,
        definition: ServiceDefinition,
        handler: CommandHandler,
        react: React,
        *,
        linked: bool,
        metrics: Metrics,
        before_batch: Callable[[Sequence[Delivery]], Awaitable[None]],
        after_batch: Callable[[InboxBatch], None],
    ) -> None:
        self._definition = definition
        self._handler = handler
        self._react = react
        self._linked = linked
        self._metrics = metrics
        self._before_batch = before_batch
        self._after_batch = after_batch
        self._committed_at = 0.0
        self._to_commit: dict[TopicPartition, int] = {}
        self._held: list[Delivery] = []
        self._turn = asyncio.Lock()
        self._flushing: asyncio.Task[None] | None = None
        self._failures_in_a_row = 0
        self.trouble: str | None = None
        """Why messages are fetched again and again, where they are."""

    async def take(self, records: Sequence[ConsumerRecord], consumer: AIOKafkaConsumer) -> None:
        """Handle one polled batch. Never raises, except when the service is shutting down.

        A batch that asks for nothing is held a moment and handled with the next one: most services skip most
        records, and a transaction for each poll that only moves the inbox was a quarter of the load.
        """
        deliveries = [delivery_of(record) for record in records]
        self._held += deliveries
        async with self._turn:
            if len(self._held) < _HELD_RECORDS_MAX and self._asks_nothing(deliveries):
                if self._flushing is None or self._flushing.done():
                    self._flushing = asyncio.create_task(self._flush(consumer))
                return
            await self._handle(consumer)

    def _asks_nothing(self, deliveries: Sequence[Delivery]) -> bool:
        try:
            return not any(self._react(delivery) for delivery in deliveries)
        except Exception:
            # What cannot be read has to become a dead letter.
            return False

    async def _flush(self, consumer: AIOKafkaConsumer) -> None:
        await asyncio.sleep(_HOLD_SECONDS)
        async with self._turn:
            await self._handle(consumer)

    async def _handle(self, consumer: AIOKafkaConsumer) -> None:
        deliveries, self._held = self._held, []
        if not deliveries:
            return
        batch = InboxBatch(
            service=self._definition.name,
            deliveries=deliveries,
            react=self._react,
            linked=self._linked,
            definition=self._definition,
            failures_before=self._failures_in_a_row,
        )
        try:
            failpoints.hit("inbox.fetched")
            await self._before_batch(deliveries)
            await self._handler.commit(batch)
            failpoints.hit("inbox.committed")
        except Exception as error:
            self.trouble = describe(error)
            text = "batch of %s records not handled, fetching it again: %s"
            log.error(text, len(deliveries), self.trouble, exc_info=not is_transient(error))
            # What was fetched behind it meanwhile must not be handled before it.
            deliveries, self._held = deliveries + self._held, []
            _seek(consumer, _first_offsets(deliveries))
            await asyncio.sleep(_BACKOFF_SECONDS)
            return
        self._failures_in_a_row, self.trouble = batch.failures_in_a_row, None
        self._metrics.received.inc(len(deliveries))
        self._metrics.dead_letters.inc(len(batch.dead))
        self._after_batch(batch)
        if batch.gaps:
            _seek(consumer, {TopicPartition(*place): offset for place, offset in batch.gaps.items()})
            await asyncio.sleep(_BACKOFF_SECONDS)
        await self._commit_offsets(consumer, deliveries, batch)

    async def _commit_offsets(
        self, consumer: AIOKafkaConsumer, deliveries: Sequence[Delivery], batch: InboxBatch
    ) -> None:
        # The group's offset only serves lag displays and the first seek, so once a second is enough.
        for delivery in deliveries:
            if (delivery.topic, delivery.partition) not in batch.gaps:
                self._to_commit[TopicPartition(delivery.topic, delivery.partition)] = delivery.offset + 1
        if time.monotonic() - self._committed_at < _COMMIT_OFFSETS_SECONDS:
            return
        self._committed_at = time.monotonic()
        owned = consumer.assignment()
        offsets = {place: offset for place, offset in self._to_commit.items() if place in owned}
        self._to_commit.clear()
        try:
            if offsets:
                await consumer.commit(offsets)
                failpoints.hit("inbox.offsets_committed")
        except (CommitFailedError, IllegalStateError, KafkaError) as error:
            log.info("group offsets not committed (a rebalance is normal): %s", error)


def subscribe(
    broker: KafkaBroker,
    intake: Intake,
    listener: SeekToInbox,
    *,
    group: str,
    topics: Sequence[str] = (),
    pattern: str | None = None,
    records_max: int,
    session_timeout_ms: int,
) -> None:
    """Declare a batch subscriber of raw bytes that feeds the intake."""
    subscriber = broker.subscriber(
        *topics,
        pattern=pattern,
        group_id=group,
        batch=True,
        max_records=records_max,
        batch_timeout_ms=_BATCH_TIMEOUT_MS,
        ack_policy=AckPolicy.MANUAL,
        parser=_raw,
        decoder=_undecoded,
        listener=listener,
        **kafka.consumer_options(session_timeout_ms),
    )
    listener.subscriber = subscriber

    @subscriber  # type: ignore[untyped-decorator]
    async def take(body: Any, message: KafkaMessage) -> None:
        await intake.take(await listener.screened(message.raw_message), subscriber.consumer)


async def _raw(records: Any) -> KafkaMessage:
    # FastStream's own parser decodes every header as UTF-8; one bad byte would silently drop the batch.
    return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def _undecoded(message: KafkaMessage) -> bytes:
    return b""


def _first_offsets(deliveries: Sequence[Delivery]) -> dict[TopicPartition, int]:
    first: dict[TopicPartition, int] = {}
    for delivery in deliveries:
        first.setdefault(TopicPartition(delivery.topic, delivery.partition), delivery.offset)
    return first


def _seek(consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int]) -> None:
    for place, offset in offsets.items():
        try:
            consumer.seek(place, offset)
        except IllegalStateError:
            log.info("%s is not assigned any more", place)
