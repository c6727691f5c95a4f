"""Processes that a fault may kill, stop, freeze and start again: the two servers and the services."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from infra.local.process import ChildProcess, Command

READY_SECONDS_MAX = 300.0
STOP_SECONDS_MAX = 120.0
_POLL_SECONDS = 0.05


@dataclass
class Running:
    """One process that can be ended in any way and started again. `make` gives its command anew at each start.

    Whatever it is, it dies with SIGKILL when this process does: a frozen one would never see another signal.
    """

    name: str
    make: Callable[[], Command]
    process: ChildProcess | None = None
    held: bool = False
    kills: int = 0
    started_at: float = 0.0
    unasked: list[str] = field(default_factory=list)
    """Exit codes of ends that nobody asked for."""

    @property
    def alive(self) -> bool:
        """Whether it runs, be it frozen."""
        return self.process is not None and not self.process.ended

    def start(self) -> None:
        """Start it, unless it runs."""
        if not self.alive:
            self.started_at = time.monotonic()
            self.process = ChildProcess(replace(self.make(), stop_signal=signal.SIGKILL))

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process and to those that it started."""
        if self.process is None or self.process.ended:
            return
        for process in self._family() if number in (signal.SIGSTOP, signal.SIGCONT) else [self.process.pid]:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue

    def _family(self) -> list[int]:
        pid = self.process.pid if self.process is not None else 0
        try:
            return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
        except psutil.NoSuchProcess:
            return []

    def freeze(self) -> None:
        """Let it stand still with all its connections open."""
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.send(signal.SIGCONT)

    async def kill(self) -> None:
        """End it with SIGKILL."""
        if self.alive:
            self.kills += 1
            self.send(signal.SIGKILL)
            await self.gone()

    async def end(self, number: signal.Signals) -> int | None:
        """End it with another signal and tell its exit code. Raises AssertionError where it does not end."""
        self.send(number)
        await self.gone()
        return self.process.exit_code if self.process is not None else None

    async def gone(self, seconds: float = STOP_SECONDS_MAX) -> None:
        """Wait until it has ended."""
        process = self.process
        if process is not None:
            ended = await asyncio.to_thread(process.wait, seconds)
            assert ended, f"{self.name} (pid {process.pid}) has not ended after {seconds:.0f} s"

    def destroy(self) -> None:
        """End it by force, whatever state it is in."""
        self.held = True
        if self.process is not None:
            self.thaw()
            self.process.kill()


def service_command(
    name: str, argv: tuple[str, ...], environment: Mapping[str, str], folder: Path
) -> Callable[[], Command]:
    """The command of a service, with these variables on top of ours."""

    def make() -> Command:
        return Command(
            name=name,
            argv=argv,
            log=folder / f"{name}.log",
            stop_signal=signal.SIGTERM,
            stop_seconds_max=STOP_SECONDS_MAX,
            env={**os.environ, **environment},
        )

    return make


async def until(ready: Callable[[], bool], what: str, seconds: float = READY_SECONDS_MAX) -> None:
    """Wait until it is so. Raises AssertionError naming it after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            while not await asyncio.to_thread(ready):
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        raise AssertionError(f"still not so after {seconds:.0f} s: {what}") from error
