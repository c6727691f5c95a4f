"""Sends a range of the log again, to a topic of a consumer's own: history for whoever comes later.

The records are made from the log as the relay makes them, so they equal those of the live topic byte for byte,
with one header more that says so. The topic's own tail is the checkpoint, as it is the relay's: a run that was
killed goes on where it stopped. Nothing of the service is written to, and the live topic is not even read.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from contracts.envelope import CHAIN_START, REPLAYED, place_of
from contracts.topics import Topic, is_reserved
from services.kernel import clock, kafka
from services.kernel.codec import EventCodec
from services.kernel.errors import NotRepublished
from services.kernel.log import event_log
from services.kernel.service import ServiceDefinition
from services.kernel.wire import Record, Tail, public_record, send_batches

_PAGE_EVENTS = 2_000
_SEND_RECORDS = 8_000
_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")

_START = Tail(0, CHAIN_START)

_FIRST_SINCE = """
select position from log.events where partition = $1 and recorded_at >= $2 order by position limit 1
"""
_LAST_UNTIL = """
select position from log.events where partition = $1 and recorded_at < $2 order by position desc limit 1
"""
_DIGEST = "select digest from log.events where partition = $1 and position = $2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is sent: the events recorded from `since` on and before `until`, of some partitions, from a position on.

    In each partition it is one stretch without holes, from the first such event to the last.
    """

    since: datetime | None = None
    until: datetime | None = None
    partitions: Collection[int] = ()
    from_position: int = 1


@dataclass(frozen=True, slots=True)
class Republished:
    """What a run did: records sent, and records of the selection that the topic had before."""

    run: str
    sent: int
    present: int


@dataclass(slots=True)
class _Stretch:
    """The part of a log partition that is asked for, and how far the walk from the start of the log has come."""

    partition: int
    first: int
    last: int
    begin: int = 0
    found: int = 0
    """Positions of the first and last record that the topic had before this run; 0 for none."""

    position: int = 0
    tail: Tail = _START
    present: int = 0


Progress = Callable[[int, int], None]
"""Hears how many log events were walked, and of how many."""


class Republisher:
    """Sends a selection of one service's log to one topic. A second one for the same topic ends the first."""

    def __init__(self, pool: asyncpg.Pool, bootstrap: str, definition: ServiceDefinition, topic: str) -> None:
        self._pool = pool
        self._bootstrap = bootstrap
        self._definition = definition
        self._topic = topic
        self._codec = EventCodec(definition.events)
        self._run = f"{clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        self._waiting: list[Record] = []
        self._sent = 0

    async def run(self, selection: Selection, progress: Progress | None = None) -> Republished:
        """Send what the topic does not have yet of the selection, up to the log's heads as they are now.

        Raises NotRepublished where the topic is not one to write to or does not fit the selection.
        """
        async with self._pool.acquire() as connection:
            heads = await event_log.heads(connection)
        await self._prepare_topic(selection, len(heads))
        producer = kafka.relay_producer(self._bootstrap, f"republish-{self._topic}")
        try:
            async with asyncio.timeout(3 * kafka.REQUEST_TIMEOUT_MS / 1000):
                # This fences a run that still works on the topic; only then is the tail the truth.
                await producer.start()
            stretches = await self._stretches(selection, heads)
            await self._walk(producer, stretches, progress)
        finally:
            await kafka.abandon(producer)
        return Republished(self._run, self._sent, sum(stretch.present for stretch in stretches))

    async def _prepare_topic(self, selection: Selection, partitions: int) -> None:
        if _NAME.fullmatch(self._topic) is None:
            raise NotRepublished(f"{self._topic!r} is no topic name: letters, digits, dots, hyphens and underscores")
        if is_reserved(self._topic, self._definition.name):
            raise NotRepublished(f"{self._topic} is one of the ledger's own topics; name one of the consumer's own")
        unknown = [partition for partition in selection.partitions if not 0 <= partition < partitions]
        if unknown:
            raise NotRepublished(f"the log has no partition {unknown[0]}; they are 0 to {partitions - 1}")
        own = Topic(self._topic, owner="a consumer", key="contract_id")
        await kafka.ensure_topics(self._bootstrap, [own], partitions)
        found = (await kafka.partition_counts(self._bootstrap))[self._topic]
        if found != partitions:
            raise NotRepublished(
                f"{self._topic} has {found} partitions, the log has {partitions}; name another topic, it will be made"
            )
        await kafka.check_keeps_for_ever(self._bootstrap, self._topic)

    async def _stretches(self, selection: Selection, heads: dict[int, event_log.Head]) -> list[_Stretch]:
        consumer: AIOKafkaConsumer = kafka.reader(self._bootstrap)
        try:
            await consumer.start()
            tails = await kafka.tails(consumer, self._topic, len(heads))
            begins = await kafka.first_records(consumer, self._topic, len(heads))
        finally:
            await asyncio.shield(consumer.stop())
        stretches = []
        async with self._pool.acquire() as connection:
            for partition, head in heads.items():
                if selection.partitions and partition not in selection.partitions:
                    continue
                first, last = await _bounds(connection, partition, selection, head.position)
                stretch = _Stretch(partition, first, last)
                if (begin := begins[partition]) is not None and (tail := tails[partition]) is not None:
                    stretch.begin = await self._own_position(connection, partition, begin)
                    stretch.found = await self._own_position(connection, partition, tail)
                stretches.append(stretch)
        return stretches

    async def _own_position(self, connection: event_log.Connection, partition: int, record: ConsumerRecord) -> int:
        """The position of a record of the topic, once it is known to be a record of this log."""
        headers = dict(record.headers)
        try:
            place = place_of(headers)
        except (KeyError, ValueError):
            place = None
        service = self._definition.name
        if place is None or REPLAYED not in headers or headers.get("ce_source") != f"/{service}".encode():
            raise NotRepublished(f"{self._topic} holds records that did not come from republishing {service}")
        if await connection.fetchval(_DIGEST, partition, place.position) != place.digest:
            raise NotRepublished(
                f"{self._topic}/{partition} has position {place.position} with digest {place.digest.hex()[:16]}, "
                f"which the log of {service} does not have: it was filled from another log, name a new topic"
            )
        return place.position

    async def _walk(self, producer: AIOKafkaProducer, stretches: Sequence[_Stretch], progress: Progress | None) -> None:
        total = sum(stretch.last for stretch in stretches)
        for stretch in stretches:
            # The chain starts with the first event, so what is not asked for is folded all the same.
            while stretch.position < stretch.last:
                await self._page(stretch)
                if progress is not None:
                    progress(sum(each.position for each in stretches), total)
                if len(self._waiting) >= _SEND_RECORDS:
                    await self._send(producer)
        await self._send(producer)

    async def _page(self, stretch: _Stretch) -> None:
        limit = min(_PAGE_EVENTS, stretch.last - stretch.position)
        async with self._pool.acquire() as connection:
            page = await event_log.read(connection, stretch.partition, stretch.position, limit)
        if not page:
            raise NotRepublished(f"partition {stretch.partition} ends at {stretch.position}; run `pledger verify`")
        for stored in page:
            recorded = self._codec.recorded(stored)
            stretch.position = recorded.position
            outgoing = self._definition.to_wire(recorded)
            if outgoing is None:
                continue
            before = stretch.tail.position
            record, stretch.tail = public_record(self._definition.name, self._topic, recorded, outgoing, stretch.tail)
            if recorded.position < stretch.first:
                continue
            self._check_joins(stretch, recorded.position, before)
            if recorded.position <= stretch.found:
                stretch.present += 1
                continue
            headers = [*record.headers, (REPLAYED, self._run.encode())]
            self._waiting.append(replace(record, headers=headers))

    def _check_joins(self, stretch: _Stretch, position: int, before: int) -> None:
        # What is there can only be added to at its end, and a hole would stop every consumer.
        if position < stretch.begin:
            raise NotRepublished(
                f"{self._topic}/{stretch.partition} begins with position {stretch.begin}; {position} cannot be put "
                "before it: name a new topic"
            )
        if 0 < stretch.found < before < stretch.first:
            raise NotRepublished(
                f"{self._topic}/{stretch.partition} ends with position {stretch.found}; to go on with {position} "
                f"would leave out {before}: ask for an earlier start, or name a new topic"
            )

    async def _send(self, producer: AIOKafkaProducer) -> None:
        """One transaction, by the relay's rules: all sends awaited before the commit, and never an abort."""
        if not self._waiting:
            return
        await producer.begin_transaction()
        sent = await send_batches(producer, self._waiting)
        async with asyncio.timeout(kafka.REQUEST_TIMEOUT_MS / 1000):
            await asyncio.gather(*sent)
            await producer.commit_transaction()
        self._sent += len(self._waiting)
        self._waiting = []


async def _bounds(connection: event_log.Connection, partition: int, selection: Selection, head: int) -> tuple[int, int]:
    """First and last position that are asked for; the last is 0 where there is none."""
    first, last = selection.from_position, head
    if selection.since is not None:
        found = await connection.fetchval(_FIRST_SINCE, partition, selection.since)
        first = max(first, head + 1 if found is None else found)
    if selection.until is not None:
        last = min(last, await connection.fetchval(_LAST_UNTIL, partition, selection.until) or 0)
    return (first, last) if first <= last else (first, 0)
