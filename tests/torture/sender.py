"""Sends messages as a channel would that never gives up: until acknowledged, in order for each key."""

import asyncio
import contextlib
import time

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from contracts.topics import PARTITIONS_DEFAULT, lane_of, orders_topic
from services.kernel import kafka
from tests.torture.journal import Entry, Journal
from tests.torture.poison import oversized

_SEND_SECONDS_MAX = 15.0
_AGAIN_SECONDS = 0.2
_IN_FLIGHT_MAX = 200


class Sender:
    """One producer, thrown away after any error; what it had not acknowledged goes out again.

    A message whose acknowledgement was lost is then there twice, as it is with any channel.
    """

    def __init__(self, bootstrap: str, journal: Journal, messages_a_second: float) -> None:
        self._bootstrap = bootstrap
        self.journal = journal
        self._interval = 1 / messages_a_second
        self._due = 0.0
        self._producer: AIOKafkaProducer | None = None
        self._renewing = asyncio.Lock()
        self._last: dict[tuple[str, str | None], asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(_IN_FLIGHT_MAX)
        self.resent = 0
        self.oversized = 0

    async def send(self, entry: Entry) -> "asyncio.Task[None]":
        """Write the entry down and send it when its turn has come; the task ends with the acknowledgement."""
        await self._paced()
        self.journal.write(entry)
        return await self.send_unwritten(entry)

    async def send_unwritten(self, entry: Entry) -> "asyncio.Task[None]":
        """Send what is in the journal already, as fast as it is taken."""
        await self._room.acquire()
        place = (entry.channel, entry.key)
        task = asyncio.create_task(self._deliver(entry, self._last.get(place)))
        task.add_done_callback(lambda _: self._room.release())
        self._last[place] = task
        return task

    async def _paced(self) -> None:
        now = time.monotonic()
        self._due = max(self._due + self._interval, now)
        await asyncio.sleep(self._due - now)

    async def _deliver(self, entry: Entry, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait([before])
        key = entry.key.encode() if entry.key is not None else None
        place = {"topic": orders_topic(entry.channel), "partition": lane_of(entry.key or "", PARTITIONS_DEFAULT)}
        while True:
            producer = await self._ready()
            try:
                async with asyncio.timeout(_SEND_SECONDS_MAX):
                    await producer.send_and_wait(**place, key=key, value=entry.value)
                return
            except (KafkaError, OSError, TimeoutError):
                self.resent += 1
                await self._throw_away(producer)
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _ready(self) -> AIOKafkaProducer:
        async with self._renewing:
            while self._producer is None:
                producer = kafka.channel_producer(self._bootstrap)
                try:
                    async with asyncio.timeout(_SEND_SECONDS_MAX):
                        await producer.start()
                    self._producer = producer
                except (KafkaError, OSError, TimeoutError):
                    await kafka.abandon(producer)
                    await asyncio.sleep(_AGAIN_SECONDS)
            return self._producer

    async def _throw_away(self, producer: AIOKafkaProducer) -> None:
        async with self._renewing:
            if self._producer is producer:
                self._producer = None
                await kafka.abandon(producer)

    async def send_oversized(self, channel: str, mark: str) -> None:
        """Send what the broker must refuse. Raises AssertionError where it is taken."""
        producer = kafka.channel_producer(self._bootstrap)
        try:
            async with asyncio.timeout(_SEND_SECONDS_MAX):
                await producer.start()
                await producer.send_and_wait(orders_topic(channel), oversized(mark), partition=0)
        except MessageSizeTooLargeError:
            self.oversized += 1
            return
        except (KafkaError, OSError, TimeoutError):
            return
        finally:
            await kafka.abandon(producer)
        raise AssertionError(f"the broker took a message of more than {len(oversized(mark)):,} bytes")

    async def flush(self) -> None:
        """Wait until everything is acknowledged."""
        while waiting := [task for task in self._last.values() if not task.done()]:
            await asyncio.gather(*waiting)
        self._last.clear()

    async def close(self) -> None:
        """Stop sending."""
        for task in self._last.values():
            task.cancel()
        await asyncio.gather(*self._last.values(), return_exceptions=True)
        if self._producer is not None:
            with contextlib.suppress(KafkaError, OSError):
                await kafka.abandon(self._producer)
