"""One running service: pools, log, relay, projector and subscribers, started and stopped in order."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
from aiokafka import TopicPartition
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from contracts.topics import dead_letters_topic, lane_of
from services.kernel import dead_letters, former_members, idempotent, inbox, kafka, postgres
from services.kernel.assignment import SeekToInbox
from services.kernel.checkpoint_signer import CheckpointSigner
from services.kernel.codec import EventCodec
from services.kernel.command_handler import CommandHandler
from services.kernel.idempotent import CommandResult
from services.kernel.inbox import InboxBatch
from services.kernel.log_reader import LogReader
from services.kernel.messages import Delivery, Instruction, Recorded
from services.kernel.observability import Metrics
from services.kernel.projector import Projector
from services.kernel.read_models import ReadModels
from services.kernel.redrive import Settled, SettleDeadLetter, Settlement
from services.kernel.relay import Relay
from services.kernel.service import ServiceDefinition
from services.kernel.settings import ServiceSettings
from services.kernel.subscribers import CHANNEL_PATTERN, Intake, subscribe

_STOP_SECONDS = 30
_CANCEL_AGAIN_SECONDS = 6
"""Longer than the relay needs to throw a producer away."""

BeforeBatch = Callable[[ReadModels, Sequence[Delivery]], Awaitable[None]]
"""Fills what `react` looks into, once for each batch; the events topics' batches are given too."""

log = logging.getLogger(__name__)


class Kernel:
    """Everything of one service process, built by `start`."""

    read: ReadModels

    def __init__(self, definition: ServiceDefinition, settings: ServiceSettings) -> None:
        self.definition = definition
        self.settings = settings
        self.metrics = Metrics(definition.name)
        self.codec = EventCodec(definition.events)
        self.stopped_sources: dict[TopicPartition, str] = {}
        self._listeners: list[SeekToInbox] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._pools: list[asyncpg.Pool] = []
        self._intakes: list[Intake] = []
        self._groups = (f"{definition.name}.events", f"{definition.name}.channels")
        self.started = False

    async def start(self, before_batch: BeforeBatch | None = None) -> None:
        """Open pools, start the loops, then take messages in. Leaves nothing open where it fails."""
        try:
            await self._start(before_batch)
        except BaseException:
            await self._end()
            raise

    async def _start(self, before_batch: BeforeBatch | None) -> None:
        settings = self.settings
        # Pools apart: a slow HTTP query must not hold up the log, nor the other way round.
        self._log_pool = await self._open_pool(6)
        self._read_pool = await self._open_pool(8)
        # Rows and checkpoint go together: after a crash the projector goes on from the older checkpoint.
        self._projector_pool = await self._open_pool(2, durable=False)
        self.read = ReadModels(self._read_pool)
        partitions = await self._log_pool.fetchval("select count(*) from log.genesis")
        self.reader = LogReader(self._log_pool, self.codec, partitions)
        await self.reader.refresh()
        self.handler = CommandHandler(
            self._log_pool,
            self.definition,
            self.codec,
            partitions,
            self._committed,
            settings.commit_works,
        )
        self.projector = Projector(
            self._projector_pool, self.definition.projections, self.reader, self.metrics, settings.projector_events
        )
        await self.projector.declare()
        self.relay = Relay(
            self._log_pool, settings.kafka, self.definition, self.reader, self.metrics, settings.relay_events
        )
        self.signer = CheckpointSigner(
            self._read_pool, self.definition.name, settings, self.reader, lambda: self.relay.working
        )
        loops = (
            self.handler.run(),
            self.reader.run(settings.poll_seconds),
            self.projector.run(),
            self.relay.run(),
            self.signer.run(),
        )
        self._tasks = [asyncio.create_task(loop) for loop in loops]
        self.broker = self._broker(before_batch)
        await former_members.say_goodbye(settings.kafka, self.definition.name, self._groups)
        await self.broker.start()
        self.started = True

    @property
    def stopped_because(self) -> list[str]:
        """What only a person can settle: why the relay stopped or stands still, which sources are not read on."""
        reasons = (self.relay.stopped_because, *self.relay.standing_still.values(), *self.stopped_sources.values())
        return [reason for reason in reasons if reason]

    async def _open_pool(self, size: int, *, durable: bool = True) -> asyncpg.Pool:
        pool = await postgres.open_pool(self.settings.database, size=size, durable=durable)
        self._pools.append(pool)
        return pool

    def _broker(self, before_batch: BeforeBatch | None) -> KafkaBroker:
        broker = KafkaBroker(
            self.settings.kafka,
            allow_auto_create_topics=False,
            graceful_timeout=_STOP_SECONDS,
            client_id=former_members.member_name(self.definition.name),
            logger=None,
            retry_backoff_ms=kafka.RETRY_BACKOFF_MS,
            metadata_max_age_ms=int(self.settings.channel_refresh_seconds * 1000),
        )
        definition = self.definition

        async def prepare(deliveries: Sequence[Delivery]) -> None:
            if before_batch is not None:
                await before_batch(self.read, deliveries)

        def intake(react: Any, *, linked: bool) -> Intake:
            made = Intake(
                definition,
                self.handler,
                react,
                linked=linked,
                metrics=self.metrics,
                before_batch=prepare,
                after_batch=self._taken,
            )
            self._intakes.append(made)
            return made

        if definition.sources:
            subscribe(
                broker,
                intake(definition.react, linked=True),
                self._listener(),
                group=self._groups[0],
                topics=definition.sources,
                records_max=self.settings.inbox_records,
                session_timeout_ms=self.settings.session_timeout_ms,
            )
        if definition.react_to_channel is not None:
            subscribe(
                broker,
                intake(definition.react_to_channel, linked=False),
                self._listener(),
                group=self._groups[1],
                pattern=CHANNEL_PATTERN,
                records_max=self.settings.inbox_records,
                session_timeout_ms=self.settings.session_timeout_ms,
            )
        return broker

    def _listener(self) -> SeekToInbox:
        listener = SeekToInbox(self._log_pool, self.settings.kafka, self.stopped_sources)
        self._listeners.append(listener)
        return listener

    def _committed(self, events: Sequence[Recorded[Any]], seconds: float) -> None:
        self.metrics.commit_seconds.observe(seconds)
        self.metrics.appended.inc(len(events))
        self.metrics.commit_events.observe(len(events))
        self.reader.committed(events)

    def _taken(self, batch: InboxBatch) -> None:
        if batch.replied or batch.dead:
            self.relay.nudge()

    async def stop(self) -> None:
        """Finish the batch in hand, let relay and projector pass what is in the log, and close."""
        self.started = False
        with contextlib.suppress(Exception):
            await self.broker.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS / 3):
                while self.projector.waiting or (self.relay.in_charge and self.relay.lag):
                    await asyncio.sleep(0.02)
        if self.relay.working:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_STOP_SECONDS / 3):
                    await self.signer.sign()
        await self._end()

    async def _end(self) -> None:
        for listener in self._listeners:
            listener.close()
        pending = set(self._tasks)
        while pending:
            # A client library may swallow a cancellation that meets it while it closes something.
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)
        for pool in self._pools:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(5):
                    await pool.close()

    async def execute(self, instruction: Instruction, command_id: str) -> CommandResult:
        """Carry out one command from outside Kafka, once per command id."""
        return await idempotent.execute(self.handler, instruction, command_id)

    async def settle(self, settlement: Settlement) -> Settled:
        """Redrive or discard a dead letter. Raises UnknownLetter, or CommandRefused where it is not open."""
        work = SettleDeadLetter(settlement, self.definition, len(self.reader.partitions))
        await self.handler.commit(work)
        self.relay.nudge()
        if work.settled is None:
            raise RuntimeError(f"the settlement of {settlement.letter_id} ended without an outcome")
        return work.settled

    async def history(self, lane: str, stream: str) -> list[Recorded[Any]]:
        """All events of a stream."""
        return await self.reader.read_stream(lane_of(lane, len(self.reader.partitions)), stream)

    def asyncapi(self) -> str:
        """The AsyncAPI document of what the service subscribes to, as JSON."""
        document = AsyncAPI(self.broker, title=f"{self.definition.name} service", version="1")
        return document.to_specification().to_json()

    async def status(self) -> dict[str, Any]:
        """How far everything is, for operators and for whoever waits until all is quiet."""
        await self.reader.refresh()
        async with self._read_pool.acquire() as connection:
            sources = await inbox.taken(connection)
            letters = await dead_letters.counts(connection)
            replies = await connection.fetchval("select count(*) from log.replies")
        return {
            "service": self.definition.name,
            "ready": self.started and not self.stopped_because,
            "stopped_because": self.stopped_because,
            "sources": list(self.definition.sources),
            "heads": self.reader.heads,
            "relayed": self.relay.passed,
            "published": self.relay.published,
            "projected": self.projector.passed,
            "projection_stopped": self.projector.stopped_because,
            "relay": self.relay.stopped_because or ("working" if self.relay.working else "standby"),
            "inbox_stopped": [intake.trouble for intake in self._intakes if intake.trouble is not None],
            "inbox": [
                {"topic": topic, "partition": partition, "position": t.position, "next_offset": t.next_offset}
                for (topic, partition), t in sources.items()
            ],
            **letters,
            "dead_letters_topic": dead_letters_topic(self.definition.name),
            "replies_waiting": replies,
            "checkpoint": self.signer.status,
            "checkpoint_number": self.signer.number,
        }
