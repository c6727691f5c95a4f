"""The relay: reads the log in order and writes it to the service's topic; the topic's tail is its checkpoint.

Rules that keep a record from being lost or doubled (aiokafka speaks version 0 of the transaction requests, where
a delayed EndTxn can act on the next transaction): start fences any other relay, then tails are read, then
events are sent; every send is awaited before commit; nothing of ours is aborted; after any error, or a commit
slower than the request timeout, the producer is thrown away and everything starts again from the tails. So it does
where the topic turns out to end before what was sent to it: it was made again, and gets everything from the log.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer

from contracts.envelope import CHAIN_START, place_of
from contracts.topics import channel_topics, dead_letters_topic, events_topic, is_notices_topic
from services.kernel import failpoints, kafka
from services.kernel.cancellation import end_if_cancelled
from services.kernel.commands.dead_letters import mark_published, unpublished
from services.kernel.commands.replies import remove, waiting
from services.kernel.errors import TailAheadOfLog, UndecidedRecords, UnknownEvent, WrongTopicSettings
from services.kernel.log.log_reader import LogReader
from services.kernel.messages import Recorded
from services.kernel.observability import Metrics
from services.kernel.publishing.flight import Flight
from services.kernel.publishing.relay_lock import only_relay
from services.kernel.publishing.told import READ_BACK, READ_BACK_TORN, Told, lost, told
from services.kernel.publishing.topic_ends import SentTo, TopicEnds, topic_ends
from services.kernel.publishing.topic_tail import tail_problem
from services.kernel.publishing.undecided import refuse_undecided
from services.kernel.service import ServiceDefinition
from services.kernel.wire import Record, Tail, notice_record, public_record, send_batches

_RETRY_SECONDS, _RETRY_SECONDS_MAX = 0.5, 2.0
_IDLE_SECONDS = 0.5
_TURN_SECONDS_MIN = 0.03
_SIDE_POLL_SECONDS, _ENDS_SECONDS = 1.0, 2.0
_PAGE_EVENTS = 250
"""Events between two looks at whatever else waits: a long stretch of work would delay commits and HTTP answers."""

log = logging.getLogger(__name__)


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
        self._sent_to = SentTo(self._topic, {})
        self._told, self._torn = Told(), False
        self._side_due = self._ends_due = 0.0
        self.working = self.in_charge = False
        self.stopped_because: str | None = None
        self.standing_still: dict[int, str] = {}
        """Partitions whose next event this build does not know, with the reason."""

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
        pause = _RETRY_SECONDS
        while True:
            end_if_cancelled()
            try:
                async with only_relay(self._pool) as still_only:
                    self.in_charge = True
                    await self._work(still_only)
            except (TailAheadOfLog, WrongTopicSettings) as error:
                self.stopped_because = str(error)
                log.critical("relay stopped: %s", error)
                return
            except (Exception, asyncio.CancelledError) as error:
                end_if_cancelled()  # It was none of ours where aiokafka cancelled what we waited for.
                self._torn = self._torn or isinstance(error, UndecidedRecords)
                log.warning("relay starts again after %s: %s", type(error).__name__, error)
                pause = _RETRY_SECONDS if self.working else min(2 * pause, _RETRY_SECONDS_MAX)
                await asyncio.sleep(pause)
            finally:
                self.working = self.in_charge = False

    async def _work(self, still_only: Callable[[], bool]) -> None:
        await kafka.check_keeps_for_ever(self._bootstrap, self._topic)
        producer = kafka.relay_producer(self._bootstrap, f"{self._definition.name}-relay")
        try:
            async with asyncio.timeout(3 * kafka.REQUEST_TIMEOUT_MS / 1000):
                await producer.start()
            failpoints.hit("relay.initialised")
            async with topic_ends(self._bootstrap) as ends:
                found, name = await ends.look(self._topic, self._partitions), self._definition.name
                await refuse_undecided(producer, self._bootstrap, name, found.undecided, self._partitions)
                self._sent_to = SentTo(self._topic, found.written)
                await self._read_tails()
                failpoints.hit("relay.tails_read")
                await self._reconcile(producer, ends)
                self.working = True
                await self._fly(still_only, producer, ends)
        finally:
            await kafka.abandon(producer)

    async def _reconcile(self, producer: AIOKafkaProducer, ends: TopicEnds) -> None:
        """Where Kafka ended a transaction in parts: remember what channels were told, tell what they were not."""
        name, torn = self._definition.name, self._torn
        self._told = await told(self._bootstrap, name, ends, READ_BACK_TORN if torn else READ_BACK)
        if torn:
            await self._send(producer, await lost(self._told, self._definition, self._page, self._passed))
            self._torn = False

    async def _check_ends(self, ends: TopicEnds) -> None:
        """When idle: nobody would ever read what was committed last, if its marker was forgotten or its topic lost."""
        if time.monotonic() > self._ends_due:
            self._ends_due = time.monotonic() + _ENDS_SECONDS
            found = await ends.look(self._topic, self._partitions)
            if found.undecided:
                raise UndecidedRecords(f"{self._topic} ends with undecided records in partitions {found.undecided}")
            self._sent_to.check(found.written)

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
            if (problem := await tail_problem(self._pool, self._topic, partition, place)) is not None:
                raise TailAheadOfLog(problem)
            self._tails[partition], self._passed[partition] = (
                Tail(place.position, place.chain),
                place.position,
            )

    async def _fly(self, still_only: Callable[[], bool], producer: AIOKafkaProducer, ends: TopicEnds) -> None:
        """One flight in the air at a time. While it is, the next one is made ready where the log has more."""
        ready: Flight | None = None
        while still_only():
            end_if_cancelled()
            started = time.monotonic()
            flight = ready or await self._prepared()
            air = asyncio.ensure_future(self._send(producer, flight.records))
            try:
                # Not past replies that are due or on board: they would be read again before they are removed.
                follows = flight.is_full and time.monotonic() < self._side_due
                ready = await self._collect(flight.passed, flight.tails) if follows else None
                await air
            except BaseException:
                air.cancel()
                await asyncio.wait([air])
                raise
            if not await self._landed(flight):
                await self._reader.grown(self._passed, _IDLE_SECONDS)
                await self._check_ends(ends)
            # A Kafka transaction costs much the same whatever it holds, so a trickle is gathered a little.
            if ready is None:
                await asyncio.sleep(max(0.0, _TURN_SECONDS_MIN - (time.monotonic() - started)))

    async def _prepared(self) -> Flight:
        """The next flight, with replies and dead letters where they are due."""
        side_due = time.monotonic() >= self._side_due
        if side_due:
            self._side_due = time.monotonic() + _SIDE_POLL_SECONDS
        # Replies are read before the events: an outcome then never comes after its repetition.
        replies, letters = await self._side_messages() if side_due else ([], [])
        flight = await self._collect(self._passed, self._tails)
        flight.records += [*(record for _, record in replies), *(record for _, record in letters)]
        flight.replies, flight.letters = [key for key, _ in replies], [key for key, _ in letters]
        if replies or letters:
            self.nudge()  # There may be more.
        return flight

    async def _landed(self, flight: Flight) -> bool:
        """Believe what was committed; whether anything was sent or passed."""
        moved = flight.passed != self._passed
        self._tails, self._passed = flight.tails, flight.passed
        self._metrics.relay_lag.set(self.lag)
        if flight.replies or flight.letters:
            async with self._pool.acquire() as connection:
                await remove(connection, flight.replies)
                await mark_published(connection, flight.letters)
        return moved or bool(flight.records)

    async def _side_messages(self) -> tuple[list[tuple[int, Record]], list[tuple[str, Record]]]:
        async with self._pool.acquire() as connection:
            replies = await waiting(connection, self._batch_events)
            letters = await unpublished(connection, dead_letters_topic(self._definition.name), 20)
        return replies, letters

    async def _collect(self, passed: Sequence[int], tails: Sequence[Tail]) -> Flight:
        """The records of what follows in the log."""
        flight = Flight([], list(passed), list(tails))
        for partition in self._reader.partitions:
            end = passed[partition] + self._batch_events
            while flight.passed[partition] < end:
                await asyncio.sleep(0)
                limit = min(_PAGE_EVENTS, end - flight.passed[partition])
                page = await self._page(partition, flight.passed[partition], limit)
                for recorded in page:
                    flight.tails[partition] = self._convert(recorded, flight.tails[partition], flight.records)
                    flight.passed[partition] = recorded.position
                if len(page) < limit:
                    break
            else:
                flight.is_full = True
        return flight

    async def _page(self, partition: int, after: int, limit: int) -> Sequence[Recorded[Any]]:
        """The next events; none where the next one is of a newer build, whose relay has to send it."""
        try:
            page = await self._reader.read(partition, after, limit)
        except UnknownEvent as unknown:
            if partition not in self.standing_still:
                log.error("relay of partition %d stands still: %s", partition, unknown)
            self.standing_still[partition] = f"partition {partition} is not relayed beyond {after}: {unknown}"
            return ()
        self.standing_still.pop(partition, None)
        return page

    def _convert(self, recorded: Recorded[Any], tail: Tail, records: list[Record]) -> Tail:
        outgoing = self._definition.to_wire(recorded)
        if outgoing is None:
            return tail
        record, tail = public_record(self._definition.name, self._topic, recorded, outgoing, tail)
        records.append(record)
        if outgoing.notice is not None and not self._told.has(recorded.partition, recorded.position):
            records.append(notice_record(self._definition.name, recorded, outgoing.key, outgoing.notice))
        return tail

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[Record]) -> None:
        if not records:
            return
        await self._ensure_topics(records)
        started = time.monotonic()
        await producer.begin_transaction()
        failpoints.hit("relay.begun")
        sent = await send_batches(producer, records)
        async with asyncio.timeout(kafka.REQUEST_TIMEOUT_MS / 1000):
            lie = [place for place in await asyncio.gather(*sent) if place.topic == self._topic]
            for place in lie:
                # On a topic that was made again they would follow on nothing, so they are not committed.
                self._sent_to.check({place.partition: place.offset})
            failpoints.hit("relay.acknowledged")
            await producer.commit_transaction()
            self._sent_to.note((place.partition, place.offset) for place in lie)
            failpoints.hit("relay.committed")
        self._metrics.relay_seconds.observe(time.monotonic() - started)
        self._metrics.relayed.inc(len(records))

    async def _ensure_topics(self, records: Sequence[Record]) -> None:
        topics = {record.topic for record in records} - self._known_topics
        for topic in topics:
            if is_notices_topic(topic):
                channel = topic.split(".")[1]
                await kafka.ensure_topics(self._bootstrap, channel_topics(channel), self._partitions)
        self._known_topics |= topics
