"""The relay: reads the log in order and writes it to the service's topic; the topic's tail is its checkpoint.

Rules that keep a record from being lost or doubled (aiokafka speaks version 0 of the transaction requests, where
a delayed EndTxn can act on the next transaction): start fences any other relay, then tails are read, then
events are sent; every send is awaited before commit; nothing of ours is aborted; after any error, or a commit
slower than the request timeout, the producer is thrown away and everything starts again from the tails.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer

from contracts.envelope import CHAIN_START, place_of
from contracts.topics import NOTICES_PARTITION, channel_topics, dead_letters_topic, events_topic
from services.kernel import failpoints, kafka
from services.kernel.dead_letters import mark_published, unpublished
from services.kernel.errors import TailAheadOfLog, UndecidedRecords, WrongTopicSettings
from services.kernel.log_reader import LogReader
from services.kernel.messages import Recorded
from services.kernel.observability import Metrics
from services.kernel.relay_lock import only_relay
from services.kernel.replies import remove, waiting
from services.kernel.service import ServiceDefinition
from services.kernel.wire import Record, Tail, notice_record, public_record

_RETRY_SECONDS = 0.5
_IDLE_SECONDS = 0.5
_TURN_SECONDS_MIN = 0.03
_SIDE_POLL_SECONDS, _DECIDED_SECONDS = 1.0, 10.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Flight:
    """What goes out in one transaction, and the state of the topic once it is committed."""

    records: list[Record]
    passed: list[int]
    tails: list[Tail]


class Relay:
    """One per service process; of several processes one works and the others stand by."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        bootstrap: str,
        definition: ServiceDefinition,
        log_reader: LogReader,
        metrics: Metrics,
        batch_events: int,
    ) -> None:
        self._pool = pool
        self._bootstrap = bootstrap
        self._definition = definition
        self._topic = events_topic(definition.name)
        self._reader = log_reader
        self._metrics = metrics
        self._batch_events = batch_events
        self._partitions = len(log_reader.partitions)
        self._tails = [Tail(0, CHAIN_START)] * self._partitions
        self._passed = [0] * self._partitions
        self._known_topics: set[str] = set()
        self._side_due = self._decided_due = 0.0
        self.working = False
        self.stopped_because: str | None = None

    @property
    def lag(self) -> int:
        """Log events that are not on the topic yet (private ones not passed yet included)."""
        return sum(h - p for h, p in zip(self._reader.heads, self._passed, strict=True))

    @property
    def passed(self) -> list[int]:
        """The log position up to which each partition is on the topic."""
        return list(self._passed)

    @property
    def published(self) -> list[int]:
        """The log position of the last public event of each partition of the topic."""
        return [tail.position for tail in self._tails]

    def nudge(self) -> None:
        """Look for replies and dead letters at the next turn."""
        self._side_due = 0.0

    async def run(self) -> None:
        """Relay until cancelled. An error that only a person can settle stops it for good and is kept."""
        while True:
            _end_if_cancelled()
            try:
                async with only_relay(self._pool) as still_only:
                    await self._work(still_only)
            except (TailAheadOfLog, WrongTopicSettings) as error:
                self.stopped_because = str(error)
                log.critical("relay stopped: %s", error)
                return
            except (Exception, asyncio.CancelledError) as error:
                _end_if_cancelled()  # It was none of ours where aiokafka cancelled what we waited for.
                log.warning("relay starts again after %s: %s", type(error).__name__, error)
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                self.working = False

    async def _work(self, still_only: Callable[[], bool]) -> None:
        await kafka.check_keeps_for_ever(self._bootstrap, self._topic)
        producer = kafka.relay_producer(self._bootstrap, f"{self._definition.name}-relay")
        try:
            async with asyncio.timeout(3 * kafka.REQUEST_TIMEOUT_MS / 1000):
                await producer.start()
            failpoints.hit("relay.initialised")
            await self._refuse_undecided(producer)
            await self._read_tails()
            failpoints.hit("relay.tails_read")
            self.working = True
            while still_only():
                _end_if_cancelled()
                started = time.monotonic()
                if not await self._turn(producer):
                    await self._reader.grown(self._passed, _IDLE_SECONDS)
                    await self._check_decided()
                # A Kafka transaction costs much the same whatever it holds, so a trickle is gathered a little.
                await asyncio.sleep(max(0.0, _TURN_SECONDS_MIN - (time.monotonic() - started)))
        finally:
            await kafka.abandon(producer)

    async def _check_decided(self) -> None:
        """When idle: nobody would ever read what was committed last, if its marker was forgotten."""
        if time.monotonic() > self._decided_due:
            self._decided_due = time.monotonic() + _DECIDED_SECONDS
            if found := await kafka.undecided(self._bootstrap, self._topic, self._partitions):
                raise UndecidedRecords(f"{self._topic} ends with undecided records in partitions {found}")

    async def _refuse_undecided(self, producer: AIOKafkaProducer) -> None:
        """To start has ended whatever this relay's forerunners left open, so nothing may be open now.

        A coordinator that finds a partition without a leader acknowledges a commit and writes no marker there; such
        records become visible with the next commit, behind a tail that was read without them. A producer that has
        aborted is not used again, because of late EndTxns.
        """
        if not (found := await kafka.undecided(self._bootstrap, self._topic, self._partitions)):
            return
        await producer.begin_transaction()
        await asyncio.gather(*await send_batches(producer, await self._places()))
        await producer.abort_transaction()
        raise UndecidedRecords(f"{self._topic} ended with undecided records in partitions {found}; they are aborted")

    async def _places(self) -> list[Record]:
        """An empty record for each partition that this relay may have written to."""
        places = [(dead_letters_topic(self._definition.name), 0)]
        places += [(self._topic, partition) for partition in range(self._partitions)]
        topics = await kafka.list_topics(self._bootstrap)
        places += [(topic, NOTICES_PARTITION) for topic in topics if topic.startswith("notices.")]
        return [Record(topic, partition, b"", b"", [], 0) for topic, partition in places]

    async def _read_tails(self) -> None:
        consumer = kafka.reader(self._bootstrap)
        try:
            await consumer.start()
            found = await kafka.tails(consumer, self._topic, self._partitions)
        finally:
            # Half stopped, it would go on fetching for ever.
            await asyncio.shield(consumer.stop())
        for partition, record in found.items():
            if record is None:
                self._tails[partition], self._passed[partition] = Tail(0, CHAIN_START), 0
                continue
            place = place_of(dict(record.headers))
            await self._check_against_log(partition, place.position, place.digest)
            self._tails[partition], self._passed[partition] = (
                Tail(place.position, place.chain),
                place.position,
            )

    async def _check_against_log(self, partition: int, position: int, digest: bytes) -> None:
        ours = await self._pool.fetchval(
            "select digest from log.events where partition = $1 and position = $2", partition, position
        )
        if ours != digest:
            raise TailAheadOfLog(
                f"{self._topic}/{partition} ends with position {position}, digest {digest.hex()[:16]}; the log has "
                f"{'no such position' if ours is None else 'digest ' + ours.hex()[:16]} there. The database was "
                "restored to an older state: bring back a newer backup or its WAL"
            )

    async def _turn(self, producer: AIOKafkaProducer) -> bool:
        """Send what there is; whether anything was sent or passed."""
        side_due = time.monotonic() >= self._side_due
        # Replies are read before the events: an outcome then never comes after its repetition.
        replies, letters = await self._side_messages() if side_due else ([], [])
        flight = await self._collect()
        records = [*flight.records, *(record for _, record in replies), *(record for _, record in letters)]
        if records:
            await self._send(producer, records)
        self._tails, moved = flight.tails, flight.passed != self._passed
        self._passed = flight.passed
        self._metrics.relay_lag.set(self.lag)
        if replies or letters:
            async with self._pool.acquire() as connection:
                await remove(connection, [key for key, _ in replies])
                await mark_published(connection, [key for key, _ in letters])
        elif side_due:
            self._side_due = time.monotonic() + _SIDE_POLL_SECONDS
        return moved or bool(records)

    async def _side_messages(self) -> tuple[list[tuple[int, Record]], list[tuple[str, Record]]]:
        async with self._pool.acquire() as connection:
            replies = await waiting(connection, self._batch_events)
            letters = await unpublished(connection, dead_letters_topic(self._definition.name), 20)
        return replies, letters

    async def _collect(self) -> _Flight:
        records: list[Record] = []
        passed, tails = list(self._passed), list(self._tails)
        for partition in self._reader.partitions:
            # Give way between partitions: a long stretch of work would delay commits and HTTP answers.
            await asyncio.sleep(0)
            for recorded in await self._reader.read(partition, passed[partition], self._batch_events):
                tails[partition] = self._convert(recorded, tails[partition], records)
                passed[partition] = recorded.position
        return _Flight(records, passed, tails)

    def _convert(self, recorded: Recorded[Any], tail: Tail, records: list[Record]) -> Tail:
        outgoing = self._definition.to_wire(recorded)
        if outgoing is None:
            return tail
        record, tail = public_record(self._definition.name, self._topic, recorded, outgoing, tail)
        records.append(record)
        if outgoing.notice is not None:
            records.append(notice_record(self._definition.name, recorded, outgoing.key, outgoing.notice))
        return tail

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[Record]) -> None:
        await self._ensure_topics(records)
        started = time.monotonic()
        await producer.begin_transaction()
        failpoints.hit("relay.begun")
        sent = await send_batches(producer, records)
        async with asyncio.timeout(kafka.REQUEST_TIMEOUT_MS / 1000):
            await asyncio.gather(*sent)
            failpoints.hit("relay.acknowledged")
            await producer.commit_transaction()
            failpoints.hit("relay.committed")
        self._metrics.relay_seconds.observe(time.monotonic() - started)
        self._metrics.relayed.inc(len(records))

    async def _ensure_topics(self, records: Sequence[Record]) -> None:
        topics = {record.topic for record in records} - self._known_topics
        for topic in topics:
            if topic.startswith("notices."):
                channel = topic.split(".")[1]
                await kafka.ensure_topics(self._bootstrap, channel_topics(channel), self._partitions)
        self._known_topics |= topics


def _end_if_cancelled() -> None:
    # aiokafka swallows a cancellation that meets it while it closes a client; the service could never stop.
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def send_batches(producer: AIOKafkaProducer, records: Sequence[Record]) -> "list[asyncio.Future[Any]]":
    """Hand the records to the producer in batches, in order within each partition; returns what to await."""
    by_place: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        by_place.setdefault((record.topic, record.partition), []).append(record)
    sent: list[asyncio.Future[Any]] = []
    for (topic, partition), own in by_place.items():
        batch = producer.create_batch()
        for record in own:
            place = {
                "key": record.key,
                "value": record.value,
                "timestamp": record.timestamp_ms,
                "headers": record.headers,
            }
            if batch.append(**place) is None:
                sent.append(_heard(await producer.send_batch(batch, topic, partition=partition)))
                batch = producer.create_batch()
                if batch.append(**place) is None:
                    raise ValueError(f"a record of {len(record.value)} bytes does not fit into a batch")
        if batch.record_count():
            sent.append(_heard(await producer.send_batch(batch, topic, partition=partition)))
        failpoints.hit("relay.between_sends")
    return sent


def _heard(sent: "asyncio.Future[Any]") -> "asyncio.Future[Any]":
    # Where a later send fails, nobody comes to ask for the outcome of this one.
    sent.add_done_callback(lambda done: done.cancelled() or done.exception())
    return sent
