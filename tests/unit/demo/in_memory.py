"""Runs the four services' pure parts in memory, one message after the other, as the kernel would."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contracts.envelope import schema_name
from contracts.topics import events_topic, orders_topic
from contracts.vocabulary.model import PublicEvent
from services.billing.app import DEFINITION as BILLING
from services.claims.app import DEFINITION as CLAIMS
from services.kernel.errors import CommandRefused
from services.kernel.messages import Delivery, Instruction, Recorded
from services.kernel.service import ServiceDefinition
from services.policy.app import DEFINITION as POLICY
from services.quote.app import DEFINITION as QUOTE
from services.quote.catalogue import Catalogue
from services.quote.domain.products.version import ProductVersion
from services.quote.inbound import QuoteInbound
from services.quote.product_files import shipped_products

RECORDED_AT = datetime(2025, 7, 1, tzinfo=UTC)


@dataclass(slots=True)
class Running:
    """A service with its streams' states and the business numbers that they own."""

    definition: ServiceDefinition
    react_to_channel: Any
    states: dict[str, Any] = field(default_factory=dict)
    owners: dict[tuple[str, str], str] = field(default_factory=dict)
    positions: int = 0
    log: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class InMemoryLedger:
    """Everything that a message sets in motion is done before the next one is taken."""

    services: list[Running] = field(default_factory=list)
    heard: list[tuple[str, PublicEvent]] = field(default_factory=list)
    events: dict[str, list[PublicEvent]] = field(default_factory=lambda: defaultdict(list))
    _waiting: deque[Delivery] = field(default_factory=deque)

    def __post_init__(self) -> None:
        catalogue = Catalogue(ProductVersion.of(document) for document in shipped_products())
        for definition in (QUOTE, POLICY, BILLING, CLAIMS):
            react = QuoteInbound(catalogue).react_to_channel if definition is QUOTE else definition.react_to_channel
            self.services.append(Running(definition, react))

    def publish(self, channel: str, value: bytes) -> list[PublicEvent]:
        """The notices that the channel hears because of this message."""
        self.heard.clear()
        delivery = Delivery(orders_topic(channel), 0, 0, None, value, (), 0)
        for running in self.services:
            if running.react_to_channel is not None:
                self._carry_out(running, running.react_to_channel(delivery))
        while self._waiting:
            record = self._waiting.popleft()
            for running in self.services:
                if record.topic in running.definition.sources:
                    self._carry_out(running, running.definition.react(record))
        return [message for _, message in self.heard]

    def _carry_out(self, running: Running, instructions: Any) -> None:
        for instruction in instructions:
            self._execute(running, self._by_owner(running, instruction))

    def _by_owner(self, running: Running, instruction: Instruction) -> Instruction:
        unique = instruction.unique
        if unique is None:
            return instruction
        owner = running.owners.setdefault((unique.scope, unique.key), instruction.stream)
        if owner == instruction.stream or instruction.otherwise is None:
            return instruction
        return instruction.otherwise

    def _execute(self, running: Running, instruction: Instruction) -> None:
        decider = running.definition.decider
        state = running.states.get(instruction.stream, decider.initial_state)
        try:
            decided = decider.decide(instruction.command, state)
        except CommandRefused:
            return
        state = running.states[instruction.stream] = decider.fold(decided, state)
        if not decided and running.definition.repeat is not None:
            notice = running.definition.repeat(instruction.command, state)
            if notice is not None:
                self.heard.append((notice.channel, notice.message))
        for event in decided:
            self._publish_event(running, instruction.stream, event)

    def _publish_event(self, running: Running, stream: str, event: Any) -> None:
        running.positions += 1
        recorded = Recorded(0, running.positions, stream, 0, event, RECORDED_AT, {}, b"")
        outgoing = running.definition.to_wire(recorded)
        if outgoing is None:
            return
        self.events[outgoing.event.event_type].append(outgoing.event)
        headers = (
            ("ce_type", outgoing.event.event_type.encode()),
            ("ce_dataschema", schema_name(type(outgoing.event)).encode()),
        )
        value = outgoing.event.model_dump_json(exclude_none=True).encode()
        topic = events_topic(running.definition.name)
        self._waiting.append(Delivery(topic, 0, running.positions, outgoing.key.encode(), value, headers, 0))
        if outgoing.notice is not None:
            self.heard.append((outgoing.notice.channel, outgoing.notice.message))
