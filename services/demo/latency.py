"""Measures what a channel sees: from publishing an order to hearing that its policy is in force."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.channel.notices_v1 import PolicyInForce
from contracts.envelope import event_type_of
from contracts.topics import NOTICES_PARTITION, notices_topic
from services.kernel import kafka


@dataclass(slots=True)
class Latencies:
    """Seconds from order to policy, and the span of all of them. Times are milliseconds since 1970."""

    sent_ms: dict[tuple[str, str], int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    first_sent_ms: int = 0
    last_issued_ms: int = 0

    def sent(self, channel: str, order_no: str, at_ms: int) -> None:
        """Note when an order was published; the first time counts."""
        self.first_sent_ms = min(self.first_sent_ms or at_ms, at_ms)
        self.sent_ms.setdefault((channel, order_no), at_ms)

    def issued(self, channel: str, order_no: str, at_ms: int) -> None:
        """Note when its policy was recorded."""
        sent = self.sent_ms.pop((channel, order_no), None)
        if sent is not None:
            self.seconds.append((at_ms - sent) / 1000)
            self.last_issued_ms = max(self.last_issued_ms, at_ms)

    def percentile(self, share: float) -> float:
        """The latency that `share` of the orders stayed within; 0 where none was measured."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

    @property
    def span_seconds(self) -> float:
        """From the first order published to the last policy recorded."""
        return (self.last_issued_ms - self.first_sent_ms) / 1000 if self.seconds else 0.0


@contextlib.asynccontextmanager
async def listening(bootstrap: str, channels: Iterable[str], latencies: Latencies) -> AsyncIterator[None]:
    """Hear the notices of these channels from now on, into `latencies`."""
    consumer = kafka.reader(bootstrap)
    await consumer.start()
    topics = {notices_topic(channel): channel for channel in channels}
    places = [TopicPartition(topic, NOTICES_PARTITION) for topic in topics]
    consumer.assign(places)
    await consumer.seek_to_end(*places)
    hearing = asyncio.create_task(_hear(consumer, topics, latencies))
    try:
        yield
    finally:
        hearing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hearing
        await consumer.stop()


async def _hear(consumer: AIOKafkaConsumer, topics: dict[str, str], latencies: Latencies) -> None:
    wanted = PolicyInForce.event_type
    while True:
        for place, records in (await consumer.getmany(timeout_ms=200)).items():
            for record in records:
                # A repeated notice tells of an old policy.
                if event_type_of(record.headers) == wanted and not any(n == "repeated" for n, _ in record.headers):
                    order_no = orjson.loads(record.value)["order_no"]
                    latencies.issued(topics[place.topic], order_no, record.timestamp)
