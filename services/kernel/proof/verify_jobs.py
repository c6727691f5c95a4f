"""Shares out the work of a verification: one job for each partition, on as many processes as there are cores."""

import asyncio
import importlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.queues import SimpleQueue
from typing import Protocol, TypeAlias, TypeVar

from aiokafka import TopicPartition

from contracts.topics import events_topic
from services.kernel import kafka, postgres
from services.kernel.log.event_log import Connection
from services.kernel.proof.chain_walk import SignedDigest
from services.kernel.proof.finding import Finding
from services.kernel.proof.topic_mirror import TopicMirror, records_of
from services.kernel.proof.verify import verify_partition
from services.kernel.service import ServiceDefinition

_SHOW_SECONDS = 0.2
_TOPIC_WEIGHT = 10
"""A record is decoded, mapped and compared, an event only hashed."""

_SMALL = 40_000
_ALL_SMALL = 5 * _SMALL
"""Weighted events for which a job of its own is not worth its start, and so many for which no process is."""

Report: TypeAlias = Callable[[int], None]


class Kind(StrEnum):
    """What a job looks at."""

    CHAIN = "chain"
    TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one partition: events or records that are right, public events not relayed yet, and what is wrong."""

    service: str
    kind: Kind
    checked: int
    waiting: int
    finding: Finding | None


class Job(Protocol):
    """Work for one process; `weight` says how long it takes, compared with others."""

    @property
    def weight(self) -> int:
        """In events that are hashed."""
        ...

    async def run(self, report: Report) -> list[Outcome]:
        """Do it; `report` hears how many more events or records were checked."""
        ...


@dataclass(frozen=True, slots=True)
class ChainPart:
    """A partition of a log with `events` events, and what checkpoints signed in it."""

    partition: int
    events: int
    signed: tuple[SignedDigest, ...] = ()

    @property
    def weight(self) -> int:
        """In events that are hashed."""
        return self.events


@dataclass(frozen=True, slots=True)
class TopicPart:
    """A partition of a topic up to offset `end`, to be compared with `events` events of the log.

    `relayed` is the position up to which everything must be on the topic; None where nobody knows.
    """

    partition: int
    events: int
    end: int
    relayed: int | None

    @property
    def weight(self) -> int:
        """In events that are hashed."""
        return self.events * _TOPIC_WEIGHT


@dataclass(frozen=True, slots=True)
class ChainJob:
    """Walk the chains of some partitions of a service's log."""

    service: str
    database: str
    parts: tuple[ChainPart, ...]

    @property
    def weight(self) -> int:
        """In events that are hashed."""
        return sum(part.weight for part in self.parts)

    async def run(self, report: Report) -> list[Outcome]:
        """One outcome a partition."""
        connection = await _connect(self.database)
        try:
            outcomes = []
            for part in self.parts:
                checked, finding = await verify_partition(
                    connection, part.partition, part.signed, report, service=self.service
                )
                outcomes.append(Outcome(self.service, Kind.CHAIN, checked, 0, finding))
            return outcomes
        finally:
            await connection.close()


@dataclass(frozen=True, slots=True)
class TopicJob:
    """Compare some partitions of a service's topic with its log.

    `application` is `module:name` of the service, whose `to_wire` says what must be there.
    """

    service: str
    database: str
    kafka: str
    application: str
    parts: tuple[TopicPart, ...]

    @property
    def weight(self) -> int:
        """In events that are hashed."""
        return sum(part.weight for part in self.parts)

    async def run(self, report: Report) -> list[Outcome]:
        """One outcome a partition."""
        module, name = self.application.split(":")
        definition: ServiceDefinition = getattr(importlib.import_module(module), name).definition
        connection = await _connect(self.database)
        consumer = kafka.reader(self.kafka)
        try:
            await consumer.start()
            outcomes = []
            for part in self.parts:
                mirror = TopicMirror(connection, definition, part.partition, part.events)
                place = TopicPartition(events_topic(self.service), part.partition)
                found = await mirror.compare(records_of(consumer, place, part.end), part.relayed, report)
                outcomes.append(Outcome(self.service, Kind.TOPIC, found.records, found.waiting, found.finding))
            return outcomes
        finally:
            await asyncio.gather(consumer.stop(), connection.close())


Part = TypeVar("Part", ChainPart, TopicPart)


def grouped(parts: Iterable[Part]) -> list[tuple[Part, ...]]:
    """Partitions that are small together, large ones alone."""
    groups: list[list[Part]] = [[]]
    for part in parts:
        if groups[-1] and sum(each.weight for each in groups[-1]) + part.weight > _SMALL:
            groups.append([])
        groups[-1].append(part)
    return [tuple(group) for group in groups if group]


async def _connect(database: str) -> Connection:
    connection = await postgres.connect(database)
    await connection.execute("set statement_timeout = 0; set idle_in_transaction_session_timeout = 0")
    return connection


def run_jobs(jobs: Iterable[Job], workers: int, report: Report) -> list[Outcome]:
    """Do all jobs, the largest first, on up to `workers` processes; `report` hears how many more were checked."""
    ordered = sorted(jobs, key=lambda job: -job.weight)
    workers = min(workers, len(ordered))
    if workers <= 1 or sum(job.weight for job in ordered) < _ALL_SMALL:
        return asyncio.run(_one_after_the_other(ordered, report))
    context = multiprocessing.get_context("spawn")
    heard: SimpleQueue[int | None] = context.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(heard, report), daemon=True)
    listener.start()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(heard,))
    try:
        working = [pool.submit(_work, job) for job in ordered]
        return [outcome for done in as_completed(working) for outcome in done.result()]
    finally:
        pool.shutdown(cancel_futures=True)
        heard.put(None)
        listener.join()


async def _one_after_the_other(jobs: Sequence[Job], report: Report) -> list[Outcome]:
    return [outcome for job in jobs for outcome in await job.run(report)]


def _listen(heard: "SimpleQueue[int | None]", report: Report) -> None:
    while (more := heard.get()) is not None:
        report(more)


class _Progress:
    """Adds up what a worker process checked and tells it now and then."""

    def __init__(self, heard: "SimpleQueue[int | None]") -> None:
        self._heard = heard
        self._waiting = 0
        self._told = time.monotonic()

    def add(self, more: int) -> None:
        self._waiting += more
        if time.monotonic() - self._told >= _SHOW_SECONDS:
            self.tell()

    def tell(self) -> None:
        self._heard.put(self._waiting)
        self._waiting, self._told = 0, time.monotonic()


_of_this_process: list[_Progress] = []


def _begin(heard: "SimpleQueue[int | None]") -> None:
    _of_this_process.append(_Progress(heard))


def _work(job: Job) -> list[Outcome]:
    (progress,) = _of_this_process
    outcomes = asyncio.run(job.run(progress.add))
    progress.tell()
    return outcomes
