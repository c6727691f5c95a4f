"""Ends transactions of a relay that Kafka has lost track of, before any tail is read."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from contracts.topics import NOTICES_PARTITION, dead_letters_topic, events_topic
from services.kernel import kafka
from services.kernel.errors import UndecidedRecords
from services.kernel.wire import Record, send_batches


async def refuse_undecided(
    producer: AIOKafkaProducer, bootstrap: str, service: str, undecided: Sequence[int], partitions: int
) -> None:
    """Abort what is undecided at the end of the events topic; raises UndecidedRecords if there is anything.

    To start a producer has ended whatever its forerunners left open, so nothing may be open now. But a coordinator
    that finds a partition without a leader acknowledges a commit and writes no marker there. Such records would
    become visible with the next commit, behind a tail that was read without them. A producer that has aborted is
    not used again: a late EndTxn of it would be taken for the next transaction's.
    """
    if not undecided:
        return
    await producer.begin_transaction()
    await asyncio.gather(*await send_batches(producer, await _places(bootstrap, service, partitions)))
    await producer.abort_transaction()
    raise UndecidedRecords(
        f"{events_topic(service)} ended with undecided records in partitions {undecided}; they are aborted"
    )


async def _places(bootstrap: str, service: str, partitions: int) -> list[Record]:
    """An empty record for every partition that the service's relay may have written to."""
    places = [(dead_letters_topic(service), 0)]
    places += [(events_topic(service), partition) for partition in range(partitions)]
    places += [(topic, NOTICES_PARTITION) for topic in await kafka.notices_topics(bootstrap)]
    return [Record(topic, partition, b"", b"", [], 0) for topic, partition in places]
