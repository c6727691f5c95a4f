"""Tells when everything that was published has been taken in, decided, published again and projected."""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import PARTITIONS_DEFAULT, ServiceName, events_topic

_POLL_SECONDS = 0.25
_ORDERS = re.compile(r"^orders\.[A-Za-z0-9-]+\.v1$")

Status = dict[str, Any]


async def wait_until_quiet(
    consumer: AIOKafkaConsumer,
    statuses: Callable[[], Mapping[str, Status]],
    progress: Callable[[str, int, int], None],
    channel_services: tuple[str, ...] = (ServiceName.QUOTE, ServiceName.BILLING, ServiceName.CLAIMS),
) -> None:
    """Return once nothing moves any more, seen twice in a row.

    `progress` hears (service, records taken in, records there) from what the service listens to.
    """
    quiet_before = False
    while True:
        ends = await _order_ends(consumer)
        found = await asyncio.to_thread(statuses)
        # Each one is asked even where another is still busy: the progress of all is shown.
        busy = [service for service in found if not _is_quiet(service, found, ends, channel_services, progress)]
        quiet = not busy
        if quiet and quiet_before:
            return
        quiet_before = quiet
        await asyncio.sleep(_POLL_SECONDS)


async def _order_ends(consumer: AIOKafkaConsumer) -> dict[tuple[str, int], int]:
    topics = [topic for topic in await consumer.topics() if _ORDERS.match(topic)]
    places = [TopicPartition(topic, partition) for topic in topics for partition in range(PARTITIONS_DEFAULT)]
    ends = await consumer.end_offsets(places) if places else {}
    return {(place.topic, place.partition): end for place, end in ends.items()}


def _is_quiet(
    service: str,
    statuses: Mapping[str, Status],
    order_ends: Mapping[tuple[str, int], int],
    channel_services: tuple[str, ...],
    progress: Callable[[str, int, int], None],
) -> bool:
    own = statuses[service]
    taken, there = 0, 0
    inbox = {(row["topic"], row["partition"]): row for row in own["inbox"]}
    for upstream, status in statuses.items():
        topic = events_topic(upstream)
        if topic not in own["sources"]:
            continue
        for partition, position in enumerate(status["published"]):
            row = inbox.get((topic, partition))
            taken += row["position"] if row else 0
            there += position
    if service in channel_services:
        for place, end in order_ends.items():
            row = inbox.get(place)
            taken += row["next_offset"] if row else 0
            there += end
    progress(service, taken, there)
    settled = own["heads"] == own["relayed"] == own["projected"] and own["replies_waiting"] == 0
    return settled and taken == there
