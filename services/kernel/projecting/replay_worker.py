"""A process that fills partitions of a shadow, started by `replay_crew`: jobs come in by stdin, progress goes out.

It ends when its stdin is closed, so none outlives the replay that it works for, however that one ends.
"""

import asyncio
import json
import os
import pickle
import sys
from dataclasses import dataclass
from typing import Any

import asyncpg

from services.kernel import postgres
from services.kernel.codec import EventCodec
from services.kernel.collector import collect_seldom
from services.kernel.projecting.filling import Filler, keep_keys, kept_keys, touched_keys
from services.kernel.projecting.merging import RowKey
from services.kernel.projecting.narrowing import Narrowing
from services.kernel.projection import Projection

NICENESS = 10
"""Of worker processes: live traffic goes first."""
LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Assignment:
    """What all jobs of one replay share. `projection` is the shadow."""

    dsn: str
    codec: EventCodec
    projection: Projection
    narrowing: Narrowing


@dataclass(frozen=True, slots=True)
class Job:
    """Fill a partition from one position up to another."""

    partition: int
    after: int
    until: int


class Labourer:
    """Carries out jobs on one connection; in a process of its own or, for a small log, in the replay's."""

    def __init__(self, connection: asyncpg.Connection, assignment: Assignment) -> None:
        self._connection = connection
        self._assignment = assignment
        self._fillers: dict[int, Filler] = {}

    async def carry_out(self, job: Job, report: Any) -> None:
        """Fill; `report` hears (partition, position) after each flush."""
        filler = self._fillers.get(job.partition)
        if filler is None:
            filler = self._fillers[job.partition] = await self._filler(job)
        await filler.fill(job.after, job.until, lambda position: report(job.partition, position))

    async def _filler(self, job: Job) -> Filler:
        a, keys = self._assignment, None
        if a.narrowing.by_event:
            keys = await self._keys(job)
        return Filler(self._connection, a.codec, a.projection, job.partition, keys)

    async def _keys(self, job: Job) -> set[RowKey]:
        a = self._assignment
        if job.after:
            return await kept_keys(self._connection, a.projection, job.partition)
        keys = await touched_keys(self._connection, a.codec, a.projection, job.partition, job.until, a.narrowing)
        await keep_keys(self._connection, a.projection, list(keys))
        return keys


async def _work() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
    # Our own parent wrote these bytes; nobody else has the other end of the pipe.
    assignment: Assignment = pickle.loads(await reader.readexactly(length))  # noqa: S301
    collect_seldom()
    connection = await postgres.connect_for_replay(assignment.dsn)
    labourer = Labourer(connection, assignment)
    jobs: asyncio.Queue[Job] = asyncio.Queue()
    working = asyncio.create_task(_carry_out(labourer, jobs))
    while line := await reader.readline():
        jobs.put_nowait(Job(**json.loads(line)))
    working.cancel()


async def _carry_out(labourer: Labourer, jobs: asyncio.Queue[Job]) -> None:
    while True:
        job = await jobs.get()
        try:
            await labourer.carry_out(job, lambda partition, position: _say(partition=partition, position=position))
        except Exception as error:
            _say(error=f"{type(error).__name__}: {error}")
            return
        _say(done=job.partition)


def _say(**content: Any) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Work until stdin ends."""
    # Live traffic goes first.
    os.nice(NICENESS)
    asyncio.run(_work())


if __name__ == "__main__":
    main()
