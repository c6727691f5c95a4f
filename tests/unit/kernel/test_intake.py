"""A batch that could not be handled is fetched again before anything that was fetched behind it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from services.kernel.messages import Delivery, Instruction
from services.kernel.observability import Metrics
from services.kernel.receiving import subscribers
from services.kernel.receiving.inbox import InboxBatch
from services.kernel.receiving.subscribers import Intake

TOPIC = "orders.river.v1"


class FailingOnce:
    """A command handler whose database goes away under the first batch."""

    def __init__(self) -> None:
        self.first_is_in = asyncio.Event()
        self.go_on = asyncio.Event()
        self.handled: list[list[int]] = []

    async def commit(self, batch: InboxBatch) -> None:
        if not self.handled and not self.go_on.is_set():
            self.first_is_in.set()
            await self.go_on.wait()
            raise ConnectionError("the database is away")
        self.handled.append([delivery.offset for delivery in batch.deliveries])


class Consumer:
    """Remembers where it was told to go."""

    def __init__(self) -> None:
        self.sought: list[tuple[TopicPartition, int]] = []

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.sought.append((place, offset))

    def assignment(self) -> set[TopicPartition]:
        return set()


def record(offset: int) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord(TOPIC, 0, offset, 0, 0, b"key", b"value", None, 3, 5, ())


def asks_from_offset_5_on(delivery: Delivery) -> Sequence[Instruction]:
    return () if delivery.offset < 5 else (Instruction(lane="t", stream="tally-t", command=None),)


async def test_what_came_behind_a_failed_batch_is_not_handled_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribers, "_HOLD_SECONDS", 0.0)
    monkeypatch.setattr(subscribers, "_BACKOFF_SECONDS", 0.0)
    handler, consumer = FailingOnce(), Consumer()

    async def nothing(deliveries: Sequence[Delivery]) -> None:
        return None

    definition: Any = type("Definition", (), {"name": "tally"})
    intake = Intake(
        definition,
        handler,  # type: ignore[arg-type]
        asks_from_offset_5_on,
        linked=False,
        metrics=Metrics("tally"),
        before_batch=nothing,
        after_batch=lambda _: None,
    )
    await intake.take([record(0), record(1)], consumer)
    await handler.first_is_in.wait()
    behind = asyncio.create_task(intake.take([record(5), record(6)], consumer))
    await asyncio.sleep(0)
    handler.go_on.set()
    await behind
    assert handler.handled == []
    assert consumer.sought[0] == (TopicPartition(TOPIC, 0), 0)
    await intake.take([record(offset) for offset in range(7)], consumer)
    assert handler.handled == [[0, 1, 2, 3, 4, 5, 6]]
