"""Tells from outside how far the services are, while they come and go."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
from aiokafka.errors import KafkaError

from contracts.topics import ServiceName, events_topic
from services.cli.console import Failure
from services.cli.stack import service_status
from services.demo.quiet import wait_until_quiet
from services.kernel import kafka
from tests.torture.cluster import Cluster

_POLL_SECONDS = 0.3
_HEADS_SECONDS = 0.1
# order -> quote -> policy -> billing and claims -> policy again: after so many rounds nothing is left of a cause.
_ROUNDS = 4
_PASSING = (Failure, KafkaError, OSError, TimeoutError, httpx.HTTPError, KeyError)

Status = dict[str, Any]


def _statuses(cluster: Cluster) -> dict[str, Status]:
    return {service: service_status(cluster.stack, service) for service in ServiceName}


async def statuses(cluster: Cluster) -> dict[str, Status]:
    """The status of all four services, as soon as all four answer."""
    while True:
        try:
            return await asyncio.to_thread(_statuses, cluster)
        except _PASSING:
            await asyncio.sleep(_POLL_SECONDS)


async def worked_through(cluster: Cluster, orders: Mapping[tuple[str, int], int]) -> None:
    """Wait until these offsets of the channels' topics, and all that they caused, have been worked through.

    What is published meanwhile is not waited for: in each round only as far as the topics reached when it began.
    """
    for _ in range(_ROUNDS):
        before = await statuses(cluster)
        while True:
            now = await statuses(cluster)
            if all(_passed(now[service]["relayed"], before[service]["heads"]) for service in now):
                break
            await asyncio.sleep(_POLL_SECONDS)
        ends = {events_topic(service): now[service]["published"] for service in now}
        while not all(_taken(status, ends, orders) for status in (await statuses(cluster)).values()):
            await asyncio.sleep(_POLL_SECONDS)


def _passed(positions: list[int], wanted: list[int]) -> bool:
    return all(position >= goal for position, goal in zip(positions, wanted, strict=True))


def _taken(status: Status, ends: Mapping[str, list[int]], orders: Mapping[tuple[str, int], int]) -> bool:
    inbox = {(row["topic"], row["partition"]): row for row in status["inbox"]}
    for topic, positions in ends.items():
        if topic in status["sources"]:
            for partition, position in enumerate(positions):
                row = inbox.get((topic, partition))
                if position and (row is None or row["position"] < position):
                    return False
    if status["service"] == ServiceName.POLICY:
        return True
    return all(place in inbox and inbox[place]["next_offset"] >= end for place, end in orders.items())


async def quiet(cluster: Cluster, seconds: float) -> float:
    """Wait until nothing moves any more; returns how long it took. Raises AssertionError where it never ends."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            while True:
                consumer = kafka.reader(cluster.servers.kafka)
                try:
                    await consumer.start()
                    await wait_until_quiet(consumer, lambda: _statuses(cluster), lambda *_: None)
                    return time.monotonic() - started
                except _PASSING:
                    await asyncio.sleep(_POLL_SECONDS)
                finally:
                    await asyncio.shield(consumer.stop())
    except TimeoutError as error:
        found = await asyncio.wait_for(statuses(cluster), _POLL_SECONDS * 100)
        raise AssertionError(f"not quiet after {seconds:.0f} s: {_what_is_left(found)}") from error


def _what_is_left(found: Mapping[str, Status]) -> str:
    return "; ".join(
        f"{service}: heads {status['heads']}, relayed {status['relayed']}, projected {status['projected']}, "
        f"relay {status['relay']}, replies {status['replies_waiting']}, inbox "
        + " ".join(f"{row['topic']}/{row['partition']}@{row['next_offset']}" for row in status["inbox"])
        for service, status in found.items()
    )


@dataclass
class Growth:
    """When each service's log grew, seen by looking at its heads."""

    cluster: Cluster
    held_up_seconds: float = 0.0
    """The longest that this process itself waited for its turn: on a busy machine everything takes so much longer."""
    times: dict[str, list[float]] = field(default_factory=lambda: {service.value: [] for service in ServiceName})

    async def follow(self) -> None:
        """Look until cancelled."""
        await asyncio.gather(*(self._follow(service.value) for service in ServiceName))

    async def _follow(self, service: str) -> None:
        seen = 0
        while True:
            try:
                connection = await asyncpg.connect(self.cluster.database(service), timeout=5)
                try:
                    while True:
                        total = await connection.fetchval("select sum(position) from log.log_head", timeout=5)
                        if total > seen:
                            seen = total
                            self.times[service].append(time.monotonic())
                        looked = time.monotonic()
                        await asyncio.sleep(_HEADS_SECONDS)
                        late = time.monotonic() - looked - _HEADS_SECONDS
                        self.held_up_seconds = max(self.held_up_seconds, late)
                finally:
                    connection.terminate()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(_HEADS_SECONDS)

    def seconds_to_next(self, service: str, moment: float) -> float | None:
        """How long after the moment the service recorded its next event; nothing where it never did."""
        later = next((time for time in self.times[service] if time > moment), None)
        return None if later is None else later - moment
