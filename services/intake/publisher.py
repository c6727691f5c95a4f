"""Publishes prepared messages on their channels' topics and tells what was published and what was not."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts.topics import lane_of, orders_topic
from services.intake.faults import RowFault
from services.intake.messages import Prepared, Rejected
from services.kernel.kafka import channel_producer, list_topics

FAULTS_KEPT_MAX = 10_000
REPORT_SECONDS = 0.2
_BATCH_BYTES = 64 * 1024
_BATCHES_IN_FLIGHT_MAX = 64
# The loop is left to the producer's sender this often; mapping a row never waits for anything by itself.
_MESSAGES_A_TURN = 256
_PACE_SECONDS = 0.02


class PublishFailed(Exception):
    """Kafka did not take the messages. What was sent before stays; publishing again doubles nothing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far publishing is."""

    rows: int
    published: int
    rejected: int
    seconds: float


@dataclass(slots=True)
class PublishReport:
    """What became of the rows.

    `rows` = rows of published messages + `rejected_rows`. `rejected` holds the first FAULTS_KEPT_MAX faults,
    `faults` counts them all. `missing_channels` are channels named by rows that have no topic yet.
    """

    rows: int = 0
    published: int = 0
    rejected_rows: int = 0
    faults: int = 0
    rejected: list[RowFault] = field(default_factory=list)
    by_channel: Counter[str] = field(default_factory=Counter)
    missing_channels: set[str] = field(default_factory=set)
    seconds: float = 0.0

    def reject(self, rejected: Rejected) -> None:
        """Count rows that make no message."""
        self.rows += len(rejected.lines)
        self.rejected_rows += len(rejected.lines)
        self.faults += len(rejected.faults)
        self.rejected.extend(rejected.faults[: max(0, FAULTS_KEPT_MAX - len(self.rejected))])

    def publish(self, message: Prepared) -> None:
        """Count a message that is on its way."""
        self.rows += len(message.lines)
        self.published += 1
        self.by_channel[message.channel] += 1


async def publish(
    messages: Iterable[Prepared | Rejected],
    bootstrap: str,
    report: Callable[[Progress], None],
    *,
    rate: int | None = None,
    on_rejected: Callable[[Rejected], None] = lambda _: None,
) -> PublishReport:
    """Publish everything that is prepared, in order; returns once all is acknowledged by all replicas.

    `rate` limits it to so many messages a second. Raises PublishFailed where Kafka cannot be reached or
    refuses a batch, and whatever reading the messages raises.
    """
    if rate is not None and rate < 1:
        raise ValueError("rate must be at least 1")
    try:
        existing = frozenset(await list_topics(bootstrap))
        producer = channel_producer(bootstrap)
        await producer.start()
    except (KafkaError, OSError) as error:
        raise PublishFailed(f"Kafka at {bootstrap} cannot be reached: {error}") from error
    try:
        run = _Run(producer, existing, report, on_rejected)
        return await run.publish(messages, rate)
    except KafkaError as error:
        raise PublishFailed(f"Kafka at {bootstrap} did not take a batch: {error}") from error
    finally:
        await producer.stop()


class _Run:
    def __init__(
        self,
        producer: AIOKafkaProducer,
        existing: frozenset[str],
        report: Callable[[Progress], None],
        on_rejected: Callable[[Rejected], None],
    ) -> None:
        self._batches = _Batches(producer)
        self._existing = existing
        self._report = report
        self._on_rejected = on_rejected
        self._found = PublishReport()
        self._started = monotonic()
        self._reported = self._started

    async def publish(self, messages: Iterable[Prepared | Rejected], rate: int | None) -> PublishReport:
        for turn, message in enumerate(messages, 1):
            if isinstance(message, Rejected):
                self._reject(message)
            elif orders_topic(message.channel) not in self._existing:
                self._reject(self._without_topic(message))
            else:
                await self._batches.add(message)
                self._found.publish(message)
                if rate is not None:
                    await self._keep_to(rate)
            if turn % _MESSAGES_A_TURN == 0:
                await asyncio.sleep(0)
                self._tell()
        await self._batches.finish()
        self._found.seconds = monotonic() - self._started
        self._tell(last=True)
        return self._found

    def _reject(self, rejected: Rejected) -> None:
        self._found.reject(rejected)
        self._on_rejected(rejected)

    def _without_topic(self, message: Prepared) -> Rejected:
        # One wrong word in a row must not stop the others, so this is the row's fault and not the run's.
        self._found.missing_channels.add(message.channel)
        reason = f"channel {message.channel} has no topic; make it with: pledger channels add {message.channel}"
        return Rejected((RowFault(message.lines[0][0], "channel", reason),), message.lines)

    async def _keep_to(self, rate: int) -> None:
        while self._found.published > rate * (monotonic() - self._started):
            # What waits in a batch would count as published while no reader can see it.
            await self._batches.send_all()
            await asyncio.sleep(_PACE_SECONDS)

    def _tell(self, *, last: bool = False) -> None:
        now = monotonic()
        if last or now - self._reported >= REPORT_SECONDS:
            self._reported = now
            found = self._found
            self._report(Progress(found.rows, found.published, found.rejected_rows, now - self._started))


class _Batches:
    """One open batch a topic partition: building batches ourselves is four times as fast as single sends."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._open: dict[tuple[str, int], object] = {}
        self._partitions: dict[str, int] = {}
        self._sent: deque[asyncio.Future[object]] = deque()

    async def add(self, message: Prepared) -> None:
        topic = orders_topic(message.channel)
        partitions = self._partitions.get(topic)
        if partitions is None:
            partitions = self._partitions[topic] = len(await self._producer.partitions_for(topic))
        place = (topic, lane_of(message.key, partitions))
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = self._producer.create_batch()
        key = message.key.encode()
        if batch.append(key=key, value=message.value, timestamp=None) is None:  # type: ignore[attr-defined]
            await self._send(place)
            batch = self._open[place] = self._producer.create_batch()
            batch.append(key=key, value=message.value, timestamp=None)
        elif batch.size() >= _BATCH_BYTES:  # type: ignore[attr-defined]
            await self._send(place)

    async def send_all(self) -> None:
        """Send what is open, and hear of failures as early as they are known."""
        for place in list(self._open):
            await self._send(place)

    async def finish(self) -> None:
        """Send what is open and wait until everything is acknowledged."""
        await self.send_all()
        while self._sent:
            await self._sent.popleft()

    async def _send(self, place: tuple[str, int]) -> None:
        topic, partition = place
        batch = self._open.pop(place)
        self._sent.append(await self._producer.send_batch(batch, topic, partition=partition))
        while len(self._sent) > _BATCHES_IN_FLIGHT_MAX or (self._sent and self._sent[0].done()):
            await self._sent.popleft()
