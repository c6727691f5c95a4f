"""A burst of orders, far faster than they are handled: memory stays bounded, reads are answered, and it drains."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from contracts.topics import ServiceName
from services.cli.demo import prepare_market
from services.demo.book import CHANNELS, Book, generate_book
from services.demo.raw import RawMessage
from tests.torture.cluster import Cluster, running_cluster
from tests.torture.journal import Entry, Journal
from tests.torture.load import order_ends
from tests.torture.oracle import Audit, audit
from tests.torture.progress import quiet, statuses, worked_through
from tests.torture.sender import Sender
from tests.torture.vitals import Vitals

GROWTH_BYTES_MAX = 160 * 2**20
"""Of any service: what its consumers may hold ready, and what it keeps of its own log, do not depend on the burst."""

_WARM_ORDERS = 500
_ORDERS_A_BOOK = 1_000
_AS_FAST_AS_TAKEN = 1e6
_LAG_SECONDS = 2.0


@dataclass
class Burst:
    """What a burst did. Moments are of the monotonic clock; `lags` are (moment, orders that quote has not taken in)."""

    orders: int
    vitals: Vitals
    began: float = 0.0
    sent: float = 0.0
    drained: float = 0.0
    lags: list[tuple[float, int]] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)


async def burst(folder: Path, seed: int, orders: int, quiet_seconds_max: float) -> Burst:
    """Warm up, send the orders as fast as Kafka takes them, and follow until they are worked through; then audit.

    Raises AssertionError where a service's memory grew beyond GROWTH_BYTES_MAX, or with what the audit found.
    """
    numbers = range(1, -(-orders // _ORDERS_A_BOOK) + 1)
    books = await asyncio.to_thread(
        lambda: [generate_book(min(_ORDERS_A_BOOK, orders), seed * 1000 + number) for number in numbers]
    )
    warm = generate_book(_WARM_ORDERS, seed * 1000)
    async with running_cluster(folder) as cluster:
        await prepare_market(cluster.stack, list(CHANNELS))
        sender = Sender(cluster.servers.kafka, Journal.at(folder / "journal.jsonl"), _AS_FAST_AS_TAKEN)
        found = Burst(sum(len(book.orders) for book in books), Vitals(cluster))
        following = [asyncio.create_task(found.vitals.follow()), asyncio.create_task(_follow_lag(cluster, found))]
        try:
            await _publish(cluster, sender, "orders", warm.orders)
            await _happen(cluster, sender, books, found)
            for kind in ("payments", "claims"):
                await _publish(cluster, sender, kind, _all([warm, *books], kind))
            found.vitals.asking = False
            await quiet(cluster, quiet_seconds_max)
            found.audits = await audit(cluster, sender.journal.entries, [warm, *books])
        finally:
            for task in following:
                task.cancel()
            await sender.close()
    refuse_unbounded(found)
    return found


async def _happen(cluster: Cluster, sender: Sender, books: Iterable[Book], found: Burst) -> None:
    found.began = time.monotonic()
    await _send(sender, "orders", _all(books, "orders"))
    found.sent = time.monotonic()
    print(f"{found.orders:,} orders sent in {found.sent - found.began:.0f} s", flush=True)
    await worked_through(cluster, await order_ends(cluster.servers.kafka))
    found.drained = time.monotonic()
    print(f"worked through {found.drained - found.sent:.0f} s later", flush=True)


async def _publish(cluster: Cluster, sender: Sender, kind: str, messages: Iterable[RawMessage]) -> None:
    await _send(sender, kind, messages)
    await worked_through(cluster, await order_ends(cluster.servers.kafka))


async def _send(sender: Sender, kind: str, messages: Iterable[RawMessage]) -> None:
    for message in messages:
        await sender.send(Entry.of(kind, message))
    await sender.flush()


def _all(books: Iterable[Book], kind: str) -> Iterable[RawMessage]:
    return (message for book in books for message in getattr(book, kind))


async def _follow_lag(cluster: Cluster, found: Burst) -> None:
    while True:
        ends = await order_ends(cluster.servers.kafka)
        inbox = (await statuses(cluster))[ServiceName.QUOTE]["inbox"]
        taken = sum(row["next_offset"] for row in inbox if (row["topic"], row["partition"]) in ends)
        found.lags.append((time.monotonic(), sum(ends.values()) - taken))
        await asyncio.sleep(_LAG_SECONDS)


def refuse_unbounded(found: Burst) -> None:
    """Raise AssertionError naming the service whose memory grew with the burst."""
    for name in found.vitals.samples:
        grown = found.vitals.growth_bytes(name, found.began, found.drained)
        assert grown <= GROWTH_BYTES_MAX, (
            f"{name} grew by {grown / 2**20:.0f} MiB in a burst of {found.orders:,} orders"
        )
