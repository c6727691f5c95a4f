"""Services are killed under load: each order still ends exactly once."""

import asyncio
import signal
from collections import Counter

import psutil
import pytest

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.demo import prepare_market, settle
from services.cli.stack import get
from services.demo.book import CHANNELS, generate_book
from services.demo.raw import RawMessage
from tests.support.system import audit, publish_raw

pytestmark = pytest.mark.xdist_group("stack")

SECONDS_BETWEEN_KILLS = 0.7
SETTLE_SECONDS_MAX = 120


def process_of(stack: Stack, service: str) -> psutil.Process:
    """The process of a service: a child of the stack's own supervisor, found by its command."""
    children = psutil.Process(stack.pid).children()
    return next(child for child in children if child.cmdline()[-2:] == ["run", service])


def terms(stack: Stack) -> Counter[str]:
    """Policy terms by currency."""
    counted: Counter[str] = Counter()
    for row in get(stack, ServiceName.POLICY, "/written-premium"):
        if row["coverage"] == "*":
            counted[row["currency"]] += row["terms"]
    return counted


async def test_every_order_ends_once_though_each_service_is_killed_in_mid_batch(stack: Stack) -> None:
    await prepare_market(stack, list(CHANNELS))
    await settle(stack)
    before = terms(stack)
    book = generate_book(orders=1500, seed=11)
    publishing = asyncio.create_task(publish_raw(stack, book.orders))
    for service in ServiceName:
        await asyncio.sleep(SECONDS_BETWEEN_KILLS)
        process_of(stack, service).send_signal(signal.SIGKILL)
    await publishing
    await _settled_again(stack, book.orders)
    await publish_raw(stack, book.payments)
    await _settled_again(stack, book.payments)
    assert sum(terms(stack).values()) - sum(before.values()) == book.expected.policies_issued + book.expected.renewals
    await audit(stack)


async def _settled_again(stack: Stack, published: tuple[RawMessage, ...]) -> None:
    """Wait until the killed services are back and everything is quiet."""
    async with asyncio.timeout(SETTLE_SECONDS_MAX):
        while True:
            try:
                return await settle(stack)
            except Exception:
                # A service that is just starting again does not answer yet.
                await asyncio.sleep(0.5)
