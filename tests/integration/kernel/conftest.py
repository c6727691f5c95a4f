"""The tally service's home: one for each test that asks for `home`."""

from collections.abc import AsyncIterator

import pytest_asyncio

from infra.servers import Servers
from tests.support.running import Home, home_of_a_tally


@pytest_asyncio.fixture
async def home(servers: Servers) -> AsyncIterator[Home]:
    """Database and topics of a tally service that does not run yet."""
    async with home_of_a_tally(servers) as made:
        yield made


@pytest_asyncio.fixture
async def channel_home(servers: Servers) -> AsyncIterator[Home]:
    """The same, with the topics of a channel."""
    async with home_of_a_tally(servers, with_channel=True) as made:
        yield made
