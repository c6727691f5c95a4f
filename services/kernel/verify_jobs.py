"""Shares out the work of a verification: one job for each partition, on as many processes as there are cores."""

import asyncio
import importlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from typing import TypeAlias

from aiokafka import TopicPartition

from contracts.topics import events_topic
from services.kernel import kafka, postgres
from services.kernel.chain_walk import SignedDigest
from services.kernel.event_log import Connection
from services.kernel.finding import Finding
from services.kernel.service import ServiceDefinition
from services.kernel.topic_mirror import TopicMirror, records_of
from services.kernel.verify import verify_partition

_SHOW_SECONDS = 0.2
_TOPIC_WEIGHT = 10
"""A record is decoded, mapped and compared, an event only hashed."""

_SMALL = 20_000
"""Weighted events for which no other process is worth its start."""

Report: TypeAlias = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainJob:
    """Walk the chain of one partition of `events` events."""

    service: str
    partition: int
    events: int
    database: str
    signed: tuple[SignedDigest, ...] = ()

    @property
    def weight(self) -> int:
        """How long it takes, compared with others."""
        return self.events

    async def run(self, report: Report) -> "Outcome":
        """Do it."""
        connection = await _connect(self.database)
        try:
            checked, finding = await verify_partition(
                connection, self.partition, self.signed, report, service=self.service
            )
        finally:
            await connection.close()
        return Outcome(self, checked, 0, finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicJob:
    """Compare one partition of the service's topic, up to offset `end`, with the log up to position `events`.

    `application` is `module:name` of the service, whose `to_wire` says what must be there.
    """

    service: str
    partition: int
    events: int
    database: str
    kafka: str
    application: str
    end: int
    relayed: int | None

    @property
    def weight(self) -> int:
        """How long it takes, compared with others."""
        return self.events * _TOPIC_WEIGHT

    async def run(self, report: Report) -> "Outcome":
        """Do it."""
        module, name = self.application.split(":")
        definition: ServiceDefinition = getattr(importlib.import_module(module), name).definition
        connection = await _connect(self.database)
        consumer = kafka.reader(self.kafka)
        try:
            await consumer.start()
            mirror = TopicMirror(connection, definition, self.partition, self.events)
            place = TopicPartition(events_topic(self.service), self.partition)
            mirrored = await mirror.compare(records_of(consumer, place, self.end), self.relayed, report)
        finally:
            await asyncio.gather(consumer.stop(), connection.close())
        return Outcome(self, mirrored.records, mirrored.waiting, mirrored.finding)


Job: TypeAlias = ChainJob | TopicJob


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job checked: events or records that are right, public events not relayed yet, and what is wrong."""

    job: Job
    checked: int
    waiting: int
    finding: Finding | None


async def _connect(database: str) -> Connection:
    connection = await postgres.connect(database)
    await connection.execute("set statement_timeout = 0; set idle_in_transaction_session_timeout = 0")
    return connection


def run_jobs(jobs: Iterable[Job], workers: int, report: Report) -> list[Outcome]:
    """Do all jobs, the largest first, on up to `workers` processes; `report` hears how many more were checked."""
    ordered = sorted(jobs, key=lambda job: -job.weight)
    workers = min(workers, len(ordered))
    if workers <= 1 or sum(job.weight for job in ordered) < _SMALL:
        return asyncio.run(_one_after_the_other(ordered, report))
    context = multiprocessing.get_context("spawn")
    heard: SimpleQueue[int | None] = context.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(heard, report), daemon=True)
    listener.start()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(heard,))
    try:
        return [done.result() for done in as_completed([pool.submit(_work, job) for job in ordered])]
    finally:
        pool.shutdown(cancel_futures=True)
        heard.put(None)
        listener.join()


async def _one_after_the_other(jobs: Sequence[Job], report: Report) -> list[Outcome]:
    return [await job.run(report) for job in jobs]


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


def _work(job: Job) -> Outcome:
    (progress,) = _of_this_process
    outcome = asyncio.run(job.run(progress.add))
    progress.tell()
    return outcome
