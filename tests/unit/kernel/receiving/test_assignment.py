"""What a subscriber does with its partitions when the servers are away."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.kernel.receiving import assignment
from services.kernel.receiving.assignment import SeekToInbox

PLACE = TopicPartition("orders.river.v1", 3)


class Consumer:
    """Notes what is paused."""

    def __init__(self) -> None:
        self.consumer = self
        self.paused: list[TopicPartition] = []

    def pause(self, place: TopicPartition) -> None:
        """Read no more of it."""
        self.paused.append(place)


def listening(monkeypatch: pytest.MonkeyPatch, compare: Any) -> tuple[SeekToInbox, Consumer]:
    monkeypatch.setattr(assignment, "known_and_problems", compare)
    listener = SeekToInbox(None, "127.0.0.1:1", {})  # type: ignore[arg-type]
    listener.subscriber = Consumer()
    return listener, listener.subscriber


async def test_a_cancellation_that_nobody_asked_for_leaves_the_partitions_held(monkeypatch: pytest.MonkeyPatch) -> None:
    async def cancelled(*asked: Any) -> None:
        raise asyncio.CancelledError

    listener, consumer = listening(monkeypatch, cancelled)
    await listener.on_partitions_assigned([PLACE])
    assert consumer.paused == [PLACE]
    assert listener._releasing is not None
    assert not listener._releasing.done()
    listener.close()


async def test_a_cancellation_that_was_asked_for_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def waits(*asked: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    listener, _ = listening(monkeypatch, waits)
    assigning = asyncio.create_task(listener.on_partitions_assigned([PLACE]))
    await begun.wait()
    assigning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await assigning
