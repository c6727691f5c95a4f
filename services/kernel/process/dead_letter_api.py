"""HTTP routes of every service for its dead letters: list, show, redrive, discard."""

from base64 import b64decode, b64encode
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from services.kernel.commands.dead_letters import LetterState
from services.kernel.process.runtime import Kernel
from services.kernel.receiving.redrive import Settlement, UnknownLetter

_LISTED_MAX = 1000
_LIST = """
select d.id, d.source || '/' || d.partition || '/' || d.source_offset as source, d.reason, d.error, d.received_at,
       d.state, d.lane, d.attempts, coalesce(octet_length(d.value), 0) as bytes,
       (select count(*) from log.parked p where d.state = 'open' and p.lane = d.lane) as waiting
  from log.dead_letters d where ($1::text is null or d.state = $1) order by d.received_at desc, d.id limit $2
"""
_SHOW = """
select d.*, d.source || '/' || d.partition || '/' || d.source_offset as place,
       (select count(*) from log.parked p where d.state = 'open' and p.lane = d.lane) as waiting
  from log.dead_letters d where d.id = $1
"""
_WAITING = """
select source || '/' || partition || '/' || source_offset as source, parked_at from log.parked
 where lane = $1 order by id limit $2
"""

dead_letters = APIRouter(prefix="/dead-letters", tags=["dead letters"])


class DeadLetterEntry(BaseModel):
    """A dead letter in the list. `waiting` counts the later messages of its contract that are parked behind it."""

    id: str
    source: str
    reason: str
    error: str
    received_at: datetime
    state: LetterState
    lane: str | None
    attempts: int
    bytes: int
    waiting: int


class ParkedMessage(BaseModel):
    """A message that waits behind a dead letter."""

    source: str
    parked_at: datetime


class FaultEntry(BaseModel):
    """What its channel was told about one field; no path where the whole message is meant."""

    code: str
    path: str
    message: str


class DeadLetterDocument(DeadLetterEntry):
    """A dead letter whole. `text` is the value where it is UTF-8; `value_base64` its bytes, whatever they are."""

    faults: list[FaultEntry]
    key: str | None
    text: str | None
    value_base64: str
    edited_text: str | None
    headers: list[tuple[str, str]]
    settled_by: str | None
    settled_reason: str | None
    settled_at: datetime | None
    parked: list[ParkedMessage]


Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]+$")]


def _strictly_decoded(value: object) -> object:
    # The standard decoder passes over what is no base64, so a slip of the keyboard would become another message.
    return b64decode(value, validate=True) if isinstance(value, str) else value


Base64 = Annotated[bytes, BeforeValidator(_strictly_decoded)]


class Discard(BaseModel):
    """Who discards a dead letter, and why."""

    model_config = ConfigDict(extra="forbid")

    by: Words
    reason: Words


class Redrive(Discard):
    """Who redrives a dead letter, why, and the edited value as text or as base64; without one, as it came."""

    text: str | None = Field(default=None, max_length=1024 * 1024)
    value_base64: Base64 | None = None

    @model_validator(mode="after")
    def _one_value(self) -> "Redrive":
        if self.text is not None and self.value_base64 is not None:
            raise ValueError("give the edited value as text or as value_base64, not both")
        return self

    def edited(self) -> bytes | None:
        """The edited value."""
        return self.text.encode() if self.text is not None else self.value_base64


class SettledLetter(BaseModel):
    """Where the letter stands now; `error` if it failed again; messages released, and those that still wait."""

    state: LetterState
    error: str | None
    released: int
    still_parked: int


def _kernel(request: Request) -> Kernel:
    found: Kernel = request.app.state.kernel
    return found


@dead_letters.get("")
async def listed(
    request: Request,
    state: Annotated[LetterState | None, Query(description="all of them unless given")] = None,
    limit: Annotated[int, Query(ge=1, le=_LISTED_MAX)] = 100,
) -> list[DeadLetterEntry]:
    """Dead letters, newest first."""
    return await _kernel(request).read.many(DeadLetterEntry, _LIST, state, limit)


@dead_letters.get("/{letter_id}")
async def shown(letter_id: str, request: Request) -> DeadLetterDocument:
    """One dead letter whole, with what waits behind it."""
    read = _kernel(request).read
    row = await read.row(_SHOW, letter_id)
    if row is None:
        raise HTTPException(404, f"no dead letter has the id {letter_id}")
    waiting = row["lane"] is not None and row["state"] == LetterState.OPEN
    parked = await read.many(ParkedMessage, _WAITING, row["lane"], _LISTED_MAX) if waiting else []
    return _document(row, parked)


def _document(row: dict[str, Any], parked: list[ParkedMessage]) -> DeadLetterDocument:
    value: bytes = row["value"] or b""
    own = {name: row[name] for name in DeadLetterEntry.model_fields if name in row}
    return DeadLetterDocument(
        **{**own, "source": row["place"], "bytes": len(value)},
        faults=row["faults"],
        key=None if row["key"] is None else row["key"].decode("utf-8", "backslashreplace"),
        text=_text(row["value"]),
        value_base64=b64encode(value).decode(),
        edited_text=_text(row["edited"]),
        headers=[(name, b64decode(text).decode("utf-8", "backslashreplace")) for name, text in row["headers"]],
        settled_by=row["settled_by"],
        settled_reason=row["settled_reason"],
        settled_at=row["settled_at"],
        parked=parked,
    )


def _text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


@dead_letters.post("/{letter_id}/redrive")
async def redriven(letter_id: str, redrive: Redrive, request: Request) -> SettledLetter:
    """Handle the message again, edited or as it came, and then what waited behind it, in order."""
    return await _settle(
        request,
        Settlement(
            letter_id=letter_id,
            state=LetterState.REDRIVEN,
            by=redrive.by,
            reason=redrive.reason,
            edited=redrive.edited(),
        ),
    )


@dead_letters.post("/{letter_id}/discard")
async def discarded(letter_id: str, discard: Discard, request: Request) -> SettledLetter:
    """Give the message up, and handle what waited behind it, in order. The letter stays to be looked at."""
    settlement = Settlement(letter_id=letter_id, state=LetterState.DISCARDED, by=discard.by, reason=discard.reason)
    return await _settle(request, settlement)


async def _settle(request: Request, settlement: Settlement) -> SettledLetter:
    kernel = _kernel(request)
    try:
        async with kernel.one_more_command():
            settled = await kernel.settle(settlement)
    except UnknownLetter as error:
        raise HTTPException(404, str(error)) from error
    return SettledLetter(
        state=settled.state, error=settled.error, released=settled.released, still_parked=settled.still_parked
    )
