"""What claims can be told to do."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.products import CoverTerms
from services.claims.domain.lines import ClaimedLine


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCover:
    """A term of the contract is in force."""

    policy_no: str
    term_no: int
    terms: CoverTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLoss:
    """A channel's loss notice. Equal content has an equal `content_digest`, however it is written."""

    contract_id: str
    channel: str
    notice_no: str
    content_digest: str
    source: str
    loss_date: date
    reported_at: datetime
    currency: str
    lines: tuple[ClaimedLine, ...]
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseNotice:
    """Record that a loss notice was not taken in; no claim comes of it."""

    contract_id: str
    channel: str
    notice_no: str
    content_digest: str
    source: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveClaim:
    """A person approves a claim above the straight-through limit; None approves the adjudicated sum."""

    claim_no: str
    approved_by: str
    approved_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineClaim:
    """A person declines a claim above the straight-through limit."""

    claim_no: str
    declined_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayment:
    """The approved sum of a claim has been paid out."""

    claim_no: str
    paid_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearSandbox:
    """Put away what a sandbox channel did so far in one partition, that of `lane`."""

    channel: str
    lane: str
    cleared_by: str
    reason: str


ClaimsCommand: TypeAlias = (
    RegisterCover | ReportLoss | RefuseNotice | ApproveClaim | DeclineClaim | RecordPayment | ClearSandbox
)
