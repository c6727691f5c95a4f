"""Row: the relay from a log that was filled beforehand to empty topics, against Kafka's own producer tool.

Ours is `Relay.run` with the policy service's own events and translation: read from PostgreSQL, decode, translate to the
public event and the channel's notice, chain, write, one Kafka transaction after the other; counted in records, from
the moment its tails are read until the last commit. Theirs is ProducerPerformance with records of the same mean
size, acks=all, the same compression, warmed up; once with its own random letters, and once, to be looked at,
with the relay's own values, which compress as the relay's do.
"""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import asyncpg
import orjson
from aiokafka import ConsumerRecord

from contracts.topics import NOTICES_PARTITION, Topic, channel_topics, events_topic, lane_of, notices_topic
from contracts.vocabulary.identifiers import contract_id_of, policy_number
from services.kernel import kafka
from services.kernel.codec import EventCodec
from services.kernel.collector import collect_seldom
from services.kernel.log import event_log
from services.kernel.log.chain import Link
from services.kernel.log.log_reader import LogReader
from services.kernel.observability import Metrics
from services.kernel.publishing.relay import Relay
from services.kernel.service import ServiceDefinition
from services.kernel.settings import ServiceSettings
from services.policy.app import application
from services.policy.domain.events import PolicyIssued
from tests.bench.measuring import Bench, Row, in_turns, rate_row
from tests.bench.peers import producer_performance
from tests.bench.workload import CAUSE, PARTITIONS, database, pool
from tests.support.builders import cover_terms
from tests.support.running import read_topic

_NAME = "relay the log to Kafka"
_CHANNEL = "bench"
_META = orjson.dumps(CAUSE)
_RELAY_SECONDS_MAX = 120
_VALUES = 5_000
"""Values given to the tool, one of which it takes by chance for each record."""


async def measure(bench: Bench) -> list[Row]:
    """Records a second on both sides."""
    events = 20_000 if bench.quick else 150_000
    turns = itertools.count()
    async with database(bench.servers.postgres, "relay") as dsn, pool(dsn) as own:
        await _fill(own, application.definition, events)
        await kafka.ensure_topics(bench.servers.kafka, channel_topics(_CHANNEL), PARTITIONS)
        collect_seldom()

        await _relayed(bench, own, "bench-first", events)
        made = await _made(bench, "bench-first")
        values = bench.folder / "values"
        values.write_bytes(b"\n".join(record.value for record in made.sample))
        bench.say(f"relay: {made.per_event:g} records an event, {made.mean_bytes:.0f} bytes a record")

        async def ours() -> float:
            return made.per_event * await _relayed(bench, own, f"bench-{next(turns)}", events)

        async def theirs(**size: object) -> float:
            return await _tool(bench, round(events * made.per_event), **size)

        by_size, records = f"record of {made.mean_bytes:.0f} B", round(made.mean_bytes)
        found, others = await in_turns(ours, lambda: theirs(record_size=records), bench.repetitions)
        alike, compressible = await in_turns(ours, lambda: theirs(payload_file=values), 2)
    tool = "Kafka's ProducerPerformance, acks=all"
    return [
        rate_row(_NAME, f"{tool}, {by_size}", "records/s", found, others, at_least=0.5),
        rate_row(_NAME, f"{tool}, the relay's values", "records/s", alike, compressible, at_least=None),
    ]


async def _fill(own: asyncpg.Pool, definition: ServiceDefinition, events: int) -> None:
    """Append policies of a book, ready chained."""
    codec = EventCodec(definition.events)
    waiting: list[list[tuple[str, bytes]]] = [[] for _ in range(PARTITIONS)]
    for number in range(events):
        contract = contract_id_of(f"channel:{_CHANNEL}", f"C-{number}")
        terms = cover_terms(contract_id=contract, channel=_CHANNEL, order_no=f"O-{number}", contract_no=f"C-{number}")
        issued = PolicyIssued(policy_no=policy_number(contract, 1), term_no=1, terms=terms)
        waiting[lane_of(contract, PARTITIONS)].append((f"policy-{contract}", codec.encode(issued)))
    async with own.acquire() as connection, connection.transaction():
        recorded_at = await connection.fetchval("select now()")
        for partition, head in (await event_log.lock_heads(connection, range(PARTITIONS))).items():
            links = [
                Link(partition, position, stream, 1, PolicyIssued.event_type, 1, content, _META, recorded_at)
                for position, (stream, content) in enumerate(waiting[partition], head.position + 1)
            ]
            await event_log.append(connection, {partition: event_log.chained(head, links)})


async def _relayed(bench: Bench, own: asyncpg.Pool, name: str, events: int) -> float:
    """Events a second of a relay to a topic of its own."""
    definition = replace(application.definition, name=name)
    await kafka.ensure_topics(bench.servers.kafka, [Topic(events_topic(name), name, "contract_id")], PARTITIONS)
    reader = LogReader(own, EventCodec(definition.events), PARTITIONS)
    await reader.refresh()
    flight = int(ServiceSettings.model_fields["relay_events"].default)
    relay = Relay(own, bench.servers.kafka, definition, reader, Metrics(name), flight)
    running = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(_RELAY_SECONDS_MAX):
            while not relay.working:
                await asyncio.sleep(0.002)
            started = time.perf_counter()
            while relay.lag:
                await asyncio.sleep(0.005)
            return events / (time.perf_counter() - started)
    finally:
        running.cancel()
        await asyncio.wait([running])


@dataclass(frozen=True, slots=True)
class _Made:
    """What the relay makes of the log."""

    per_event: float
    mean_bytes: float
    sample: Sequence[ConsumerRecord]


async def _made(bench: Bench, name: str) -> _Made:
    events = [
        r for own in (await read_topic(bench.servers.kafka, events_topic(name), PARTITIONS)).values() for r in own
    ]
    notices = (await read_topic(bench.servers.kafka, notices_topic(_CHANNEL), 1))[NOTICES_PARTITION]
    records = [*events, *notices]
    return _Made(len(records) / len(events), fmean(map(_size, records)), records[:: max(1, len(records) // _VALUES)])


def _size(record: ConsumerRecord) -> int:
    return len(record.key) + len(record.value) + sum(len(name) + len(value) for name, value in record.headers)


async def _tool(bench: Bench, records: int, **size: Any) -> float:
    """Records a second of the tool into a topic of eight partitions; a third of them again before, as warm-up."""
    await kafka.ensure_topics(bench.servers.kafka, [Topic("perf", "bench", "none")], PARTITIONS)
    warmup = max(records // 3, 30_000)
    return await producer_performance(bench.servers.kafka, "perf", records=records + warmup, warmup=warmup, **size)
