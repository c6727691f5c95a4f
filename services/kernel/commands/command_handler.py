"""Group commit: everything that waits goes into one transaction, is decided in order and appended once."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg

from services.kernel.codec import EventCodec
from services.kernel.commands.execution import Executed, Execution
from services.kernel.log.event_log import Connection
from services.kernel.messages import Instruction, Recorded
from services.kernel.postgres import is_transient
from services.kernel.service import ServiceDefinition

_TRIES_MAX = 8
_BACKOFF_SECONDS_MAX = 2.0

log = logging.getLogger(__name__)


class Work(Protocol):
    """Something to be committed as one: its instructions, and what it writes beside their events.

    Both methods run inside the transaction and again from the start if it has to be tried again.
    `key` keeps two works that must see each other's result out of one group, `alone` keeps any other out.
    """

    @property
    def key(self) -> str | None:
        """Works with the same key are never in one group."""
        ...

    @property
    def alone(self) -> bool:
        """Whether the work has a transaction of its own."""
        ...

    async def prepare(self, connection: Connection) -> Sequence[Instruction]:
        """Lock what belongs to the work and say what is to be decided."""
        ...

    async def finish(self, connection: Connection, executed: Sequence[Executed]) -> None:
        """Write what goes with the outcome."""
        ...


@dataclass(slots=True, eq=False)
class _Waiting:
    """A work in the queue, and what its sender waits for."""

    work: Work
    done: "asyncio.Future[None]"


class CommandHandler:
    """Loads, folds, decides, appends. One per service process; `run` must be running."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        definition: ServiceDefinition,
        codec: EventCodec,
        partitions: int,
        on_commit: Callable[[Sequence[Recorded[Any]], float], None],
        group_size: int,
    ) -> None:
        self._pool = pool
        self._execution = Execution(definition.decider, codec, partitions, definition.witness)
        self._on_commit = on_commit
        self._group_size = group_size
        self._waiting: deque[_Waiting] = deque()
        self._came = asyncio.Event()

    async def commit(self, work: Work) -> None:
        """Commit the work with whatever else waits. Raises if the database stays away.

        Given up by its sender while it waits, it is not carried out; once it is under way, it is.
        """
        entry = _Waiting(work, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        self._came.set()
        try:
            await entry.done
        except asyncio.CancelledError:
            with contextlib.suppress(ValueError):
                self._waiting.remove(entry)
            raise

    async def run(self) -> None:
        """Commit groups until cancelled; a group under way is finished first."""
        held: list[_Waiting] = []
        while True:
            group = held
            while not group and not self._waiting:
                self._came.clear()
                await self._came.wait()
            while self._waiting and len(group) < self._group_size:
                group.append(self._waiting.popleft())
            group, held = _separate(group)
            await asyncio.shield(asyncio.ensure_future(self._commit_group(group)))

    async def _commit_group(self, group: Sequence[_Waiting]) -> None:
        error: BaseException | None = None
        for attempt in range(_TRIES_MAX):
            started = time.monotonic()
            try:
                recorded = await self._transaction([entry.work for entry in group])
            except Exception as caught:
                error = caught
                if not is_transient(caught):
                    if len(group) > 1:
                        # One work that cannot be committed must not fail those that happened to wait beside it.
                        for entry in group:
                            await self._commit_group([entry])
                        return
                    break
                log.warning("commit tried again after %s: %s", type(caught).__name__, caught)
                await asyncio.sleep(min(_BACKOFF_SECONDS_MAX, 0.05 * 2**attempt))
            else:
                self._on_commit(recorded, time.monotonic() - started)
                error = None
                break
        for entry in group:
            if entry.done.cancelled():
                continue
            if error is None:
                entry.done.set_result(None)
            else:
                entry.done.set_exception(error)

    async def _transaction(self, works: Sequence[Work]) -> list[Recorded[Any]]:
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                prepared = [await work.prepare(connection) for work in works]
                asked = [instruction for instructions in prepared for instruction in instructions]
                done = await self._execution.carry_out(connection, asked)
                start = 0
                for work, own in zip(works, prepared, strict=True):
                    await work.finish(connection, done.executed[start : start + len(own)])
                    start += len(own)
        except BaseException:
            # Whether a commit whose answer was lost took place is not known.
            self._execution.forget()
            raise
        self._execution.believe(done)
        return done.recorded


def _separate(group: list[_Waiting]) -> tuple[list[_Waiting], list[_Waiting]]:
    """Works that may be committed together, and those that must come after, in order."""
    if group[0].work.alone:
        return group[:1], group[1:]
    keys: set[str] = set()
    together: list[_Waiting] = []
    after: list[_Waiting] = []
    for entry in group:
        key = entry.work.key
        waits = entry.work.alone or (key is not None and key in keys)
        (after if waits else together).append(entry)
        if key is not None:
            keys.add(key)
    return together, after
