"""The servers themselves are killed under load: they come back at their places, and each order still ends once."""

import asyncio

import psutil
import pytest

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.demo import prepare_market, settle
from services.demo.book import CHANNELS, generate_book
from tests.support.system import audit, heads, publish_raw

pytestmark = pytest.mark.xdist_group("stack")

SETTLE_SECONDS_MAX = 200


def servers_of(stack: Stack) -> dict[str, psutil.Process]:
    """The embedded Kafka and PostgreSQL: children of the stack's own supervisor."""
    children = psutil.Process(stack.pid).children()
    return {child.name(): child for child in children if child.name() in {"java", "postgres"}}


async def test_kafka_and_postgresql_that_die_come_back_and_the_services_heal(stack: Stack) -> None:
    former = servers_of(stack)
    if not former:
        pytest.skip("the servers are not embedded ones")
    await prepare_market(stack, list(CHANNELS))
    await settle(stack)
    before = await heads(stack)
    book = generate_book(orders=400, seed=23)
    await publish_raw(stack, book.orders)
    for server in former.values():
        server.kill()
    async with asyncio.timeout(SETTLE_SECONDS_MAX):
        while not await _settled(stack):
            await asyncio.sleep(0.5)
    assert {process.pid for process in servers_of(stack).values()}.isdisjoint(p.pid for p in former.values())
    after = await heads(stack)
    assert all(after[service] != before[service] for service in ServiceName)
    await audit(stack)


async def _settled(stack: Stack) -> bool:
    """Whether both servers are back and everything is quiet; until then the services' answers are errors."""
    if len(servers_of(stack)) < 2:
        return False
    try:
        await settle(stack)
    except Exception:
        return False
    return True
