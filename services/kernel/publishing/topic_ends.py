"""Where a topic ends: what is written, and whether it is decided, that is committed or aborted."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.kernel import kafka
from services.kernel.errors import TopicLostRecords

_LOOK_AGAIN_SECONDS = 0.02
MARKERS_SECONDS = 1.0
"""A commit is acknowledged a moment before its markers can be read."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The end offset of each partition, and the partitions that end with records of an open transaction."""

    written: Mapping[int, int]
    undecided: Sequence[int]


class SentTo:
    """How far the partitions of a topic must reach at least, by what was found there and what was sent since."""

    def __init__(self, topic: str, ends: Mapping[int, int]) -> None:
        self._topic = topic
        self._ends = dict(ends)

    def note(self, sent: Iterable[tuple[int, int]]) -> None:
        """Records lie at these offsets of their partitions."""
        self._ends.update((partition, offset + 1) for partition, offset in sent)

    def check(self, ends: Mapping[int, int]) -> None:
        """Raise TopicLostRecords where a partition ends, or the next record came to lie, before what was sent."""
        for partition, end in ends.items():
            if end < self._ends[partition]:
                raise TopicLostRecords(
                    f"{self._topic}/{partition} ends at offset {end}, but {self._ends[partition]} was reached before: "
                    "the topic was made again, or restored to an older state; what it lacks is sent from the log"
                )


class TopicEnds:
    """Two consumers: one sees what is decided, the other all. They fetch nothing, so to keep them costs little."""

    def __init__(self, decided: AIOKafkaConsumer, written: AIOKafkaConsumer) -> None:
        self._decided = decided
        self._written = written

    async def look(self, topic: str, partitions: int, patience_seconds: float = MARKERS_SECONDS) -> Ends:
        """Where the topic ends now; what is undecided must have been so for as long as the patience lasts."""
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        deadline = time.monotonic() + patience_seconds
        ends = await self._written.end_offsets(places)
        while True:
            decided = await self._decided.end_offsets(places)
            behind = [place.partition for place in places if decided[place] < ends[place]]
            if not behind or time.monotonic() >= deadline:
                return Ends({place.partition: end for place, end in ends.items()}, behind)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)


@asynccontextmanager
async def topic_ends(bootstrap: str) -> AsyncIterator[TopicEnds]:
    """The two consumers for the time of the block."""
    written = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, request_timeout_ms=kafka.REQUEST_TIMEOUT_MS
    )
    decided = kafka.reader(bootstrap)
    try:
        await decided.start()
        await written.start()
        yield TopicEnds(decided, written)
    finally:
        # Half stopped, they would go on for ever.
        await asyncio.shield(asyncio.gather(decided.stop(), written.stop()))


async def committed_ends(bootstrap: str, topic: str, seconds_max: float = 30) -> Mapping[int, int]:
    """The end offset of each partition, once every transaction that was on it is finished; empty without the topic.

    Raises TimeoutError where one stays open for so long.
    """
    partitions = (await kafka.partition_counts(bootstrap)).get(topic, 0)
    async with topic_ends(bootstrap) as both:
        ends = await both.look(topic, partitions, seconds_max)
    if ends.undecided:
        raise TimeoutError(f"{topic} has an open transaction in partitions {ends.undecided} for {seconds_max:.0f} s")
    return ends.written
