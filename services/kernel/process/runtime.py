"""One running service: pools, log, relay, projector and subscribers, started and stopped in order."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from aiokafka import TopicPartition
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from contracts.topics import dead_letters_topic, lane_of
from services.kernel import postgres
from services.kernel.cancellation import cancel
from services.kernel.codec import EventCodec
from services.kernel.commands import dead_letters, idempotent
from services.kernel.commands.command_handler import CommandHandler
from services.kernel.commands.idempotent import CommandResult
from services.kernel.errors import CannotStart, StillStarting
from services.kernel.log.log_reader import LogReader
from services.kernel.messages import Delivery, Instruction, Recorded
from services.kernel.observability import Metrics
from services.kernel.process import server_wait
from services.kernel.process.admission import Admission
from services.kernel.process.loop_watch import LoopWatch
from services.kernel.projecting.projector import Projector
from services.kernel.proof.checkpoint_signer import CheckpointSigner
from services.kernel.proof.extract import Extract, Wanted
from services.kernel.proof.extracting import take_extract
from services.kernel.publishing.relay import Relay
from services.kernel.read_models import READ_SECONDS_MAX, ReadModels
from services.kernel.receiving import inbox
from services.kernel.receiving.inbox import InboxBatch
from services.kernel.receiving.redrive import Settled, SettleDeadLetter, Settlement
from services.kernel.receiving.subscriptions import STOP_SECONDS, Subscriptions
from services.kernel.service import ServiceDefinition
from services.kernel.settings import ServiceSettings

_COMMAND_SECONDS_MAX = 10.0
"""What waits for longer is answered; sent again under its id, a command has its effect once, whatever became of it."""

BeforeBatch = Callable[[ReadModels, Sequence[Delivery]], Awaitable[None]]
"""Fills what `react` looks into, once for each batch; the events topics' batches are given too."""

log = logging.getLogger(__name__)


class Kernel:
    """Everything of one service process, built by `start`."""

    read: ReadModels

    def __init__(self, definition: ServiceDefinition, settings: ServiceSettings) -> None:
        self.definition = definition
        self.settings = settings
        self.metrics = metrics = Metrics(definition.name)
        self.codec = EventCodec(definition.events)
        self._subscriptions: Subscriptions | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._pools: list[asyncpg.Pool] = []
        self._relaying = False
        self._loop_watch = LoopWatch(settings.loop_stall_seconds, self.metrics.loop_stalls)
        self._commands = Admission("commands", settings.commands_waiting_max, metrics.commands_turned_away)
        self._reads = Admission("reads", settings.reads_waiting_max, metrics.reads_turned_away)
        self.open = self.started = False
        self.waits_for: str | None = None
        self.calendar_status = "off: nothing here is due by the calendar"

    async def start(self, before_batch: BeforeBatch | None = None) -> None:
        """Open pools, start the loops, then take messages in. Leaves nothing open where it fails.

        Waits for PostgreSQL and for Kafka; `waits_for` says for which, and the service answers requests as soon as
        it is `open`. Raises CannotStart for what only a person can mend.
        """
        self._loop_watch.start()
        try:
            database, broker = (
                server_wait.postgres_server(self.settings.database),
                server_wait.kafka_server(self.settings.kafka),
            )
            await server_wait.until_there(database, self._open, self._wait_for)
            loops = (
                self.handler.run(),
                self.reader.run(self.settings.poll_seconds),
                self.projector.run(),
                self.signer.run(),
            )
            self._tasks = [asyncio.create_task(loop) for loop in loops]
            self.open = True
            await server_wait.until_there(broker, lambda: self._subscribe(before_batch), self._wait_for)
            self.started = True
        except BaseException:
            await self._end()
            raise

    async def _open(self) -> None:
        try:
            await self._open_pools()
            await self._build()
        except BaseException as error:
            await self._close_pools()
            if (refusal := postgres.refusal(error, self.settings.database)) is not None:
                raise CannotStart(refusal) from error
            raise

    async def _open_pools(self) -> None:
        # Pools apart: a slow HTTP query must not hold up the log, nor the other way round.
        async with asyncio.timeout(server_wait.ANSWER_SECONDS_MAX):
            self._log_pool = await self._open_pool(6)
            self._read_pool = await self._open_pool(8)
            # Rows and checkpoint go together: after a crash the projector goes on from the older checkpoint.
            self._projector_pool = await self._open_pool(2, durable=False)
        self.read = ReadModels(self._read_pool, self._reads.entered)

    async def _build(self) -> None:
        settings = self.settings
        async with self._log_pool.acquire() as connection:
            partitions = await postgres.check_made(connection, urlsplit(settings.database).path.lstrip("/"))
        self.reader = LogReader(self._log_pool, self.codec, partitions)
        await self.reader.refresh()
        self.handler = CommandHandler(
            self._log_pool, self.definition, self.codec, partitions, self._committed, settings.commit_works
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

    async def _subscribe(self, before_batch: BeforeBatch | None) -> None:
        await server_wait.kafka_answers(self.settings.kafka)
        if not self._relaying:
            # Not before Kafka is there: it would say the same twice a second.
            self._relaying = True
            self._tasks.append(asyncio.create_task(self.relay.run()))

        # Not through the door of the HTTP reads: what the inbox needs must not wait for them.
        read = ReadModels(self._log_pool)

        async def prepare(deliveries: Sequence[Delivery]) -> None:
            if before_batch is not None:
                await before_batch(read, deliveries)

        self._subscriptions = Subscriptions(
            self.definition, self.settings, self._log_pool, self.handler, self.metrics, prepare, self._taken
        )
        await self._subscriptions.start()

    def _wait_for(self, what: str | None) -> None:
        self.waits_for = what

    @property
    def broker(self) -> KafkaBroker:
        """The FastStream broker with the service's subscribers. Raises StillStarting before there is one."""
        if self._subscriptions is None:
            raise StillStarting(f"{self.definition.name} has not subscribed yet")
        return self._subscriptions.broker

    @property
    def stopped_sources(self) -> dict[TopicPartition, str]:
        """Partitions of sources that are not read on, with the reason."""
        return self._subscriptions.stopped_sources if self._subscriptions is not None else {}

    @property
    def stopped_because(self) -> list[str]:
        """What only a person can settle: why the relay stopped or stands still, which sources are not read on."""
        reasons = (self.relay.stopped_because, *self.relay.standing_still.values(), *self.stopped_sources.values())
        return [reason for reason in reasons if reason]

    async def _open_pool(self, size: int, *, durable: bool = True) -> asyncpg.Pool:
        pool = await postgres.open_pool(self.settings.database, size=size, durable=durable)
        self._pools.append(pool)
        return pool

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
        if self.started:
            self.started = False
            await self._drain()
        await self._end()

    async def _drain(self) -> None:
        if self._subscriptions is not None:
            await self._subscriptions.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS / 3):
                while self.projector.waiting or (self.relay.in_charge and self.relay.lag):
                    await asyncio.sleep(0.02)
        if self.relay.working:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self.signer.sign(), STOP_SECONDS / 3)

    async def _end(self) -> None:
        self.open = False
        self._loop_watch.end()
        if self._subscriptions is not None:
            self._subscriptions.close()
        await cancel(self._tasks)
        await self._close_pools()

    async def _close_pools(self) -> None:
        for pool in self._pools:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(5):
                    await pool.close()
        self._pools.clear()

    @contextlib.asynccontextmanager
    async def one_more_command(self) -> AsyncIterator[None]:
        """Let a caller's command in for the block.

        Raises Overloaded where too many wait, and TimeoutError where it takes too long.
        """
        with self._commands.entered():
            async with asyncio.timeout(_COMMAND_SECONDS_MAX):
                yield

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
        partition = lane_of(lane, len(self.reader.partitions))
        async with self.read.connection() as connection, asyncio.timeout(READ_SECONDS_MAX):
            return await self.reader.read_stream(connection, partition, stream)

    async def extract(self, subject: str, wanted: Sequence[Wanted], links_max: int) -> Extract:
        """These streams with what proves them."""
        async with self._read_pool.acquire() as connection:
            name, signer = self.definition.name, self.signer
            return await take_extract(connection, name, subject, wanted, signer.file, signer.signed_note, links_max)

    def asyncapi(self) -> str:
        """The AsyncAPI document of what the service subscribes to, as JSON."""
        document = AsyncAPI(self.broker, title=f"{self.definition.name} service", version="1")
        return document.to_specification().to_json()

    async def status(self) -> dict[str, Any]:
        """How far everything is, for operators and for whoever waits until all is quiet."""
        async with asyncio.timeout(READ_SECONDS_MAX), self._read_pool.acquire() as connection:
            await self.reader.refresh()
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
            "inbox_stopped": self._subscriptions.troubles if self._subscriptions is not None else [],
            "inbox": [
                {"topic": topic, "partition": partition, "position": t.position, "next_offset": t.next_offset}
                for (topic, partition), t in sources.items()
            ],
            **letters,
            "dead_letters_topic": dead_letters_topic(self.definition.name),
            "replies_waiting": replies,
            "calendar": self.calendar_status,
            "checkpoint": self.signer.status,
            "checkpoint_number": self.signer.number,
        }
