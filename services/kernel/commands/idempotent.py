"""Commands that carry an id of their own: the same id returns the first outcome, refusals included."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from pydantic import BaseModel

from services.kernel.commands.command_handler import CommandHandler
from services.kernel.commands.execution import Executed
from services.kernel.errors import CommandConflict, CommandRefused
from services.kernel.log.event_log import Connection
from services.kernel.messages import Instruction
from services.kernel.postgres import storable

_CLAIM = """
insert into log.commands (command_id, fingerprint, outcome) values ($1, $2, '{}') on conflict do nothing
returning command_id
"""
_KNOWN = "select fingerprint, outcome from log.commands where command_id = $1"
_KEEP = "update log.commands set outcome = $2 where command_id = $1"


class CommandResult(BaseModel):
    """What a command did: the stream, its version afterwards, and the types of the new events."""

    stream: str
    version: int
    events: list[str]


@dataclass(slots=True)
class IdempotentCommand:
    """One command as a work for the command handler."""

    instruction: Instruction
    command_id: str
    fingerprint: bytes
    alone: bool = False
    result: CommandResult | None = None
    refusal: CommandRefused | None = None
    failure: Exception | None = None

    @property
    def key(self) -> str:
        """Two commands with one id must not share a commit: the second has to see the first's outcome."""
        return self.command_id

    async def prepare(self, connection: Connection) -> Sequence[Instruction]:
        """Take the id, or find what it led to."""
        # What an attempt that was rolled back found is not true any more.
        self.result = self.refusal = self.failure = None
        if await connection.fetchval(_CLAIM, self.command_id, self.fingerprint):
            return (self.instruction,)
        known = await connection.fetchrow(_KNOWN, self.command_id)
        if known is None:
            raise RuntimeError(f"command id {self.command_id} is neither free nor known")
        if known["fingerprint"] != self.fingerprint:
            self.failure = CommandConflict(f"command id {self.command_id} was used before with other content")
        elif "refused" in known["outcome"]:
            self.refusal = CommandRefused(known["outcome"]["refused"], known["outcome"]["message"])
        else:
            self.result = CommandResult.model_validate(known["outcome"])
        return ()

    async def finish(self, connection: Connection, executed: Sequence[Executed]) -> None:
        """Keep the outcome. A bug is not kept: the command may come again once it is mended."""
        for outcome in executed:
            if outcome.failure is not None:
                self.failure = outcome.failure
                await connection.execute("delete from log.commands where command_id = $1", self.command_id)
                return
            if outcome.refusal is not None:
                self.refusal = outcome.refusal
                kept = {"refused": outcome.refusal.code, "message": storable(outcome.refusal.message)}
            else:
                self.result = CommandResult(
                    stream=outcome.instruction.stream,
                    version=outcome.version,
                    events=[event.event_type for event in outcome.events],
                )
                kept = self.result.model_dump()
            await connection.execute(_KEEP, self.command_id, kept)


async def execute(handler: CommandHandler, instruction: Instruction, command_id: str) -> CommandResult:
    """Carry out a command once. Raises CommandRefused, CommandConflict, or what the rules raised."""
    work = IdempotentCommand(instruction, command_id, fingerprint(instruction))
    await handler.commit(work)
    if work.refusal is not None:
        raise work.refusal
    if work.failure is not None:
        raise work.failure
    if work.result is None:
        raise RuntimeError(f"command {command_id} ended without an outcome")
    return work.result


def fingerprint(instruction: Instruction) -> bytes:
    """sha256 of the stream and the command's content."""
    command = instruction.command
    content = asdict(command) if is_dataclass(command) and not isinstance(command, type) else command
    text = json.dumps([instruction.stream, type(command).__name__, content], sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).digest()


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
