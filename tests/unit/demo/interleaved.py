"""Runs the four services' pure parts in memory, each at its own pace: any order that Kafka's topics allow."""

from collections import defaultdict
from random import Random
from typing import Any

from contracts.envelope import schema_name
from contracts.topics import ServiceName, events_topic, orders_topic
from services.billing.app import DEFINITION as BILLING
from services.claims.app import DEFINITION as CLAIMS
from services.kernel.errors import CommandRefused
from services.kernel.messages import Delivery, Instruction, Notice, Recorded
from services.policy.app import DEFINITION as POLICY
from services.quote.app import DEFINITION as QUOTE
from services.quote.catalogue import Catalogue
from services.quote.inbound import QuoteInbound
from tests.unit.demo.in_memory import RECORDED_AT, Running

CHANNEL = "shop"


class InterleavedLedger:
    """Topics with a place for each reader; the seed decides who reads next."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self._random = Random(seed)
        quote = QuoteInbound(catalogue).react_to_channel
        self.services = {
            definition.name: Running(definition, quote if definition is QUOTE else definition.react_to_channel)
            for definition in (QUOTE, POLICY, BILLING, CLAIMS)
        }
        self.topics: dict[str, list[Delivery]] = defaultdict(list)
        self._taken: dict[tuple[str, str], int] = defaultdict(int)
        self.heard: list[Any] = []
        self.refused: list[str] = []
        """Codes of commands that became open dead letters."""

    def send(self, value: bytes) -> None:
        """Put a channel's message behind those sent before."""
        topic = orders_topic(CHANNEL)
        self.topics[topic].append(Delivery(topic, 0, len(self.topics[topic]), None, value, (), 0))

    def step(self) -> bool:
        """Let one reader take one record; whether there was any left to take."""
        ready = [
            (running, topic)
            for running in self.services.values()
            for topic in self._read_by(running)
            if self._taken[running.definition.name, topic] < len(self.topics[topic])
        ]
        if not ready:
            return False
        running, topic = self._random.choice(ready)
        record = self.topics[topic][self._taken[running.definition.name, topic]]
        self._taken[running.definition.name, topic] += 1
        react = running.react_to_channel if topic == orders_topic(CHANNEL) else running.definition.react
        for instruction in react(record):
            try:
                self.carry_out(running, instruction)
            except CommandRefused as refusal:
                self.refused.append(refusal.code)
        return True

    def carry_out(self, running: Running, instruction: Instruction) -> None:
        """Decide, and publish what comes of it. Raises CommandRefused."""
        definition = running.definition
        state = running.states.get(instruction.stream, definition.decider.initial_state)
        decided = definition.decider.decide(instruction.command, state)
        state = running.states[instruction.stream] = definition.decider.fold(decided, state)
        if not decided and definition.repeat is not None:
            self._hear(definition.repeat(instruction.command, state))
        for event in decided:
            self._publish(running, instruction.stream, event)

    def run(self) -> None:
        """Until everything is read."""
        while self.step():
            pass

    def state(self, service: ServiceName, stream: str) -> Any:
        """What is true of a stream."""
        return self.services[service].states[stream]

    def _read_by(self, running: Running) -> list[str]:
        own = [orders_topic(CHANNEL)] if running.react_to_channel is not None else []
        return [*own, *running.definition.sources]

    def _publish(self, running: Running, stream: str, event: Any) -> None:
        running.positions += 1
        running.log.append(event)
        outgoing = running.definition.to_wire(Recorded(0, running.positions, stream, 0, event, RECORDED_AT, {}, b""))
        if outgoing is None:
            return
        headers = (
            ("ce_type", outgoing.event.event_type.encode()),
            ("ce_dataschema", schema_name(type(outgoing.event)).encode()),
        )
        topic, value = events_topic(running.definition.name), outgoing.event.model_dump_json(exclude_none=True).encode()
        record = Delivery(topic, 0, running.positions, outgoing.key.encode(), value, headers, 0)
        self.topics[topic].append(record)
        self._hear(outgoing.notice)

    def _hear(self, notice: Notice | None) -> None:
        if notice is not None:
            self.heard.append(notice.message)
