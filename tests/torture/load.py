"""Steady business while faults happen: books of orders, their payments and claims, with rubbish between them."""

import asyncio
from collections.abc import Iterable
from itertools import count
from random import Random

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from contracts.topics import PARTITIONS_DEFAULT, orders_topic
from services.demo.book import CHANNELS, Book, generate_book
from services.demo.raw import RawMessage
from services.kernel import kafka
from tests.torture.cluster import Cluster
from tests.torture.journal import Entry
from tests.torture.poison import poison
from tests.torture.progress import worked_through
from tests.torture.sender import Sender

_COPIES_SHARE = 0.04
_WINDOW = 12
_BOOKS_AT_ONCE = 6


class Load:
    """Publishes book after book until told to stop; a book that has begun is finished, its payments and claims too."""

    def __init__(self, cluster: Cluster, sender: Sender, seed: int, orders_a_book: int) -> None:
        self._cluster = cluster
        self._sender = sender
        self._random = Random(f"{seed}/load")
        self._seed = seed
        self._orders = orders_a_book
        self._room = asyncio.Semaphore(_BOOKS_AT_ONCE)
        self.books: list[Book] = []
        self._stages: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until the event is set, then finish. Whatever a stage raises comes out here."""
        for number in count(1):
            await self._room.acquire()
            if stop.is_set():
                break
            # Numbers carry the seed of their book, so all books fit into one ledger.
            book = generate_book(orders=self._orders, seed=self._seed * 1000 + number)
            self.books.append(book)
            mark = f"X{self._seed}-{number}"
            await self._publish("orders", book.orders, poison(self._random.choice(CHANNELS), mark))
            await self._sender.send_oversized(self._random.choice(CHANNELS), mark)
            stage = asyncio.create_task(self._later_stages(book))
            self._stages.add(stage)
            for done in [task for task in self._stages if task.done()]:
                self._stages.discard(done)
                done.result()
        await asyncio.gather(*self._stages)

    async def _later_stages(self, book: Book) -> None:
        try:
            for name, messages in (("payments", book.payments), ("claims", book.claims)):
                await worked_through(self._cluster, await self._ends())
                await self._publish(name, messages, ())
        finally:
            self._room.release()

    async def _publish(self, kind: str, messages: Iterable[RawMessage], others: Iterable[Entry]) -> None:
        entries = [Entry.of(kind, message) for message in messages]
        sent = [await self._sender.send(entry) for entry in self._disordered(entries, others)]
        await asyncio.gather(*sent)

    def _disordered(self, entries: list[Entry], others: Iterable[Entry]) -> list[Entry]:
        """Messages of different keys overtake each other, some come again later, and rubbish lies between them."""
        random, disordered = self._random, list[Entry]()
        for start in range(0, len(entries), _WINDOW):
            disordered += self._shuffled(entries[start : start + _WINDOW])
        for entry in random.sample(entries, k=int(len(entries) * _COPIES_SHARE)):
            place = random.randint(disordered.index(entry) + 1, len(disordered))
            copy = Entry(entry.kind, entry.channel, entry.key, entry.value, entry.reference, entry.expected, copy=True)
            disordered.insert(place, copy)
        for other in others:
            disordered.insert(random.randint(0, len(disordered)), other)
        return disordered

    def _shuffled(self, entries: list[Entry]) -> list[Entry]:
        """In any order, except that those of one key stay as they were."""
        keys = [(entry.channel, entry.key) for entry in entries]
        self._random.shuffle(keys)
        queues = {key: [entry for entry in entries if (entry.channel, entry.key) == key] for key in keys}
        return [queues[key].pop(0) for key in keys]

    async def _ends(self) -> dict[tuple[str, int], int]:
        return await order_ends(self._cluster.servers.kafka)


async def order_ends(bootstrap: str) -> dict[tuple[str, int], int]:
    """The end of each partition of the channels' topics, as soon as Kafka tells it."""
    places = [
        TopicPartition(orders_topic(channel), partition)
        for channel in CHANNELS
        for partition in range(PARTITIONS_DEFAULT)
    ]
    while True:
        consumer = kafka.reader(bootstrap)
        try:
            async with asyncio.timeout(10):
                await consumer.start()
                ends = await consumer.end_offsets(places)
                return {(place.topic, place.partition): end for place, end in ends.items()}
        except (KafkaError, OSError, TimeoutError):
            await asyncio.sleep(0.2)
        finally:
            await asyncio.shield(consumer.stop())
