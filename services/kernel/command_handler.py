"""Group commit: everything that waits goes into one transaction, is decided in order and appended once."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import asyncpg

from services.kernel.codec import EventCodec
from services.kernel.event_log import Connection
from services.kernel.execution import Executed, Execution
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


_Waiting: TypeAlias = tuple[Work, "asyncio.Future[None]"]


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
        self._execution = Execution(definition.decider, codec, partitions)
        self._on_commit = on_commit
        self._group_size = group_size
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def commit(self, work: Work) -> None:
        """Commit the work with whatever else waits. Raises if the database stays away."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((work, done))
        await done

    async def run(self) -> None:
        """Commit groups until cancelled; a group under way is finished first."""
        held: list[_Waiting] = []
        while True:
            group = held or [await self._waiting.get()]
            while not self._waiting.empty() and len(group) < self._group_size:
                group.append(self._waiting.get_nowait())
            group, held = _separate(group)
            await asyncio.shield(asyncio.ensure_future(self._commit_group(group)))

    async def _commit_group(self, group: Sequence[_Waiting]) -> None:
        error: BaseException | None = None
        for attempt in range(_TRIES_MAX):
            started = time.monotonic()
            try:
                recorded = await self._transaction([work for work, _ in group])
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
        for _, done in group:
            if done.cancelled():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

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
    if group[0][0].alone:
        return group[:1], group[1:]
    keys: set[str] = set()
    together: list[_Waiting] = []
    after: list[_Waiting] = []
    for entry in group:
        key = entry[0].key
        waits = entry[0].alone or (key is not None and key in keys)
        (after if waits else together).append(entry)
        if key is not None:
            keys.add(key)
    return together, after
