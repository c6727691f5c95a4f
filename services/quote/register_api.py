"""The HTTP API of two registers of underwriting: who may decide up to which level, and who is not insured."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi import Path as PathParameter
from pydantic import Field

from contracts.vocabulary.identifiers import PersonDigest
from services.kernel.commands.idempotent import CommandResult
from services.kernel.messages import Instruction
from services.kernel.process.http import IdempotencyKey, kernel_of
from services.quote import underwriting_queries
from services.quote.domain.products.part import PlainText
from services.quote.domain.products.underwriting import LEVEL_MAX
from services.quote.domain.underwriting import commands
from services.quote.inbound import blacklist_stream, underwriter_stream
from services.quote.underwriting_api import Explained

registers = APIRouter(tags=["underwriting"])

Underwriter = Annotated[PlainText, PathParameter()]


class Appointment(Explained):
    """The level of authority that somebody gets, by whom and why."""

    level: Annotated[int, Field(ge=1, le=LEVEL_MAX + 1)]


class BlacklistEntry(Explained):
    """Whom not to insure: the digest of a document or of a name."""

    kind: Literal["document", "name"]
    subject: PersonDigest


class _Caller:
    """Carries out a command on a stream that is its own lane."""

    def __init__(self, request: Request, idempotency_key: IdempotencyKey) -> None:
        self.kernel, self.idempotency_key = kernel_of(request), idempotency_key

    async def carry_out(
        self, stream: str, command: commands.BlacklistCommand | commands.RosterCommand
    ) -> CommandResult:
        """What the command did. Raises CommandRefused, which becomes a 409 problem document."""
        instruction = Instruction(lane=stream, stream=stream, command=command)
        return await self.kernel.execute(instruction, self.idempotency_key)


Caller = Annotated[_Caller, Depends()]


@registers.get("/underwriters")
async def underwriters(request: Request) -> list[underwriting_queries.UnderwriterView]:
    """Who may decide on referrals."""
    return await underwriting_queries.underwriters(kernel_of(request).read)


@registers.post("/underwriters/{underwriter}/appoint")
async def appoint(underwriter: Underwriter, body: Appointment, caller: Caller) -> CommandResult:
    """Give somebody a level of authority."""
    command = commands.AppointUnderwriter(
        underwriter=underwriter, level=body.level, reason=body.reason, appointed_by=body.by
    )
    return await caller.carry_out(underwriter_stream(underwriter), command)


@registers.post("/underwriters/{underwriter}/dismiss")
async def dismiss(underwriter: Underwriter, body: Explained, caller: Caller) -> CommandResult:
    """Take somebody's authority away."""
    command = commands.DismissUnderwriter(underwriter=underwriter, reason=body.reason, dismissed_by=body.by)
    return await caller.carry_out(underwriter_stream(underwriter), command)


@registers.get("/blacklist")
async def blacklist(request: Request) -> list[underwriting_queries.BlacklistEntryView]:
    """Everybody who is on the blacklist now."""
    return await underwriting_queries.blacklist(kernel_of(request).read)


@registers.post("/blacklist/add")
async def add_to_blacklist(body: BlacklistEntry, caller: Caller) -> CommandResult:
    """Insure a person no longer."""
    command = commands.AddBlacklistEntry(kind=body.kind, subject=body.subject, reason=body.reason, added_by=body.by)
    return await caller.carry_out(blacklist_stream(body.kind, body.subject), command)


@registers.post("/blacklist/remove")
async def remove_from_blacklist(body: BlacklistEntry, caller: Caller) -> CommandResult:
    """Insure a person again. 409 with code `not_blacklisted` for who never was on the list."""
    command = commands.RemoveBlacklistEntry(
        kind=body.kind, subject=body.subject, reason=body.reason, removed_by=body.by
    )
    return await caller.carry_out(blacklist_stream(body.kind, body.subject), command)
