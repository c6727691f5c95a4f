"""An events topic that is deleted and made again under a live relay gets everything from the log, without a hole."""

import logging
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from contracts.topics import Topic
from services.kernel import kafka
from services.kernel.process.runtime import Kernel
from services.kernel.publishing import relay
from tests.support.running import PARTITIONS, Home, delete_topics, eventually
from tests.support.tally import Count, to
from tests.support.topic_audit import assert_topic_is_the_log

SOON_SECONDS = 0.1
NEVER_SECONDS = 1e9
TALLIES = ("t1", "t2", "t3", "t4", "t5")


async def _count(home: Home, kernel: Kernel, amount: int) -> None:
    for tally in TALLIES:
        await home.execute(kernel, to(tally, Count(tally, amount)))


async def _make_again(home: Home) -> None:
    """Delete the topic and make one of the same name, as an operator may do by hand."""
    await delete_topics(home.servers.kafka, [home.events_topic])

    async def made() -> bool:
        admin = AIOKafkaAdminClient(bootstrap_servers=home.servers.kafka)
        await admin.start()
        try:
            if home.events_topic in await admin.list_topics():
                return False
        finally:
            await admin.close()
        topic = Topic(home.events_topic, home.definition.name, "tally", retention_ms=-1)
        return await kafka.ensure_topics(home.servers.kafka, [topic], PARTITIONS) == [home.events_topic]

    await eventually(made, "the topic is made again")


async def _records(home: Home) -> int:
    try:
        return sum(map(len, (await home.read_topic(home.events_topic)).values()))
    except (KafkaError, KeyError):
        return 0


@pytest.mark.parametrize("idle", [True, False])
async def test_everything_is_sent_again_from_the_log(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, idle: bool
) -> None:
    """An idle relay sees the topic's end; a busy one sees its records lie where others were before."""
    monkeypatch.setattr(relay, "_ENDS_SECONDS", SOON_SECONDS if idle else NEVER_SECONDS)
    async with home.kernel() as kernel:
        await _count(home, kernel, 1)
        await home.quiet(kernel)
        assert await assert_topic_is_the_log(home) == len(TALLIES)
        with caplog.at_level(logging.WARNING):
            await _make_again(home)
            if not idle:
                await _count(home, kernel, 2)
        wanted = len(TALLIES) * (1 if idle else 2)

        async def sent_again() -> bool:
            return await _records(home) == wanted

        await eventually(sent_again, "everything is on the topic again")
        await home.quiet(kernel)
        assert kernel.relay.stopped_because is None
    assert await assert_topic_is_the_log(home) == wanted
    if not idle:
        assert "the topic was made again" in caplog.text


async def test_an_idle_relay_opens_no_consumer_to_look_at_its_topic(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_ENDS_SECONDS", SOON_SECONDS)
    started, looked = 0, 0
    start, end_offsets = AIOKafkaConsumer.start, AIOKafkaConsumer.end_offsets

    async def starting(consumer: AIOKafkaConsumer) -> None:
        nonlocal started
        started += 1
        await start(consumer)

    async def looking(consumer: AIOKafkaConsumer, places: Any) -> Any:
        nonlocal looked
        looked += 1
        return await end_offsets(consumer, places)

    async with home.kernel(sources=()) as kernel:
        await _count(home, kernel, 1)
        await home.quiet(kernel)
        monkeypatch.setattr(AIOKafkaConsumer, "start", starting)
        monkeypatch.setattr(AIOKafkaConsumer, "end_offsets", looking)

        async def looked_often() -> bool:
            return looked >= 6

        await eventually(looked_often, "the relay looks at its topic's end")
    assert started == 0
