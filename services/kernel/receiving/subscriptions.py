"""All subscribers of one service process: made, started and stopped as one."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
from aiokafka import TopicPartition
from faststream.kafka import KafkaBroker

from services.kernel import kafka
from services.kernel.commands.command_handler import CommandHandler
from services.kernel.messages import Delivery
from services.kernel.observability import Metrics
from services.kernel.receiving import former_members
from services.kernel.receiving.assignment import SeekToInbox
from services.kernel.receiving.inbox import InboxBatch
from services.kernel.receiving.subscribers import CHANNEL_PATTERN, Intake, subscribe
from services.kernel.service import ServiceDefinition
from services.kernel.settings import ServiceSettings

STOP_SECONDS = 30


class Subscriptions:
    """Reads the service's sources and the channels' topics once started. One that did not start is made anew."""

    def __init__(
        self,
        definition: ServiceDefinition,
        settings: ServiceSettings,
        pool: asyncpg.Pool,
        handler: CommandHandler,
        metrics: Metrics,
        before_batch: Callable[[Sequence[Delivery]], Awaitable[None]],
        after_batch: Callable[[InboxBatch], None],
    ) -> None:
        self._definition = definition
        self._settings = settings
        self._pool = pool
        self._handler = handler
        self._metrics = metrics
        self._before_batch = before_batch
        self._after_batch = after_batch
        self._listeners: list[SeekToInbox] = []
        self._intakes: list[Intake] = []
        self._groups = (f"{definition.name}.events", f"{definition.name}.channels")
        self.stopped_sources: dict[TopicPartition, str] = {}
        """Partitions that are not read on, with the reason."""
        self.broker = self._made()

    @property
    def troubles(self) -> list[str]:
        """Why batch after batch is handed back, of each subscriber that does so."""
        return [intake.trouble for intake in self._intakes if intake.trouble is not None]

    async def start(self) -> None:
        """Join the groups and read. Raises KafkaError or OSError where Kafka is away, with nothing left open."""
        await former_members.say_goodbye(self._settings.kafka, self._definition.name, self._groups)
        try:
            await self.broker.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Finish the batch in hand and leave the groups."""
        with contextlib.suppress(Exception):
            await self.broker.stop()
        self.close()

    def close(self) -> None:
        """Look no more at partitions that are held."""
        for listener in self._listeners:
            listener.close()

    def _made(self) -> KafkaBroker:
        definition, settings = self._definition, self._settings
        broker = KafkaBroker(
            settings.kafka,
            allow_auto_create_topics=False,
            graceful_timeout=STOP_SECONDS,
            client_id=former_members.member_name(definition.name),
            logger=None,
            retry_backoff_ms=kafka.RETRY_BACKOFF_MS,
            metadata_max_age_ms=int(settings.channel_refresh_seconds * 1000),
        )
        if definition.sources:
            subscribe(
                broker,
                self._intake(definition.react, linked=True),
                self._listener(),
                group=self._groups[0],
                topics=definition.sources,
                records_max=settings.inbox_records,
                session_timeout_ms=settings.session_timeout_ms,
            )
        if definition.react_to_channel is not None:
            subscribe(
                broker,
                self._intake(definition.react_to_channel, linked=False),
                self._listener(),
                group=self._groups[1],
                pattern=CHANNEL_PATTERN,
                records_max=settings.inbox_records,
                session_timeout_ms=settings.session_timeout_ms,
            )
        return broker

    def _intake(self, react: Any, *, linked: bool) -> Intake:
        made = Intake(
            self._definition,
            self._handler,
            react,
            linked=linked,
            metrics=self._metrics,
            before_batch=self._before_batch,
            after_batch=self._after_batch,
        )
        self._intakes.append(made)
        return made

    def _listener(self) -> SeekToInbox:
        listener = SeekToInbox(self._pool, self._settings.kafka, self.stopped_sources)
        self._listeners.append(listener)
        return listener
