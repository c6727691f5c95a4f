"""Compares an events topic with the log that it was made from: position by position, byte for byte.

The log gives what must be there through `to_wire`, as the relay does it. Both are read side by side in pages,
so that a log of any size fits.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts.envelope import CHAIN_START, place_of
from contracts.topics import events_topic
from services.kernel.codec import EventCodec
from services.kernel.errors import UnknownEvent
from services.kernel.log import event_log
from services.kernel.log.event_log import Connection
from services.kernel.messages import Recorded
from services.kernel.proof.finding import Finding, Wrong
from services.kernel.service import ServiceDefinition
from services.kernel.wire import Record, Tail, public_record

_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Records that were compared, public events at the end of the log that are not relayed yet, and what is wrong."""

    records: int
    waiting: int
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The record that a log event must have on the topic."""

    recorded: Recorded[Any]
    record: Record

    @property
    def position(self) -> int:
        return self.recorded.position


class TopicMirror:
    """Compares one partition with the log up to position `until`.

    The end of the topic must have been asked for before `until`, so that the log has all that is on the topic.
    """

    def __init__(self, connection: Connection, definition: ServiceDefinition, partition: int, until: int) -> None:
        self._connection = connection
        self._definition = definition
        self._codec = EventCodec(definition.events)
        self._partition = partition
        self._until = until
        self._topic = events_topic(definition.name)
        self._tail = Tail(0, CHAIN_START)
        self._read = 0
        self._wanted: deque[_Wanted] = deque()
        self._matched = 0

    async def compare(
        self, records: AsyncIterator[ConsumerRecord], relayed: int | None, progress: Callable[[int], None]
    ) -> Mirrored:
        """Compare all records with the log; stops at the first that is wrong.

        `relayed` is the log position that the relay says to have passed, asked before the topic's end was read:
        up to there everything must be on the topic. None where nobody knows: then what is missing at the end waits.
        """
        compared = 0
        try:
            async for record in records:
                wanted = await self._next()
                if wanted is None or _position(record) != wanted.position:
                    return Mirrored(compared, 0, await self._misplaced(wanted, record, records))
                difference = _difference(wanted.record, record)
                if difference is not None:
                    expected, found = difference
                    finding = self._finding(Wrong.TOPIC_ALTERED, wanted, f"{expected}, as the log gives", found)
                    return Mirrored(compared, 0, finding)
                self._wanted.popleft()
                self._matched = wanted.position
                compared += 1
                progress(1)
            return await self._end(compared, relayed)
        except (UnknownEvent, ValueError) as error:
            place = self._read + 1
            return Mirrored(
                compared,
                0,
                Finding(self._partition, place, Wrong.UNREADABLE, "an event of this service", str(error)[:200]),
            )

    async def _end(self, compared: int, relayed: int | None) -> Mirrored:
        waiting = 0
        while (wanted := await self._next()) is not None:
            if relayed is not None and wanted.position <= relayed:
                found = f"the end of the topic behind {self._matched}"
                return Mirrored(compared, 0, self._finding(Wrong.TOPIC_MISSING, wanted, _named(wanted), found))
            self._wanted.popleft()
            waiting += 1
        return Mirrored(compared, waiting, None)

    async def _next(self) -> _Wanted | None:
        """What the next record must be; None behind the log's end."""
        while not self._wanted:
            limit = min(_PAGE, self._until - self._read)
            page = await event_log.read(self._connection, self._partition, self._read, limit) if limit > 0 else []
            if not page:
                return None
            for stored in page:
                self._want(self._codec.recorded(stored))
                self._read = stored.link.position
        return self._wanted[0]

    def _want(self, recorded: Recorded[Any]) -> None:
        outgoing = self._definition.to_wire(recorded)
        if outgoing is not None:
            record, self._tail = public_record(self._definition.name, self._topic, recorded, outgoing, self._tail)
            self._wanted.append(_Wanted(recorded, record))

    async def _misplaced(
        self, wanted: _Wanted | None, record: ConsumerRecord, rest: AsyncIterator[ConsumerRecord]
    ) -> Finding:
        """A record that is not the next one: foreign, doubled, or come too early."""
        position = _position(record)
        found = f"offset {record.offset}: {'no position' if position is None else f'position {position}'}"
        public = position is not None and await self._is_public(position)
        if position is None or not public or (wanted is None and position > self._matched):
            expected = _named(wanted) if wanted else "the end of the topic"
            place = position if position is not None else self._matched + 1
            return Finding(self._partition, place, Wrong.TOPIC_FOREIGN, expected, found)
        if position <= self._matched:
            expected = _named(wanted) if wanted else "the end of the topic"
            return Finding(self._partition, position, Wrong.TOPIC_DOUBLED, expected, found, _subject(record))
        if wanted is None:
            raise AssertionError("a record that is neither expected nor past")
        async for later in rest:
            if _position(later) == wanted.position:
                found += f"; {wanted.position} comes at offset {later.offset}"
                return self._finding(Wrong.TOPIC_REORDERED, wanted, _named(wanted), found)
        return self._finding(Wrong.TOPIC_MISSING, wanted, _named(wanted), found)

    async def _is_public(self, position: int) -> bool:
        found = await event_log.read(self._connection, self._partition, position - 1, 1)
        if not found or found[0].link.position != position:
            return False
        return self._definition.to_wire(self._codec.recorded(found[0])) is not None

    def _finding(self, what: Wrong, wanted: _Wanted, expected: str, found: str) -> Finding:
        return Finding(self._partition, wanted.position, what, expected, found, wanted.recorded.stream)


def _named(wanted: _Wanted) -> str:
    return f"position {wanted.position} ({wanted.recorded.stream} version {wanted.recorded.version})"


def _position(record: ConsumerRecord) -> int | None:
    try:
        return place_of(dict(record.headers)).position
    except (KeyError, ValueError):
        return None


def _subject(record: ConsumerRecord) -> str:
    found: bytes = dict(record.headers).get("ce_subject", b"")
    return found.decode("utf-8", "replace")


def _difference(wanted: Record, found: ConsumerRecord) -> tuple[str, str] | None:
    """The first part of a record that is not what the log gives: what it must be, and what it is."""
    if found.value != wanted.value:
        return _around("value", wanted.value, found.value)
    if found.key != wanted.key:
        return _around("key", wanted.key, found.key)
    if found.timestamp != wanted.timestamp_ms:
        return f"timestamp {wanted.timestamp_ms}", f"timestamp {found.timestamp}"
    if tuple(found.headers) == tuple(wanted.headers):
        return None
    own, other = dict(wanted.headers), dict(found.headers)
    for name in [*own, *other]:
        if own.get(name) != other.get(name):
            return _around(f"header {name}", own.get(name), other.get(name))
    return "headers, each once and in order", f"{len(found.headers)} headers"


def _around(what: str, wanted: bytes | None, found: bytes | None) -> tuple[str, str]:
    """Both texts, cut to where they begin to differ."""
    if wanted is None or found is None:
        return (
            f"{what} {'absent' if wanted is None else _text(wanted)}",
            f"{what} {'absent' if found is None else _text(found)}",
        )
    pairs = zip(wanted, found, strict=False)
    same = next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(wanted), len(found)))
    start = max(0, same - 20)
    dots = "..." if start else ""
    return f"{what} {dots}{_text(wanted[start:])}", f"{what} {dots}{_text(found[start:])}"


def _text(value: bytes) -> str:
    return value[:60].decode("utf-8", "backslashreplace")


async def records_of(consumer: AIOKafkaConsumer, place: TopicPartition, end: int) -> AsyncIterator[ConsumerRecord]:
    """All committed records of a partition up to an end offset, from the first that is left."""
    consumer.assign([place])
    await consumer.seek_to_beginning(place)
    while await consumer.position(place) < end:
        for record in (await consumer.getmany(place, timeout_ms=200, max_records=_PAGE)).get(place, []):
            if record.offset < end:
                yield record
