"""What channels can see already: of each notice there is to be one, even where Kafka ended a transaction in parts.

A coordinator that comes back and finds a partition without a leader acknowledges a commit and writes no marker there.
What is undecided at the end of the events topic is aborted and sent again (see `undecided`), though notices of the same
transaction may be visible; and with it notices are aborted whose events may be visible. A notice is known by its id.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts.topics import NOTICES_PARTITION
from services.kernel import kafka
from services.kernel.messages import Recorded
from services.kernel.publishing.topic_ends import TopicEnds
from services.kernel.service import ServiceDefinition
from services.kernel.wire import SENT_AGAIN, Record, notice_place, notice_record

READ_BACK, READ_BACK_TORN = 2_000, 20_000
"""Offsets from the end of each notices topic, at every start of a relay and after a torn transaction."""
EVENTS_BACK = 1_000
"""Events of each partition of which some may be in a torn transaction."""

Page: TypeAlias = Callable[[int, int, int], Awaitable[Sequence[Recorded[Any]]]]
"""The next events of a partition after a position, at most so many."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Told:
    """The notices of one service that are visible in what was read, as (partition, position) of their events.

    `since` says by topic and partition from which position on a notice that is not visible was never told: a relay
    sends them in order, so whatever follows the first one in the stretch lies in it.
    """

    places: set[tuple[int, int]] = field(default_factory=set)
    since: dict[tuple[str, int], int] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)

    def has(self, partition: int, position: int) -> bool:
        """Whether the notice of this event is visible."""
        return (partition, position) in self.places

    def lacks(self, topic: str, partition: int, position: int) -> bool:
        """Whether the notice of this event should be on the topic and is not; not where the stretch began behind it."""
        began = 0 if topic in self.whole else self.since.get((topic, partition))
        return began is not None and position > began and not self.has(partition, position)

    def take(self, service: str, record: ConsumerRecord) -> None:
        """Note a visible notice."""
        place = notice_place(service, record.headers)
        if place is None:
            return
        self.places.add(place)
        # One that was sent again does not lie where it would have lain.
        if SENT_AGAIN not in dict(record.headers):
            self.since.setdefault((record.topic, place[0]), place[1])


async def told(bootstrap: str, service: str, ends: TopicEnds, read_back: int) -> Told:
    """Read the last stretch of every notices topic. Raises TimeoutError where the broker does not deliver.

    A topic that ends in somebody's open transaction hides what lies behind its beginning; nothing is said of it.
    """
    found = Told()
    topics = await kafka.notices_topics(bootstrap)
    consumer = kafka.reader(bootstrap)
    try:
        await consumer.start()
        for topic in topics:
            written = await ends.look(topic, NOTICES_PARTITION + 1)
            if not written.undecided:
                place = TopicPartition(topic, NOTICES_PARTITION)
                await _read(consumer, place, written.written[NOTICES_PARTITION], service, read_back, found)
    finally:
        # Half stopped, it would go on fetching for ever.
        await asyncio.shield(consumer.stop())
    return found


async def _read(
    consumer: AIOKafkaConsumer, place: TopicPartition, end: int, service: str, read_back: int, found: Told
) -> None:
    consumer.assign([place])
    beginning = (await consumer.beginning_offsets([place]))[place]
    start = max(beginning, end - read_back)
    if start == 0:
        found.whole.add(place.topic)
    async for record in kafka.records_between(consumer, place, start, end):
        found.take(service, record)


async def lost(
    found: Told, definition: ServiceDefinition, page: Page, passed: Sequence[int], back: int = EVENTS_BACK
) -> list[Record]:
    """Notices that nobody can see of the last events of each partition, which are on the topic up to `passed`."""
    missing: list[Record] = []
    for partition, end in enumerate(passed):
        for recorded in await page(partition, max(0, end - back), back):
            outgoing = definition.to_wire(recorded) if recorded.position <= end else None
            if outgoing is None or outgoing.notice is None:
                continue
            notice = notice_record(definition.name, recorded, outgoing.key, outgoing.notice)
            if found.lacks(notice.topic, partition, recorded.position):
                notice.headers.append((SENT_AGAIN, b"true"))
                missing.append(notice)
    if missing:
        log.warning("%d notices that Kafka had lost with a part of a transaction are sent again", len(missing))
    return missing
