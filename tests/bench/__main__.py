"""`make bench`: from the order topics to issued, invoiced and projected: throughput, then latency at a steady rate."""

import asyncio
import itertools
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import orjson
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.channel.notices_v1 import InvoiceDue
from contracts.envelope import event_type_of
from contracts.topics import NOTICES_PARTITION, ServiceName, notices_topic
from contracts.vocabulary.money import format_minor
from infra.stack_file import Stack
from services.cli.console import console, table
from services.cli.demo import FEED_CHANNELS, prepare_market, settle
from services.cli.stack import get, stack_for_a_job, url
from services.demo.book import CHANNELS, generate_book
from services.intake.files import read_messages
from services.intake.mapping import load_mapping
from services.intake.messages import Prepared, Rejected
from services.intake.publisher import publish
from services.kernel import kafka

RATE = 300
PACED_SECONDS = 30
SAMPLE_EVERY = 60
WARM_UP_ORDERS = 2_000
POLL_SECONDS = 0.025
GIVE_UP_SECONDS = 60.0


def main() -> None:
    """Measure on a stack of its own, which ends with the run."""
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder:
        os.environ["LEDGER_DATA"] = folder
        with stack_for_a_job(keep=False) as stack:
            lines = asyncio.run(_measure(stack))
    console.print(table(f"Benchmark on {machine()}", "what", "measured", "wanted", rows=lines))


def machine() -> str:
    """Cores, memory, processor and versions."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Python {platform.python_version()}, {sys.platform}"


async def _measure(stack: Stack) -> list[tuple[str, str, str]]:
    messages, source = _book()
    await prepare_market(stack, [*FEED_CHANNELS, *CHANNELS])
    await publish(messages[:WARM_UP_ORDERS], stack.kafka, lambda progress: None)
    await settle(stack)
    rate = await _throughput(stack, messages[WARM_UP_ORDERS:])
    console.print(f"{source}: {rate:,.0f} orders/s; now {RATE} orders/s for {PACED_SECONDS} s")
    heard = await _latency(stack, messages)
    premium = sum(
        r["premium_minor"] for r in get(stack, ServiceName.POLICY, "/written-premium") if r["coverage"] == "*"
    )
    console.print(f"premium written: {format_minor(premium, 'EUR')}")
    return [
        (
            f"{source}, published at once: issued, invoiced, projected",
            f"{rate:,.0f} orders/s",
            "1,000 orders/s on 4 cores",
        ),
        (f"{RATE} orders/s, order to invoice heard by the channel, half within", _ms(heard.heard, 0.5), ""),
        (f"{RATE} orders/s, order to invoice heard by the channel, 99 % within", _ms(heard.heard, 0.99), ""),
        (f"{RATE} orders/s, order to account in the read model, half within", _ms(heard.projected, 0.5), ""),
        (f"{RATE} orders/s, order to account in the read model, 99 % within", _ms(heard.projected, 0.99), "500 ms"),
        ("orders in the latency run that were not heard of", str(heard.missing), "0"),
    ]


def _book() -> tuple[list[Prepared], str]:
    """The real book where it is at hand, otherwise a generated one."""
    feed = Path(os.environ.get("LEDGER_REAL_FEED", "../shared/feeds")) / "motor_policies.csv.gz"
    if feed.exists():
        found = read_messages(feed, load_mapping("casdatasets-motor-policies"))
        return [message for message in found if isinstance(message, Prepared)], "real motor book"
    book = generate_book(orders=20_000, seed=1)
    return [Prepared(m.channel, m.key, m.value) for m in book.orders], "generated book"


async def _throughput(stack: Stack, messages: list[Prepared]) -> float:
    started = time.monotonic()
    await publish(messages, stack.kafka, lambda progress: None)
    await settle(stack)
    return len(messages) / (time.monotonic() - started)


@dataclass(slots=True)
class _Heard:
    """Seconds from sending an order to its invoice notice, and to its row in billing's read model (a sample)."""

    sent: dict[str, float] = field(default_factory=dict)
    heard: list[float] = field(default_factory=list)
    projected: list[float] = field(default_factory=list)

    @property
    def missing(self) -> int:
        return len(self.sent)


async def _latency(stack: Stack, messages: list[Prepared]) -> _Heard:
    heard = _Heard()
    fresh = list(_renumbered(itertools.islice(messages, RATE * PACED_SECONDS)))
    consumer = kafka.reader(stack.kafka)
    await consumer.start()
    topics = {notices_topic(channel) for channel in (message.channel for message in fresh)}
    places = [TopicPartition(topic, NOTICES_PARTITION) for topic in topics]
    consumer.assign(places)
    await consumer.seek_to_end(*places)
    await asyncio.gather(*(consumer.position(place) for place in places))
    wanted = len(fresh)
    listening = asyncio.create_task(_hear(consumer, heard, wanted))
    async with httpx.AsyncClient(base_url=url(stack, ServiceName.BILLING), timeout=5) as client:
        watching: list[asyncio.Task[None]] = []
        await publish(_sent(fresh, heard, client, watching), stack.kafka, lambda progress: None, rate=RATE)
        await asyncio.wait([listening], timeout=GIVE_UP_SECONDS)
        listening.cancel()
        await asyncio.gather(listening, *watching, return_exceptions=True)
    await consumer.stop()
    return heard


def _renumbered(messages: Iterable[Prepared]) -> Iterator[Prepared]:
    """The same orders under new numbers, so that they are new business."""
    for message in messages:
        order = orjson.loads(message.value)
        order["order_no"] = f"paced-{order['order_no']}"
        order["contract_no"] = order["order_no"]
        yield Prepared(message.channel, order["contract_no"], orjson.dumps(order))


def _sent(
    messages: list[Prepared], heard: _Heard, client: httpx.AsyncClient, watching: list[asyncio.Task[None]]
) -> Iterator[Prepared | Rejected]:
    for count, message in enumerate(messages):
        heard.sent[message.key] = time.monotonic()
        if count % SAMPLE_EVERY == 0:
            watching.append(asyncio.create_task(_watch(client, message, heard)))
        yield message


async def _hear(consumer: AIOKafkaConsumer, heard: _Heard, wanted: int) -> None:
    while len(heard.heard) < wanted:
        for records in (await consumer.getmany(timeout_ms=20)).values():
            for record in records:
                if event_type_of(record.headers) != InvoiceDue.event_type:
                    continue
                sent = heard.sent.pop(orjson.loads(record.value)["order_no"], None)
                if sent is not None:
                    heard.heard.append(time.monotonic() - sent)


async def _watch(client: httpx.AsyncClient, message: Prepared, heard: _Heard) -> None:
    from contracts.channel.v1 import OrderPlaced

    started = time.monotonic()
    contract_id = OrderPlaced.model_validate_json(message.value).contract_id(message.channel)
    while time.monotonic() - started < GIVE_UP_SECONDS:
        if (await client.get(f"/accounts/{contract_id}")).status_code == httpx.codes.OK:
            heard.projected.append(time.monotonic() - started)
            return
        await asyncio.sleep(POLL_SECONDS)


def _ms(seconds: list[float], share: float) -> str:
    ordered = sorted(seconds)
    if not ordered:
        return "nothing measured"
    return f"{ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000:,.0f} ms"


if __name__ == "__main__":
    main()
