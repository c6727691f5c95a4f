"""Steady business while faults happen: books of orders, their payments and claims, with rubbish between them."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from random import Random

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from contracts.topics import PARTITIONS_DEFAULT, orders_topic
from services.demo.book import CHANNELS, Book, generate_book
from services.demo.raw import RawMessage
from services.kernel import kafka
from tests.torture.afterthoughts import afterthoughts
from tests.torture.cluster import Cluster
from tests.torture.journal import Entry
from tests.torture.poison import poison
from tests.torture.progress import worked_through
from tests.torture.sender import Sender

_COPIES_SHARE = 0.04
_WINDOW = 12
_LOOK_SECONDS = 0.2


@dataclass(slots=True)
class _Begun:
    """A book whose orders are out, and what is left of it to be published, in this order."""

    book: Book
    left: list[str] = field(default_factory=lambda: ["payments", "claims"])


class Load:
    """Publishes the orders of book after book until told to stop.

    The payments of all books whose orders have been worked through follow together, and so do their claims.
    """

    def __init__(self, cluster: Cluster, sender: Sender, seed: int, orders_a_book: int) -> None:
        self._cluster = cluster
        self._sender = sender
        self._random = Random(f"{seed}/load")
        self._seed = seed
        self._orders = orders_a_book
        self._begun: list[_Begun] = []
        self.books: list[Book] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until the event is set, then finish what was begun. Whatever goes wrong comes out here."""
        ordered = asyncio.Event()
        both = [asyncio.create_task(self._order(stop, ordered)), asyncio.create_task(self._follow(ordered))]
        try:
            await asyncio.gather(*both)
        finally:
            for task in both:
                task.cancel()

    async def _order(self, stop: asyncio.Event, ordered: asyncio.Event) -> None:
        for number in count(1):
            if stop.is_set():
                break
            # Numbers carry the seed of their book, so all books fit into one ledger.
            book = generate_book(orders=self._orders, seed=self._seed * 1000 + number)
            self.books.append(book)
            mark = f"X{self._seed}-{number}"
            orders = [*book.orders, *afterthoughts(book.orders, mark)]
            await self._publish("orders", orders, poison(self._random.choice(CHANNELS), mark))
            await self._sender.send_oversized(self._random.choice(CHANNELS), mark)
            self._begun.append(_Begun(book))
        ordered.set()

    async def _follow(self, ordered: asyncio.Event) -> None:
        while not ordered.is_set() or self._begun:
            ready = list(self._begun)
            if not ready:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            await worked_through(self._cluster, await order_ends(self._cluster.servers.kafka))
            for begun in ready:
                name = begun.left.pop(0)
                await self._publish(name, getattr(begun.book, name), ())
            self._begun = [begun for begun in self._begun if begun.left]

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
