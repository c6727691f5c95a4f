"""Settling a dead letter: handle it again, perhaps edited, or discard it; then all that waited behind it, in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import asyncpg

from contracts.topics import lane_of
from services.kernel import clock
from services.kernel.commands import dead_letters, replies
from services.kernel.commands.dead_letters import LetterState, delivery_of
from services.kernel.commands.execution import Executed
from services.kernel.errors import CommandRefused
from services.kernel.log import event_log
from services.kernel.log.event_log import Connection
from services.kernel.messages import Delivery, Instruction
from services.kernel.receiving.reactions import Outcome, reaction, repeated, sort_out
from services.kernel.service import ServiceDefinition

_LETTER = "select * from log.dead_letters where id = $1"
_SETTLE = """
update log.dead_letters set state = $2, edited = $3, settled_by = $4, settled_reason = $5, settled_at = $6 where id = $1
"""
_FAILED_AGAIN = """
update log.dead_letters set state = 'open', reason = $2, error = $3, lane = $4, attempts = attempts + 1 where id = $1
"""
_PARKED = "select * from log.parked where lane = $1 order by id"
_RELEASE = "delete from log.parked where id = any($1::bigint[])"


class UnknownLetter(LookupError):
    """No dead letter has this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a person decided about a dead letter: who, why, and the edited value if there is one."""

    letter_id: str
    state: LetterState
    by: str
    reason: str
    edited: bytes | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of it: where the letter stands, its error if it failed again, messages released and still parked."""

    state: LetterState
    error: str | None
    released: int
    still_parked: int


@dataclass(slots=True)
class SettleDeadLetter:
    """A settlement as a work for the command handler, alone in its transaction.

    Anything else in it could overtake what is parked. Raises UnknownLetter, and CommandRefused for a letter that
    is not open.
    """

    settlement: Settlement
    definition: ServiceDefinition
    partitions: int
    key: str | None = None
    alone: bool = True
    settled: Settled | None = None
    _again: Delivery | None = None
    _parked: dict[str, int] = field(default_factory=dict)
    _causes: list[Delivery] = field(default_factory=list)

    async def prepare(self, connection: Connection) -> Sequence[Instruction]:
        """Settle the letter, and react to it and to what waited behind it."""
        letter = await self._open_letter(connection)
        waiting: list[asyncpg.Record] = []
        if letter["lane"] is not None:
            # Whoever parks a message holds this head; from here on nobody can park one behind the letter.
            await event_log.lock_heads(connection, [lane_of(letter["lane"], self.partitions)])
            waiting = await connection.fetch(_PARKED, letter["lane"])
        asked = self.settlement
        await connection.execute(
            _SETTLE, asked.letter_id, asked.state, asked.edited, asked.by, asked.reason, clock.now()
        )
        self._again, self._causes = None, []
        instructions: list[Instruction] = []
        if asked.state is LetterState.REDRIVEN:
            self._again = delivery_of(letter)
            if asked.edited is not None:
                self._again = replace(self._again, value=asked.edited)
            cause = {"dead_letter": asked.letter_id, "redriven_by": asked.by, "redriven_because": asked.reason}
            instructions += self._instructions(self._again, cause)
        self._parked = {delivery_of(row).source: row["id"] for row in waiting}
        for row in waiting:
            instructions += self._instructions(delivery_of(row), {})
        return instructions

    async def _open_letter(self, connection: Connection) -> asyncpg.Record:
        letter = await connection.fetchrow(f"{_LETTER} for update", self.settlement.letter_id)
        if letter is None:
            raise UnknownLetter(f"no dead letter has the id {self.settlement.letter_id}")
        if letter["state"] != LetterState.OPEN:
            raise CommandRefused("not_open", _why_not_open(letter))
        return letter

    def _instructions(self, delivery: Delivery, cause: Mapping[str, str]) -> Sequence[Instruction]:
        own_topic = delivery.topic in self.definition.sources
        react = self.definition.react if own_topic else self.definition.react_to_channel or self.definition.react
        found = reaction(react, delivery, own_topic=own_topic, cause=cause)
        self._causes += [delivery] * len(found)
        return found

    async def finish(self, connection: Connection, executed: Sequence[Executed]) -> None:
        """Release what was handled. The letter is open again where it failed again; another failure is the next one."""
        outcomes = list(zip(executed, self._causes, strict=True))
        outcome = self._sorted(outcomes)
        await replies.put(connection, self.definition.name, repeated(outcomes, self.definition.repeat))
        error = await self._keep(connection, outcome)
        held = {delivery.source for _, delivery in outcome.parked}
        released = [key for source, key in self._parked.items() if source not in held]
        await connection.execute(_RELEASE, released)
        self.settled = Settled(
            LetterState.OPEN if error else self.settlement.state, error, len(released), len(held & self._parked.keys())
        )

    def _sorted(self, outcomes: Sequence[tuple[Executed, Delivery]]) -> Outcome:
        whole = Outcome()
        for own_topic in (True, False):
            part = [(one, d) for one, d in outcomes if (d.topic in self.definition.sources) == own_topic]
            found = sort_out(part, own_topic=own_topic)
            whole.dead += found.dead
            whole.parked += found.parked
        return whole

    async def _keep(self, connection: Connection, outcome: Outcome) -> str | None:
        """Keep what failed; the letter's own error where it failed again."""
        again = self._again.source if self._again is not None else None
        error = None
        for letter in outcome.dead:
            if letter.delivery.source == again and letter.state is LetterState.OPEN:
                error = letter.error
                await connection.execute(
                    _FAILED_AGAIN, self.settlement.letter_id, letter.reason, letter.error, letter.lane
                )
        await dead_letters.put(connection, [one for one in outcome.dead if one.delivery.source != again])
        # Edited so that it belongs to another contract, it may have to wait behind that one's letter.
        moved = [(lane, d) for lane, d in outcome.parked if d.source not in self._parked]
        await dead_letters.park(connection, moved, clock.now())
        return error


def _why_not_open(letter: asyncpg.Record) -> str:
    if letter["state"] == LetterState.ANSWERED:
        return "this message was answered: its sender was told why it was refused, and sends a better one itself"
    return f"this dead letter was {letter['state']} by {letter['settled_by']}: {letter['settled_reason']}"
