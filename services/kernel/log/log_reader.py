"""Reads the log forward; what this process just committed comes from memory, the rest from PostgreSQL."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any

import asyncpg

from services.kernel.codec import EventCodec
from services.kernel.errors import UnknownEvent
from services.kernel.log import event_log
from services.kernel.messages import Recorded

_RECENT_EVENTS_MAX = 2_000
"""A partition's events kept in memory. More would be walked by every full garbage collection: at 20,000 a third
of quote's time went there."""

_RETRY_SECONDS = 0.5

log = logging.getLogger(__name__)


class LogReader:
    """The one way to follow the log. Positions have no holes, so memory and database cannot disagree."""

    def __init__(self, pool: asyncpg.Pool, codec: EventCodec, partitions: int) -> None:
        self._pool = pool
        self._codec = codec
        self.partitions = range(partitions)
        self._recent: list[deque[Recorded[Any]]] = [deque(maxlen=_RECENT_EVENTS_MAX) for _ in self.partitions]
        self.heads: list[int] = [0] * partitions
        self._grown = asyncio.Event()

    def committed(self, events: Sequence[Recorded[Any]]) -> None:
        """Take note of events that this process has just committed, in order."""
        for event in events:
            recent = self._recent[event.partition]
            if recent and recent[-1].position + 1 != event.position:
                recent.clear()
            recent.append(event)
            self.heads[event.partition] = max(self.heads[event.partition], event.position)
        if events:
            self._wake()

    async def read(self, partition: int, after: int, limit: int) -> Sequence[Recorded[Any]]:
        """Up to `limit` events after a position, in order; empty when there is none yet.

        Ends before an event that this build does not know, and raises UnknownEvent where that one is the first.
        """
        if after >= self.heads[partition]:
            return ()
        recent = self._recent[partition]
        # Another process may have appended beyond what this one committed itself.
        if recent and recent[0].position <= after + 1 <= recent[-1].position:
            start = after + 1 - recent[0].position
            return list(islice(recent, start, start + limit))
        async with self._pool.acquire() as connection:
            return self._known(await event_log.read(connection, partition, after, limit))

    def _known(self, stored: Sequence[event_log.StoredEvent]) -> list[Recorded[Any]]:
        known: list[Recorded[Any]] = []
        for one in stored:
            try:
                known.append(self._codec.recorded(one))
            except UnknownEvent:
                if not known:
                    raise
                break
        return known

    async def read_stream(self, connection: event_log.Connection, partition: int, stream: str) -> list[Recorded[Any]]:
        """All events of a stream, over a connection of whoever asks: the log's own are few."""
        found = await event_log.read_stream(connection, partition, stream)
        return [self._codec.recorded(stored) for stored in found]

    async def refresh(self) -> None:
        """Look at the heads in the database."""
        async with self._pool.acquire() as connection:
            heads = await event_log.heads(connection)
        if any(head.position > self.heads[partition] for partition, head in heads.items()):
            for partition, head in heads.items():
                self.heads[partition] = max(self.heads[partition], head.position)
            self._wake()

    async def run(self, poll_seconds: float) -> None:
        """Watch for events that other processes append. A poll, because NOTIFY would serialise all commits."""
        while True:
            try:
                await self.refresh()
            except Exception as error:
                log.warning("log heads not readable: %s", error)
                await asyncio.sleep(_RETRY_SECONDS)
            await asyncio.sleep(poll_seconds)

    async def grown(self, seen: Sequence[int], timeout_seconds: float) -> None:
        """Return as soon as a head is beyond `seen`, or after the timeout."""
        if any(head > known for head, known in zip(self.heads, seen, strict=True)):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._grown.wait()

    def _wake(self) -> None:
        # Whoever waits holds the old event; the next one to wait gets a fresh one.
        self._grown.set()
        self._grown = asyncio.Event()
