"""From a delivered message to instructions, and from what became of them to dead letters and parked messages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.kernel import clock
from services.kernel.commands.dead_letters import DeadLetter, LetterState
from services.kernel.commands.execution import Executed
from services.kernel.commands.replies import Reply
from services.kernel.errors import UnknownEvent
from services.kernel.messages import Delivery, Impossible, Instruction
from services.kernel.service import React, Repeat

_UNREADABLE = "unreadable"


def reaction(
    react: React, delivery: Delivery, *, own_topic: bool, cause: Mapping[str, str] | None = None
) -> Sequence[Instruction]:
    """The instructions of a message, in order behind their contract's dead letters; `cause` adds to their metadata.

    A message of our own topics that cannot be read gives an impossible instruction, so that its contract waits. Of
    a channel's message that cannot be read nobody knows the contract.
    """
    try:
        found = react(delivery)
    except Exception as error:
        # Our own topics are keyed by the contract.
        lane = (delivery.key or b"").decode("utf-8", "backslashreplace") if own_topic else delivery.source
        found = (
            Instruction(lane=lane, stream=f"unreadable-{delivery.source}", command=Impossible(_UNREADABLE, error)),
        )
    causes = {**_cause(delivery), **(cause or {})}
    return [_caused(instruction, causes) for instruction in found]


def _caused(instruction: Instruction, cause: Mapping[str, str]) -> Instruction:
    otherwise = _caused(instruction.otherwise, cause) if instruction.otherwise is not None else None
    return replace(instruction, cause={**cause, **instruction.cause}, otherwise=otherwise, in_order=True)


def _cause(delivery: Delivery) -> dict[str, str]:
    event_id, trace = delivery.header("ce_id"), delivery.header("traceparent")
    cause = {"cause": event_id.decode("utf-8", "replace") if event_id else delivery.source}
    if trace:
        cause["traceparent"] = trace.decode("ascii", "replace")
    return cause


def describe(error: BaseException) -> str:
    """Class and text of an error, for a person."""
    return f"{type(error).__name__}: {error}"


def repeated(outcomes: Iterable[tuple[Executed, Delivery]], repeat: Repeat | None) -> list[Reply]:
    """Outcomes that are told again, because a message that was handled before came again and changed nothing."""
    told: list[Reply] = []
    for one, delivery in outcomes:
        unchanged = not one.events and one.failure is None and one.refusal is None and not one.held
        notice = repeat(one.instruction.command, one.state) if repeat is not None and unchanged else None
        if notice is not None:
            told.append(Reply(notice, one.instruction.lane, delivery.source, clock.now()))
    return told


@dataclass(slots=True)
class Outcome:
    """The messages that became dead letters, and those that wait, each with the lane that it waits for."""

    dead: list[DeadLetter] = field(default_factory=list)
    parked: list[tuple[str, Delivery]] = field(default_factory=list)


def sort_out(outcomes: Iterable[tuple[Executed, Delivery]], *, own_topic: bool) -> Outcome:
    """What has to be kept of messages whose instructions were carried out, failed or held.

    A message of several instructions is handled whole or kept whole: once, whatever became of the others.
    """
    outcome = Outcome()
    kept: set[str] = set()
    for one, delivery in outcomes:
        letter = _letter(one, delivery, own_topic=own_topic)
        if (letter is None and not one.held) or delivery.source in kept:
            continue
        kept.add(delivery.source)
        if letter is not None:
            outcome.dead.append(letter)
        else:
            outcome.parked.append((one.instruction.lane, delivery))
    return outcome


def _reason(command: Any, failure: Exception) -> str:
    if isinstance(failure, UnknownEvent):
        return "unknown_version"
    return command.reason if isinstance(command, Impossible) else "internal"


def _letter(one: Executed, delivery: Delivery, *, own_topic: bool) -> DeadLetter | None:
    instruction, command = one.instruction, one.instruction.command
    if one.refusal is not None:
        reason, error = one.refusal.code, describe(one.refusal)
    elif one.failure is not None:
        reason, error = _reason(command, one.failure), describe(one.failure)
    elif instruction.dead_letter is not None:
        code, faults = instruction.dead_letter, instruction.faults
        error = "; ".join(fault.message for fault in faults)
        return DeadLetter(
            delivery, code, error or code, clock.now(), LetterState.ANSWERED, own_topic=own_topic, faults=faults
        )
    else:
        return None
    # Of a channel's message that cannot be read nobody knows the contract, so nothing waits behind it.
    unread = isinstance(command, Impossible) and command.reason == _UNREADABLE
    lane = None if unread and not own_topic else instruction.lane
    return DeadLetter(delivery, reason, error, clock.now(), LetterState.OPEN, lane, own_topic)
