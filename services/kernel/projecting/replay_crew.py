"""The worker processes of one replay: they share out the partitions, each takes the next when it is done with one."""

import asyncio
import contextlib
import json
import pickle
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast

from services.kernel import postgres
from services.kernel.errors import KernelError, ReplayRefused
from services.kernel.projecting.replay_worker import LENGTH_BYTES, Assignment, Job, Labourer

Report = Callable[[int, int], None]
"""Hears a partition and the position up to which it is in the shadow."""


class Crew:
    """Carries out jobs, several at a time."""

    def __init__(self, hands: Sequence["_Process | _Here"]) -> None:
        self._hands = hands

    async def carry_out(self, jobs: Sequence[Job], report: Report) -> None:
        """Carry out all jobs, the longest first. Raises the first failure."""
        waiting = sorted(jobs, key=lambda job: job.after - job.until)

        async def take(hand: "_Process | _Here") -> None:
            while waiting:
                await hand.carry_out(waiting.pop(0), report)

        taking = [asyncio.create_task(take(hand)) for hand in self._hands]
        try:
            await asyncio.gather(*taking)
        finally:
            for task in taking:
                task.cancel()
            await asyncio.gather(*taking, return_exceptions=True)


@asynccontextmanager
async def crew(assignment: Assignment, processes: int) -> AsyncIterator[Crew]:
    """So many worker processes, ended with the context; with none, this process does the work itself."""
    async with contextlib.AsyncExitStack() as stack:
        if processes:
            started = await asyncio.gather(*(_Process.start(assignment) for _ in range(processes)))
            for process in started:
                stack.push_async_callback(process.end)
            yield Crew(started)
        else:
            connection = await postgres.connect_for_replay(assignment.dsn)
            stack.push_async_callback(connection.close)
            yield Crew([_Here(Labourer(connection, assignment))])


class _Here:
    def __init__(self, labourer: Labourer) -> None:
        self._labourer = labourer

    async def carry_out(self, job: Job, report: Report) -> None:
        await self._labourer.carry_out(job, report)


class _Process:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._stdin = cast("asyncio.StreamWriter", process.stdin)
        self._stdout = cast("asyncio.StreamReader", process.stdout)

    @staticmethod
    async def start(assignment: Assignment) -> "_Process":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.kernel.projecting.replay_worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        # By the pipe, not by the command line, which every user of the machine can read.
        content = pickle.dumps(assignment)
        made = _Process(process)
        made._stdin.write(len(content).to_bytes(LENGTH_BYTES, "big") + content)
        return made

    async def carry_out(self, job: Job, report: Report) -> None:
        self._stdin.write(
            f"{json.dumps({'partition': job.partition, 'after': job.after, 'until': job.until})}\n".encode()
        )
        with contextlib.suppress(ConnectionError):
            await self._stdin.drain()
        while line := await self._stdout.readline():
            said = json.loads(line)
            if "error" in said:
                raise ReplayRefused(f"filling partition {job.partition} failed: {said['error']}")
            if "done" in said:
                return
            report(said["partition"], said["position"])
        code = await self._process.wait()
        raise KernelError(f"a worker of the replay ended with code {code} in partition {job.partition}")

    async def end(self) -> None:
        with contextlib.suppress(ConnectionError):
            self._stdin.close()
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
