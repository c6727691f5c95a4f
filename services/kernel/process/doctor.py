"""Examines a service and what it stands on, running or not: log, topics, inbox, servers, clock. Changes nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from contracts.envelope import RecordPlace, place_of
from contracts.topics import dead_letters_topic, events_topic
from services.kernel import clock, kafka, postgres
from services.kernel.errors import WrongTopicSettings
from services.kernel.log import event_log
from services.kernel.process.server_wait import some_port_is_open
from services.kernel.publishing.topic_tail import tail_problem
from services.kernel.receiving.inbox import taken
from services.kernel.receiving.sources import source_problems
from services.kernel.service import ServiceDefinition

CLOCK_SECONDS_MAX = 2.0
_CONNECT_SECONDS_MAX = 10.0
_KAFKA_SECONDS_MAX = 60.0


class Complaint(StrEnum):
    """What kind of thing is wrong; the README says for each what to do."""

    DATABASE_AWAY = "database away"
    DATABASE_REFUSES = "database refuses"
    DATABASE_MISSING = "database missing"
    CLOCK = "clock"
    KAFKA_AWAY = "kafka away"
    KAFKA_REFUSES = "kafka refuses"
    TOPIC_MISSING = "topic missing"
    TOPIC_SETTINGS = "topic settings"
    TOPIC_PARTITIONS = "topic partitions"
    TOPIC_BEGINNING = "topic beginning"
    LOG_BEHIND_TOPIC = "log behind topic"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that is wrong."""

    complaint: Complaint
    problem: str


async def examine(
    dsn: str, bootstrap: str, definition: ServiceDefinition, now: Callable[[], datetime] = clock.now
) -> list[Diagnosis]:
    """Everything that is found to be wrong with a service; empty where all is well."""
    connection, findings = await _connect(dsn)
    if connection is None:
        return findings + await _kafka_findings(bootstrap)
    try:
        findings += await _clock(connection, now)
        unreachable = await _kafka_findings(bootstrap)
        if unreachable:
            return findings + unreachable
        async with asyncio.timeout(_KAFKA_SECONDS_MAX):
            return findings + await _topics_and_sources(connection, bootstrap, definition)
    except (KafkaError, TimeoutError) as error:
        return [*findings, Diagnosis(Complaint.KAFKA_AWAY, f"Kafka at {bootstrap} stopped answering: {error!r}")]
    finally:
        await connection.close()


async def _connect(dsn: str) -> tuple[asyncpg.Connection | None, list[Diagnosis]]:
    """A connection, or what keeps it from being made. A wrong password is not an absent server."""
    try:
        return await asyncio.wait_for(postgres.connect(dsn), _CONNECT_SECONDS_MAX), []
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        return None, [Diagnosis(Complaint.DATABASE_REFUSES, f"PostgreSQL is there but refuses the login: {error}")]
    except asyncpg.InvalidCatalogNameError as error:
        return None, [Diagnosis(Complaint.DATABASE_MISSING, f"PostgreSQL is there without the database: {error}")]
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return None, [Diagnosis(Complaint.DATABASE_AWAY, f"PostgreSQL does not answer: {error!r}")]


async def _clock(connection: asyncpg.Connection, now: Callable[[], datetime]) -> list[Diagnosis]:
    before = now()
    theirs = await connection.fetchval("select clock_timestamp()")
    after = now()
    # The answer was made at some time between the two, so only what lies outside is a difference.
    ahead, behind = (theirs - after).total_seconds(), (before - theirs).total_seconds()
    apart = max(ahead, behind)
    if apart <= CLOCK_SECONDS_MAX:
        return []
    where = "ahead of" if ahead > behind else "behind"
    return [Diagnosis(Complaint.CLOCK, f"the database's clock is {apart:.1f} s {where} ours")]


async def _kafka_findings(bootstrap: str) -> list[Diagnosis]:
    """Whether Kafka can be talked to; a port that is open but gives no answer refuses us, or is not Kafka."""
    try:
        async with asyncio.timeout(_CONNECT_SECONDS_MAX):
            await kafka.list_topics(bootstrap)
    except (KafkaError, OSError, TimeoutError) as error:
        if await some_port_is_open(bootstrap):
            problem = f"{bootstrap} is open but does not let us in ({error!r}): login or protocol is wrong"
            return [Diagnosis(Complaint.KAFKA_REFUSES, problem)]
        return [Diagnosis(Complaint.KAFKA_AWAY, f"Kafka at {bootstrap} is not there: {error!r}")]
    return []


async def _topics_and_sources(
    connection: asyncpg.Connection, bootstrap: str, definition: ServiceDefinition
) -> list[Diagnosis]:
    heads, inbox = await event_log.heads(connection), await taken(connection)
    topic, counts = events_topic(definition.name), await kafka.partition_counts(bootstrap)
    ours = (topic, dead_letters_topic(definition.name))
    read = dict.fromkeys((*definition.sources, *(source for source, _ in inbox)))
    findings = []
    for name in dict.fromkeys((*ours, *read)):
        if name not in counts:
            findings.append(Diagnosis(Complaint.TOPIC_MISSING, f"{name} does not exist"))
            continue
        findings += await _settings(bootstrap, name)
        if name in ours and counts[name] != len(heads):
            problem = f"{name} has {counts[name]} partitions, the log has {len(heads)}"
            findings.append(Diagnosis(Complaint.TOPIC_PARTITIONS, problem))
    if counts.get(topic) == len(heads):
        findings += await _own_topic(connection, bootstrap, topic, len(heads))
    there = {place: row for place, row in inbox.items() if row.next_offset and place[0] in counts}
    problems = await source_problems(bootstrap, there)
    return findings + [Diagnosis(Complaint.SOURCE, problem) for problem in problems.values()]


async def _settings(bootstrap: str, topic: str) -> list[Diagnosis]:
    settings = await kafka.topic_settings(bootstrap, topic)
    return [
        Diagnosis(Complaint.TOPIC_SETTINGS, f"{topic}: {name} is {settings.get(name)}, must be {value}")
        for name, value in kafka.KEEPS_FOR_EVER.items()
        if settings.get(name) != value
    ]


async def _own_topic(connection: asyncpg.Connection, bootstrap: str, topic: str, partitions: int) -> list[Diagnosis]:
    consumer = kafka.reader(bootstrap)
    try:
        await consumer.start()
        begins = await kafka.first_records(consumer, topic, partitions)
        tails = await kafka.tails(consumer, topic, partitions)
    except WrongTopicSettings as error:
        return [Diagnosis(Complaint.TOPIC_BEGINNING, str(error))]
    finally:
        await asyncio.shield(consumer.stop())
    findings = []
    for partition in range(partitions):
        first, last = begins[partition], tails[partition]
        if first is not None and (place := _place(first)) is not None and place.previous:
            problem = f"{topic}/{partition} begins with position {place.position}, but {place.previous} came before it"
            findings.append(Diagnosis(Complaint.TOPIC_BEGINNING, problem))
        if last is None:
            continue
        place = _place(last)
        problem_there = (
            f"{topic}/{partition} ends with a record of somebody else's at offset {last.offset}"
            if place is None
            else await tail_problem(connection, topic, partition, place)
        )
        if problem_there is not None:
            findings.append(Diagnosis(Complaint.LOG_BEHIND_TOPIC, problem_there))
    return findings


def _place(record: ConsumerRecord) -> RecordPlace | None:
    try:
        return place_of(dict(record.headers))
    except (KeyError, ValueError):
        return None
