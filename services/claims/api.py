"""Claims' HTTP API."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from contracts.vocabulary.identifiers import ClaimNumber, ContractId
from contracts.vocabulary.money import PositiveMinor
from services.claims import queries
from services.claims.domain.commands import ApproveClaim, ClaimsCommand, DeclineClaim
from services.claims.inbound import stream_of, to_cover
from services.claims.projections.claim import ClaimStatus
from services.kernel.process.http import LINKS_GIVEN, HistoryEntry, IdempotencyKey, LinksLimit, kernel_of, or_not_found
from services.kernel.proof.extract import Extract, Wanted

CLAIMS_LISTED_MAX = 1000

router = APIRouter(tags=["claims"])

# Control characters are kept out: PostgreSQL stores no NUL in text, and a name needs none of them.
PlainText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"),
]


class Approval(BaseModel):
    """Who approves a claim, and how much of the adjudicated sum (all of it unless given)."""

    model_config = ConfigDict(extra="forbid")

    approved_by: PlainText
    approved_minor: PositiveMinor | None = None


class Refusal(BaseModel):
    """Who declines a claim, and why; the claimant reads the reason."""

    model_config = ConfigDict(extra="forbid")

    declined_by: PlainText
    reason: PlainText


class DecisionTaken(BaseModel):
    """What the decision changed: the stream's version after it and the types of its events."""

    claim_no: str
    version: int
    events: list[str]


@router.get("/claims")
async def claims(
    request: Request,
    status: ClaimStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=CLAIMS_LISTED_MAX)] = 100,
    test: bool = False,
) -> list[queries.ClaimView]:
    """Claims, the longest waiting first; `status=adjudicated` wait for a person, `test` are those of sandboxes."""
    return await queries.claims_by_status(kernel_of(request).read, status, limit, test=test)


@router.get("/claims/{claim_no}")
async def claim(claim_no: str, request: Request) -> queries.ClaimDetail:
    """A claim by its number, with its lines."""
    found = await queries.claim_by_number(kernel_of(request).read, claim_no)
    return or_not_found(found, "claim_no", claim_no)


@router.get("/contracts/{contract_id}/claims")
async def claims_of_contract(contract_id: str, request: Request) -> list[queries.ClaimView]:
    """All claims on a contract; none is an empty list."""
    return await queries.claims_of_contract(kernel_of(request).read, contract_id)


@router.get("/contracts/{contract_id}/cover")
async def cover(contract_id: str, request: Request) -> list[queries.CoverView]:
    """The terms of a contract as claims knows them."""
    return or_not_found(
        await queries.cover_of_contract(kernel_of(request).read, contract_id), "contract_id", contract_id
    )


@router.get("/contracts/{contract_id}/history")
async def history(contract_id: str, request: Request) -> list[HistoryEntry]:
    """Everything that happened to a contract's cover and claims, straight from the log."""
    return or_not_found(
        await kernel_of(request).history(contract_id, stream_of(contract_id)), "contract_id", contract_id
    )


@router.get("/contracts/{contract_id}/dossier")
async def dossier(contract_id: ContractId, request: Request, links: LinksLimit = LINKS_GIVEN) -> Extract:
    """This service's part of a contract's dossier: every event as it lies in the log, with what proves it."""
    return await kernel_of(request).extract(contract_id, streams_of(contract_id), links)


@router.get("/claim-totals")
async def claim_totals(request: Request, test: bool = False) -> list[queries.ClaimLineTotal]:
    """Decided claim lines by coverage, decision and reason; with `test`, of the sandboxes alone."""
    return await queries.claim_line_totals(kernel_of(request).read, test=test)


@router.post("/contracts/{contract_id}/claims/{claim_no}/approve")
async def approve(
    contract_id: ContractId,
    claim_no: ClaimNumber,
    body: Approval,
    request: Request,
    idempotency_key: IdempotencyKey,
) -> DecisionTaken:
    """Approve a claim that waits for a person.

    409 with code `claim_unknown`, `claim_not_awaiting_decision`, `approved_sum_not_positive` or
    `approved_sum_too_high`.
    """
    command = ApproveClaim(claim_no=claim_no, approved_by=body.approved_by, approved_minor=body.approved_minor)
    return await _decide(request, contract_id, claim_no, command, idempotency_key)


@router.post("/contracts/{contract_id}/claims/{claim_no}/decline")
async def decline(
    contract_id: ContractId,
    claim_no: ClaimNumber,
    body: Refusal,
    request: Request,
    idempotency_key: IdempotencyKey,
) -> DecisionTaken:
    """Decline a claim that waits for a person.

    409 with code `claim_unknown` or `claim_not_awaiting_decision`.
    """
    command = DeclineClaim(claim_no=claim_no, declined_by=body.declined_by, reason=body.reason)
    return await _decide(request, contract_id, claim_no, command, idempotency_key)


async def _decide(
    request: Request, contract_id: str, claim_no: str, command: ClaimsCommand, idempotency_key: str
) -> DecisionTaken:
    result = await kernel_of(request).execute(to_cover(contract_id, command), idempotency_key)
    return DecisionTaken(claim_no=claim_no, version=result.version, events=result.events)


def streams_of(contract_id: str) -> list[Wanted]:
    """Everything in the log that belongs to a contract: cover and claims, and notices that were refused."""
    refused = Wanted(contract_id, "loss-notice-", prefix=True, having={"contract_id": contract_id})
    return [Wanted(contract_id, stream_of(contract_id)), refused]
