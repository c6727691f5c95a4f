"""What a subscriber does with the partitions it is given: compare, go to where the inbox says, or stop them."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg
from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError

from services.kernel.cancellation import end_if_cancelled
from services.kernel.receiving.inbox import Place, Taken
from services.kernel.receiving.reactions import describe
from services.kernel.receiving.sources import known_and_problems

_LOOK_AGAIN_SECONDS = 2.0

log = logging.getLogger(__name__)


class SeekToInbox(ConsumerRebalanceListener):  # type: ignore[misc]
    """On each assignment, go to where the inbox says; the group's own offset is only a hint.

    A partition whose last handled record is not there any more is not read on: it stays paused, `stopped` says why,
    and it is looked at again until somebody has put it right.
    """

    def __init__(self, pool: asyncpg.Pool, bootstrap: str, stopped: dict[TopicPartition, str]) -> None:
        self._pool = pool
        self._bootstrap = bootstrap
        self._stopped = stopped
        self._held: set[TopicPartition] = set()
        self._next_offsets: dict[TopicPartition, int] = {}
        self._releasing: asyncio.Task[None] | None = None
        self.subscriber: Any = None

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Hold the partitions until they are compared with the inbox; at best that is done when this returns."""
        self._forget()
        self._hold(assigned)
        try:
            await self._release()
        except (Exception, asyncio.CancelledError) as error:
            # aiokafka cancels what waits for a client that it closes. Raised here, it would end the group's membership.
            end_if_cancelled()
            log.warning("sources not compared with the inbox: %s", describe(error))
        if self._held:
            self._releasing = asyncio.create_task(self._go_on_releasing())

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Nothing to save: the inbox row moved with the batch."""
        del revoked
        self._forget()

    async def screened(self, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        """The records that may be handled. Where offsets went back, the topic may be another one, and is compared."""
        went_back = self._went_back(records) - self._held
        if went_back:
            try:
                _, problems = await known_and_problems(self._pool, self._bootstrap, went_back)
            except (Exception, asyncio.CancelledError) as error:
                end_if_cancelled()
                problems = dict.fromkeys(went_back, f"not compared with the inbox: {error}")
            if problems:
                self._hold(problems)
                self._stopped.update(problems)
                if self._releasing is None or self._releasing.done():
                    self._releasing = asyncio.create_task(self._go_on_releasing())
        return [record for record in records if _place(record) not in self._held]

    def _went_back(self, records: Sequence[ConsumerRecord]) -> set[TopicPartition]:
        found = set()
        for record in records:
            place = _place(record)
            if record.offset < self._next_offsets.get(place, 0):
                found.add(place)
            self._next_offsets[place] = record.offset + 1
        return found

    def _hold(self, places: Iterable[TopicPartition]) -> None:
        for place in places:
            self._held.add(place)
            self.subscriber.consumer.pause(place)

    def close(self) -> None:
        """Stop looking at partitions that are held."""
        self._forget()

    def _forget(self) -> None:
        if self._releasing is not None:
            self._releasing.cancel()
        for place in self._held:
            self._stopped.pop(place, None)
        self._held.clear()
        self._next_offsets.clear()

    async def _go_on_releasing(self) -> None:
        while self._held:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            try:
                await self._release()
            except (Exception, asyncio.CancelledError) as error:
                end_if_cancelled()
                log.warning("sources not compared with the inbox: %s", describe(error))

    async def _release(self) -> None:
        known, problems = await known_and_problems(self._pool, self._bootstrap, list(self._held))
        for place in list(self._held):
            problem = problems.get(place)
            if problem is None:
                self._go_to_inbox(place, known)
            elif self._stopped.get(place) != problem:
                log.critical("partition stopped: %s", problem)
                self._stopped[place] = problem

    def _go_to_inbox(self, place: TopicPartition, known: Mapping[Place, Taken]) -> None:
        before = known.get((place.topic, place.partition))
        try:
            self.subscriber.consumer.seek(place, before.next_offset if before else 0)
            self.subscriber.consumer.resume(place)
        except IllegalStateError:
            log.info("%s is not assigned any more", place)
        self._held.discard(place)
        self._stopped.pop(place, None)
        self._next_offsets.pop(place, None)


def _place(record: ConsumerRecord) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)
