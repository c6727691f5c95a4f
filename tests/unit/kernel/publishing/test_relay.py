"""The relay goes on after anything but a cancellation of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.kernel.publishing import relay
from services.kernel.publishing.relay import Relay


@asynccontextmanager
async def alone(_: Any) -> AsyncIterator[Callable[[], bool]]:
    yield lambda: True


async def test_a_cancellation_that_nobody_asked_for_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "only_relay", alone)
    monkeypatch.setattr(relay, "_RETRY_SECONDS", 0.0)
    second_time, turns = asyncio.Event(), 0

    async def work(self: Relay, still_only: Callable[[], bool]) -> None:
        nonlocal turns
        turns += 1
        if turns == 2:
            second_time.set()
            await asyncio.Event().wait()
        closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        closing.cancel()
        await closing

    monkeypatch.setattr(Relay, "_work", work)
    one = Relay.__new__(Relay)
    one._torn = False
    one._pool, one.working = None, False  # type: ignore[assignment]
    running = asyncio.create_task(one.run())
    async with asyncio.timeout(5):
        await second_time.wait()
    running.cancel()
    await asyncio.wait([running], timeout=5)
    assert running.cancelled()
