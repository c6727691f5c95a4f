"""Reads of claims' own read models."""

from datetime import date, datetime

from pydantic import BaseModel

from contracts.vocabulary.identifiers import SANDBOX_SUFFIX
from services.claims.projections.claim import ClaimStatus
from services.claims.projections.claim_line import LineDecision
from services.claims.projections.claim_line_total import NO_REASON
from services.kernel.read_models import ReadModels


class CoverView(BaseModel):
    """A term that claims knows of, with its sums insured by coverage (null: no limit)."""

    contract_id: str
    term_no: int
    policy_no: str
    channel: str
    product_code: str
    effective: date
    expiry: date
    currency: str
    sums_insured_minor: dict[str, int | None]
    straight_through_claim_minor: int | None
    registered_at: datetime


class ClaimView(BaseModel):
    """A claim; `incurred_minor` is what is outstanding plus what is paid."""

    claim_no: str
    contract_id: str
    policy_no: str | None
    channel: str
    notice_no: str
    loss_date: date
    status: ClaimStatus
    closing: str | None
    currency: str
    claimed_minor: int
    payable_minor: int
    approved_minor: int
    paid_minor: int
    outstanding_minor: int
    incurred_minor: int
    decided_by: str | None
    reported_at: datetime
    decided_at: datetime | None
    closed_at: datetime | None


class ClaimLineView(BaseModel):
    """A line of a claim; a declined one has the code of its reason."""

    line_no: int
    coverage: str
    claimed_minor: int
    payable_minor: int
    decision: LineDecision
    reason_code: str | None


class ClaimDetail(ClaimView):
    """A claim with its lines."""

    lines: list[ClaimLineView]


class ClaimLineTotal(BaseModel):
    """Decided lines of one coverage, decision and reason; `zero_lines` are covered with nothing to pay."""

    channel: str
    coverage: str
    decision: LineDecision
    reason_code: str | None
    currency: str
    lines: int
    claimed_minor: int
    payable_minor: int
    zero_lines: int


_SANDBOXES = f"%{SANDBOX_SUFFIX}"
"""Channels that try things out, as a pattern of LIKE."""
_COVER = "select * from cover where contract_id = $1 order by term_no"
_BY_NUMBER = "select *, outstanding_minor + paid_minor as incurred_minor from claim where claim_no = $1"
_LINES = "select * from claim_line where claim_no = $1 order by line_no"
_BY_CONTRACT = """
select *, outstanding_minor + paid_minor as incurred_minor
  from claim
 where contract_id = $1
 order by reported_at, claim_no
"""
_BY_STATUS = """
select *, outstanding_minor + paid_minor as incurred_minor
  from claim
 where ($1::text is null or status = $1) and (channel like $2) = $3
 order by reported_at, claim_no
 limit $4
"""
_TOTALS = """
select channel, coverage, decision, nullif(reason_code, $1) as reason_code, currency,
       sum(lines)::bigint as lines, sum(claimed_minor)::bigint as claimed_minor,
       sum(payable_minor)::bigint as payable_minor, sum(zero_lines)::bigint as zero_lines
  from claim_line_total
 where (channel like $2) = $3
 group by channel, coverage, decision, reason_code, currency
 order by coverage, decision, reason_code, currency, channel
"""


async def cover_of_contract(read: ReadModels, contract_id: str) -> list[CoverView]:
    """All terms of a contract, first to last."""
    return await read.many(CoverView, _COVER, contract_id)


async def claim_by_number(read: ReadModels, claim_no: str) -> ClaimDetail | None:
    """The claim with this number, and its lines."""
    claim = await read.one(ClaimView, _BY_NUMBER, claim_no)
    if claim is None:
        return None
    lines = await read.many(ClaimLineView, _LINES, claim_no)
    return ClaimDetail(**claim.model_dump(), lines=lines)


async def claims_of_contract(read: ReadModels, contract_id: str) -> list[ClaimView]:
    """All claims on a contract, in the order in which they were reported."""
    return await read.many(ClaimView, _BY_CONTRACT, contract_id)


async def claims_by_status(read: ReadModels, status: ClaimStatus | None, limit: int, *, test: bool) -> list[ClaimView]:
    """Claims that stand at this status, or any, the longest waiting first; of sandboxes alone, or without them."""
    return await read.many(ClaimView, _BY_STATUS, status, _SANDBOXES, test, limit)


async def claim_line_totals(read: ReadModels, *, test: bool) -> list[ClaimLineTotal]:
    """Decided lines by coverage, decision, reason and currency; of the sandboxes alone, or without them."""
    return await read.many(ClaimLineTotal, _TOTALS, NO_REASON, _SANDBOXES, test)
