"""`pledger demo`: a book of business through the whole system, and what came of it."""

import asyncio
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli import reports
from services.cli.channel import add_channels, show_published
from services.cli.console import Failure, console, progress, table
from services.cli.products import put_shipped_products_on_sale
from services.cli.stack import get, service_status, show_addresses, stack_for_a_job
from services.cli.verify import verified
from services.demo.latency import Latencies, listening
from services.demo.orders import CHANNELS
from services.demo.quiet import wait_until_quiet
from services.intake.files import read_messages
from services.intake.mapping import load_mapping
from services.intake.messages import Prepared, Rejected
from services.intake.publisher import Progress, PublishFailed, PublishReport, publish
from services.intake.rows import UnreadableFile
from services.kernel import kafka

_DOING = {
    ServiceName.QUOTE: "quote: take in, price, decide",
    ServiceName.POLICY: "policy: issue",
    ServiceName.BILLING: "billing: invoice, book, pay",
    ServiceName.CLAIMS: "claims: register, decide",
}
FEED_CHANNELS = ["A", "B", "L", "claims-desk"]
FEED_FILES = (
    ("motor_policies.csv.gz", "casdatasets-motor-policies"),
    ("motor_claims.csv.gz", "casdatasets-motor-claims"),
)

_HEARING_SECONDS = 0.5
_CATALOGUE_SECONDS_MAX = 30
_ORDER_NO = re.compile(rb'"order_no"\s*:\s*"([^"]+)"')
_NEXT = (
    "{pledger} status                      how far each service is",
    "{pledger} report                      these tables again",
    "{pledger} notices river               what a channel hears",
    "{pledger} show order river ORDER_NO   one order; also: show policy | account | claim",
    "{pledger} rebuild policy              rebuild read models from the log, live",
    "{pledger} verify                      prove that logs, topics and checkpoints are what they were",
    "make down                                     stop everything; the data stays",
)


def demo(
    feed: Annotated[
        Path | None,
        typer.Option(file_okay=False, exists=True, help="Folder with motor_policies.csv.gz and motor_claims.csv.gz."),
    ] = None,
    orders: Annotated[int, typer.Option(min=10, help="Orders of the generated book.")] = 3000,
    seed: Annotated[int, typer.Option(help="Seed of the generated book; the same seed makes the same book.")] = 1,
) -> None:
    """Start everything, send a book of business through it, and print what came of it."""
    if feed is not None:
        missing = [name for name, _ in FEED_FILES if not (feed / name).exists()]
        if missing:
            raise Failure(f"{feed} has no {' and no '.join(missing)}.")
    started = time.monotonic()
    with stack_for_a_job(keep=True) as stack:
        before = _heads(stack)
        latencies = asyncio.run(_feed(stack, feed) if feed is not None else _generated(stack, orders, seed))
        channels = FEED_CHANNELS if feed is not None else list(CHANNELS)
        _show(stack, channels, latencies, before, time.monotonic() - started)


async def _generated(stack: Stack, orders: int, seed: int) -> Latencies:
    from services.demo.book import generate_book

    await prepare_market(stack, list(CHANNELS))
    book = generate_book(orders=orders, seed=seed)
    latencies = Latencies()
    async with listening(stack.kafka, CHANNELS, latencies):
        for title, raw in (("orders", book.orders), ("payments", book.payments), ("claims", book.claims)):
            messages = [Prepared(message.channel, message.key, message.value) for message in raw]
            found = await _publish(stack, title, messages, latencies)
            console.print(f"{found.published:,} {title} published in {found.seconds:.1f} s", highlight=False)
            await settle(stack)
            # What is not issued by now waits for its payment; that is the payer's time, not ours.
            await asyncio.sleep(_HEARING_SECONDS)
            latencies.sent_ms.clear()
    return latencies


async def _feed(stack: Stack, feed: Path) -> Latencies:
    await prepare_market(stack, FEED_CHANNELS)
    latencies = Latencies()
    async with listening(stack.kafka, FEED_CHANNELS, latencies):
        for name, mapping in FEED_FILES:
            try:
                messages = read_messages(feed / name, load_mapping(mapping))
                found = await _publish(stack, name, messages, latencies)
            except (UnreadableFile, PublishFailed) as error:
                raise Failure(str(error)) from error
            show_published(feed / name, found, None)
            await settle(stack)
        await asyncio.sleep(_HEARING_SECONDS)
    return latencies


async def _publish(
    stack: Stack, title: str, messages: Iterable[Prepared | Rejected], latencies: Latencies
) -> PublishReport:
    with progress() as bars:
        bar = bars.add_task(f"publishing {title}", total=None, rate="")

        def show(now: Progress) -> None:
            bars.update(bar, completed=now.rows, rate=f"{now.published / max(now.seconds, 0.001):,.0f}/s")

        found = await publish(_noted(messages, latencies), stack.kafka, show)
        bars.update(bar, total=found.rows, completed=found.rows)
    return found


def _noted(messages: Iterable[Prepared | Rejected], latencies: Latencies) -> Iterator[Prepared | Rejected]:
    """The messages as they are, with the time of each order noted when it goes out."""
    for message in messages:
        if isinstance(message, Prepared) and b'"order.placed"' in message.value:
            found = _ORDER_NO.search(message.value)
            if found is not None:
                latencies.sent(message.channel, found[1].decode(), int(time.time() * 1000))
        yield message


async def settle(stack: Stack) -> None:
    """Show each service working through what came in, until all is quiet."""
    consumer = kafka.reader(stack.kafka)
    await consumer.start()
    try:
        with progress() as bars:
            tasks = {service: bars.add_task(doing, total=None, rate="") for service, doing in _DOING.items()}

            def show(service: str, taken: int, there: int) -> None:
                bars.update(tasks[ServiceName(service)], completed=taken, total=max(there, 1))

            await wait_until_quiet(consumer, lambda: _statuses(stack), show)
    finally:
        await consumer.stop()


def _statuses(stack: Stack) -> dict[str, Any]:
    return {service: service_status(stack, service) for service in ServiceName}


def _heads(stack: Stack) -> dict[str, list[int]]:
    return {service: status["heads"] for service, status in _statuses(stack).items()}


async def prepare_market(stack: Stack, channels: list[str]) -> None:
    """Put the shipped products on sale and make the channels' topics."""
    shipped = put_shipped_products_on_sale(stack)
    await add_channels(stack.kafka, channels)
    deadline = time.monotonic() + _CATALOGUE_SECONDS_MAX
    while not shipped <= _published(stack):
        if time.monotonic() > deadline:
            raise Failure("The products were published but do not appear in the catalogue.")
        await asyncio.sleep(0.1)


def _published(stack: Stack) -> set[tuple[str, int]]:
    found = get(stack, ServiceName.QUOTE, "/products")
    return {(version["code"], version["version"]) for version in found if version["published_at"] is not None}


def _show(
    stack: Stack, channels: Sequence[str], latencies: Latencies, before: dict[str, list[int]], seconds: float
) -> None:
    console.print()
    reports.show_business(stack, channels)
    _show_speed(latencies)
    if not verified(stack):
        raise typer.Exit(1)
    console.print()
    if _heads(stack) == before:
        console.print("[bold]Nothing changed: every message of this book was known already.[/bold]")
    console.print(f"Done in {seconds:.0f} s. Everything keeps running; look around:")
    show_addresses(stack)
    program = Path(sys.executable).with_name("pledger")
    for line in _NEXT:
        console.print(f"  {line.format(pledger=_short(program))}", highlight=False)


def _short(program: Path) -> str:
    """The program as one would type it here."""
    here = Path.cwd()
    return str(program.relative_to(here)) if program.is_relative_to(here) else str(program)


def _show_speed(latencies: Latencies) -> None:
    if not latencies.seconds:
        return
    issued, span = len(latencies.seconds), latencies.span_seconds
    rows = [
        ("policies issued", f"{issued:,}"),
        ("first order to last policy", f"{span:.1f} s"),
        ("throughput", f"{issued / span if span else 0:,.0f} policies/s"),
        ("order to policy, half within", f"{latencies.percentile(0.5):.2f} s"),
        ("order to policy, 99 % within", f"{latencies.percentile(0.99):.2f} s"),
    ]
    console.print(table("Speed: all orders published at once, so they queue", "what", "figure", rows=rows))
    console.print("Orders that wait for a payment are not counted.")
    console.print()
