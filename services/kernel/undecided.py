"""Ends transactions of a relay that Kafka has lost track of, before any tail is read."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contracts.topics import NOTICES_PARTITION, dead_letters_topic, events_topic
from services.kernel import kafka
from services.kernel.errors import UndecidedRecords
from services.kernel.wire import Record, send_batches

_MARKERS_SECONDS = 1.0


async def undecided(bootstrap: str, topic: str, partitions: int) -> list[int]:
    """Partitions that end with records of a transaction that is neither committed nor aborted."""
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    decided, written = kafka.reader(bootstrap), AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await decided.start()
        await written.start()
        ends = await written.end_offsets(places)
        stable = await decided.end_offsets(places)
        if any(stable[place] < ends[place] for place in places):
            # A commit is acknowledged a moment before its markers can be read.
            await asyncio.sleep(_MARKERS_SECONDS)
            stable = await decided.end_offsets(places)
    finally:
        await asyncio.shield(decided.stop())
        await asyncio.shield(written.stop())
    return [place.partition for place in places if stable[place] < ends[place]]


async def refuse_undecided(producer: AIOKafkaProducer, bootstrap: str, service: str, partitions: int) -> None:
    """Abort undecided records at the end of the events topic; raises UndecidedRecords if there were any.

    To start a producer has ended whatever its forerunners left open, so nothing may be open now. But a coordinator
    that finds a partition without a leader acknowledges a commit and writes no marker there. Such records would
    become visible with the next commit, behind a tail that was read without them. A producer that has aborted is
    not used again: a late EndTxn of it would be taken for the next transaction's.
    """
    topic = events_topic(service)
    found = await undecided(bootstrap, topic, partitions)
    if not found:
        return
    await producer.begin_transaction()
    await asyncio.gather(*await send_batches(producer, await _places(bootstrap, service, partitions)))
    await producer.abort_transaction()
    raise UndecidedRecords(f"{topic} ended with undecided records in partitions {found}; they are aborted")


async def _places(bootstrap: str, service: str, partitions: int) -> list[Record]:
    """An empty record for every partition that the service's relay may have written to."""
    places = [(dead_letters_topic(service), 0)]
    places += [(events_topic(service), partition) for partition in range(partitions)]
    for topic in await kafka.list_topics(bootstrap):
        places += [(topic, NOTICES_PARTITION)] if topic.startswith("notices.") else []
    return [Record(topic, partition, b"", b"", [], 0) for topic, partition in places]
