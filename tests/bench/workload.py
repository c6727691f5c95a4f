"""What the kernel is measured with: the smallest service there is, events of about 300 bytes, a log of its own."""

import hashlib
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from contracts.topics import PARTITIONS_DEFAULT, lane_of
from services.kernel import postgres
from services.kernel.codec import EventCodec
from services.kernel.commands.command_handler import CommandHandler
from services.kernel.commands.execution import Executed
from services.kernel.log.event_log import Connection
from services.kernel.messages import Instruction, Recorded
from services.kernel.settings import ServiceSettings
from tests.support.tally import Count, tally_service

PARTITIONS = PARTITIONS_DEFAULT
PREFIX = "bench"
CAUSE = {"source": "foreign.events.v1/1/123456", "id": "foreign/1/234567"}
"""Metadata as the inbox adds it to the events of a delivered record."""

CONNECTIONS = 8


@dataclass(slots=True)
class Batch:
    """Commands to be committed as one, as the inbox commits a polled batch of records."""

    instructions: Sequence[Instruction]
    key: str | None = None
    alone: bool = False

    async def prepare(self, connection: Connection) -> Sequence[Instruction]:
        """The commands."""
        return self.instructions

    async def finish(self, connection: Connection, executed: Sequence[Executed]) -> None:
        """Nothing goes beside the events; a command that did not make its event spoils the measurement."""
        for outcome in executed:
            if len(outcome.events) != 1:
                raise RuntimeError(f"a command of the benchmark failed: {outcome.failure or outcome.refusal}")


def note_of(tally: str) -> str:
    """Text that makes an event 300 bytes long and does not compress to nothing."""
    return hashlib.sha512(tally.encode()).hexdigest() + hashlib.sha384(tally.encode()).hexdigest()


def tallies(prefix: str) -> Iterator[tuple[int, str]]:
    """Partition and name of ever new tallies; the names are spread as contract ids are."""
    for number in itertools.count():
        name = hashlib.sha256(f"{prefix}/{number}".encode()).hexdigest()[:16]
        yield lane_of(name, PARTITIONS), name


def counting(tally: str) -> Instruction:
    """Count one on a tally."""
    return Instruction(lane=tally, stream=f"tally-{tally}", command=Count(tally, 1, note_of(tally)), cause=CAUSE)


def batches(prefix: str, count: int, size: int) -> list[list[Batch]]:
    """For each partition, `count` batches of `size` commands to new streams."""
    waiting: list[list[Instruction]] = [[] for _ in range(PARTITIONS)]
    for partition, name in tallies(prefix):
        if len(waiting[partition]) < count * size:
            waiting[partition].append(counting(name))
        elif all(len(own) == count * size for own in waiting):
            break
    return [[Batch(own[start : start + size]) for start in range(0, count * size, size)] for own in waiting]


@asynccontextmanager
async def database(admin: str, name: str) -> AsyncIterator[str]:
    """The DSN of a log's database, with the service's own role; dropped afterwards."""
    # A run that was killed may have left one behind.
    await postgres.drop(admin, name, PREFIX)
    dsn = await postgres.provision(admin, name, PREFIX, PARTITIONS)
    try:
        yield dsn
    finally:
        await postgres.drop(admin, name, PREFIX)


def as_superuser(admin: str, dsn: str) -> str:
    """The DSN of the same database for a superuser."""
    return urlsplit(admin)._replace(path=urlsplit(dsn).path).geturl()


@asynccontextmanager
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool as a service opens it."""
    async with await postgres.open_pool(dsn, size=CONNECTIONS) as opened:
        yield opened


def handler(pool: asyncpg.Pool) -> CommandHandler:
    """The kernel's command handler with the settings of a service; nothing follows the log."""

    def ignore(events: Sequence[Recorded[Any]], seconds: float) -> None:
        del events, seconds

    definition = tally_service("bench")
    codec = EventCodec(definition.events)
    group = int(ServiceSettings.model_fields["commit_works"].default)
    return CommandHandler(pool, definition, codec, PARTITIONS, ignore, group)
