"""Rows: orders through all four services, on a stack of its own: sustained throughput, and latency at a steady rate.

Throughput counts from the first order published to the moment when everything is issued, invoiced, relayed and
projected. Latency is measured by this process alone: it sends orders on time and hears the channels' notices,
of which it looks at the type and the key only; a few orders are also looked up in billing's read model.
"""

import asyncio
import itertools
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from contracts.channel.notices_v1 import InvoiceDue
from contracts.channel.v1 import OrderPlaced
from contracts.envelope import event_type_of
from contracts.topics import NOTICES_PARTITION, PARTITIONS_DEFAULT, ServiceName, lane_of, notices_topic, orders_topic
from infra.stack_file import Stack
from services.cli.demo import FEED_CHANNELS, prepare_market, settle
from services.cli.stack import stack_for_a_job, url
from services.demo.book import CHANNELS, generate_book
from services.intake.files import read_messages
from services.intake.mapping import load_mapping
from services.intake.messages import Prepared
from services.intake.publisher import publish
from services.kernel import kafka
from tests.bench.measuring import Bench, Row, least_row

CORES = os.cpu_count() or 1
WANTED_A_CORE = 500
"""2,000 orders a second are wanted on 4 cores."""

WITHIN_SECONDS = 0.25
RATE = 500
_TICK_SECONDS = 0.01
_POLL_SECONDS = 0.025
_SAMPLE_EVERY = 250
_GIVE_UP_SECONDS = 60.0


async def measure(bench: Bench) -> list[Row]:
    """Orders a second, and how long an order takes."""
    os.environ["LEDGER_DATA"] = str(bench.folder / "stack")
    each, paced_seconds = (1_000, 5) if bench.quick else (5_000, 20)
    messages, source = _book()
    with stack_for_a_job(keep=False) as stack:
        await prepare_market(stack, [*FEED_CHANNELS, *CHANNELS])
        waiting = iter(messages)
        await _throughput(stack, list(itertools.islice(waiting, each // 2)))
        rates = [await _throughput(stack, list(itertools.islice(waiting, each))) for _ in range(3)]
        heard = await _latency(stack, messages[: RATE * paced_seconds])
    wanted = WANTED_A_CORE * CORES
    name = f"order to PolicyIssued, invoiced, projected: {source}, sustained"
    asked = f"2,000 orders/s on 4 cores, {wanted:,} on {CORES}"
    heard_within, projected_within = _percentile(heard.heard, 0.99), _percentile(heard.projected, 0.99)
    return [
        least_row(name, "orders/s", rates, wanted=asked, at_least=wanted),
        _latency_row("order to invoice heard by the channel", heard.heard, heard_within, heard.missing),
        _latency_row("order to account in billing's read model", heard.projected, projected_within, 0),
    ]


def _latency_row(name: str, seconds: Sequence[float], worst: float, missing: int) -> Row:
    lost = f", {missing} never heard of" if missing else ""
    return Row(
        f"{name}, at {RATE} orders/s",
        "-",
        f"p99 under {WITHIN_SECONDS * 1000:.0f} ms",
        f"p50 {_percentile(seconds, 0.5) * 1000:,.0f} ms, p99 {worst * 1000:,.0f} ms of {len(seconds):,}{lost}",
        "",
        0.0 if missing else WITHIN_SECONDS / worst,
    )


def _percentile(seconds: Sequence[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("inf")


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


@dataclass(frozen=True, slots=True)
class _Order:
    """An order ready to be sent, and the contract by which its outcomes are known."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    contract: str


@dataclass(slots=True)
class _Heard:
    """Seconds from when an order was due to its invoice notice, and (of a few) to its row in billing's read model."""

    due: dict[bytes, float] = field(default_factory=dict)
    heard: list[float] = field(default_factory=list)
    projected: list[float] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """Orders that nothing was heard of."""
        return len(self.due)


async def _latency(stack: Stack, messages: Sequence[Prepared]) -> _Heard:
    orders = _renumbered(messages)
    consumer = kafka.reader(stack.kafka)
    await consumer.start()
    try:
        topics = {notices_topic(message.channel) for message in messages}
        places = [TopicPartition(topic, NOTICES_PARTITION) for topic in topics]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        await asyncio.gather(*(consumer.position(place) for place in places))
        heard = _Heard()
        listening = asyncio.create_task(_hear(consumer, heard, len(orders)))
        async with httpx.AsyncClient(base_url=url(stack, ServiceName.BILLING), timeout=5) as client:
            watching = await _send_on_time(stack.kafka, orders, heard, client)
            await asyncio.wait([listening], timeout=_GIVE_UP_SECONDS)
            listening.cancel()
            await asyncio.gather(listening, *watching, return_exceptions=True)
    finally:
        await consumer.stop()
    return heard


def _renumbered(messages: Sequence[Prepared]) -> list[_Order]:
    """The same orders under new numbers, so that they are new business; what is no order, or a copy, is left out."""
    orders: dict[str, _Order] = {}
    for message in messages:
        try:
            number = f"paced-{OrderPlaced.model_validate_json(message.value, strict=True).order_no}"
        except ValidationError:
            continue
        content = {**orjson.loads(message.value), "order_no": number, "contract_no": number}
        value = orjson.dumps(content)
        contract = OrderPlaced.model_validate_json(value).contract_id(message.channel)
        lane = lane_of(number, PARTITIONS_DEFAULT)
        order = _Order(orders_topic(message.channel), lane, number.encode(), value, contract)
        orders.setdefault(f"{message.channel}/{number}", order)
    return list(orders.values())


async def _send_on_time(
    bootstrap: str, orders: Sequence[_Order], heard: _Heard, client: httpx.AsyncClient
) -> list["asyncio.Task[None]"]:
    """Send each order when it is due. An order that goes out late counts from when it was due."""
    watching: list[asyncio.Task[None]] = []
    producer = kafka.channel_producer(bootstrap)
    await producer.start()
    try:
        started = time.monotonic()
        for number, order in enumerate(orders):
            due = started + number / RATE
            while (now := time.monotonic()) < due:
                await asyncio.sleep(max(_TICK_SECONDS, due - now))
            heard.due[order.contract.encode()] = due
            await producer.send(order.topic, order.value, key=order.key, partition=order.partition)
            if number % _SAMPLE_EVERY == 0:
                watching.append(asyncio.create_task(_watch(client, order.contract, due, heard)))
        await producer.flush()
    finally:
        await producer.stop()
    return watching


async def _hear(consumer: AIOKafkaConsumer, heard: _Heard, wanted: int) -> None:
    while len(heard.heard) < wanted:
        for records in (await consumer.getmany(timeout_ms=20)).values():
            now = time.monotonic()
            for record in records:
                due = heard.due.get(record.key)
                if due is not None and event_type_of(record.headers) == InvoiceDue.event_type:
                    del heard.due[record.key]
                    heard.heard.append(now - due)


async def _watch(client: httpx.AsyncClient, contract: str, due: float, heard: _Heard) -> None:
    while time.monotonic() - due < _GIVE_UP_SECONDS:
        if (await client.get(f"/accounts/{contract}")).status_code == httpx.codes.OK:
            heard.projected.append(time.monotonic() - due)
            return
        await asyncio.sleep(_POLL_SECONDS)
