"""The calendar: what is due on a business date is done by itself, a bounded part at a time.

A service declares what is due (`Due`); every few seconds the commands of a page of it are carried out in one commit.
Only the process whose relay works does so; two that did it at once would do no harm, since the rules of each command
decide on its own stream whether there is anything left to do.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.kernel import clock
from services.kernel.commands.execution import Executed
from services.kernel.log.event_log import Connection
from services.kernel.messages import Instruction
from services.kernel.process.runtime import Kernel
from services.kernel.read_models import ReadModels

PAGE = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DuePage:
    """Some of what is due, and the place behind it: `next_after` is None where nothing is left."""

    instructions: Sequence[Instruction]
    next_after: Any | None = None


Due = Callable[[ReadModels, date, Any | None, int], Awaitable[DuePage]]
"""What is due on a date (in UTC), behind a place, at most so many; the commands carry the date."""


@dataclass(slots=True)
class _DueWork:
    """The commands of a page as one work. Whatever its rules refuse was settled meanwhile, and is not due any more."""

    instructions: Sequence[Instruction]
    key: str | None = None
    alone: bool = False
    executed: list[Executed] = field(default_factory=list)

    async def prepare(self, connection: Connection) -> Sequence[Instruction]:  # noqa: ARG002 - a work may read
        """All of them."""
        return self.instructions

    async def finish(self, connection: Connection, executed: Sequence[Executed]) -> None:  # noqa: ARG002 - or write
        """Nothing is written beside the events."""
        self.executed = list(executed)


class Calendar:
    """Does what is due, in one service process. Tells `/status` and the metrics what it did."""

    def __init__(self, kernel: Kernel, due: Due, seconds: float, page: int = PAGE) -> None:
        self._kernel = kernel
        self._due = due
        self._seconds = seconds
        self._page = page
        self._after: Any | None = None
        self._done = 0
        kernel.calendar_status = "not begun"

    async def run(self) -> None:
        """Look every few seconds until cancelled; what fails is tried again."""
        while True:
            if self._kernel.started:
                try:
                    await self._look()
                except Exception as error:
                    self._kernel.calendar_status = f"failed: {type(error).__name__}: {error}"
                    log.warning("the calendar was not kept: %s: %s", type(error).__name__, error)
            await asyncio.sleep(self._seconds)

    async def _look(self) -> None:
        if not self._kernel.relay.working:
            self._kernel.calendar_status = "standby"
            return
        today = clock.now().date()
        done = await self.keep(today)
        self._done += done
        self._kernel.metrics.calendar_done.inc(done)
        self._kernel.calendar_status = f"kept for {today}, {self._done} commands since the start"

    async def keep(self, business_date: date) -> int:
        """One round for a date: the next page of what is due. Returns how many commands changed something."""
        page = await self._due(self._kernel.read, business_date, self._after, self._page)
        # From the start again behind the last page: what could not be done must not keep the rest waiting.
        self._after = page.next_after
        if not page.instructions:
            return 0
        work = _DueWork(page.instructions)
        await self._kernel.handler.commit(work)
        for one in work.executed:
            if one.failure is not None:
                command, stream = type(one.instruction.command).__name__, one.instruction.stream
                log.error("%s on %s failed: %s", command, stream, one.failure)
        return sum(bool(one.events) for one in work.executed)
