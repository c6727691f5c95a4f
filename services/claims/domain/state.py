"""What is true of a contract's cover: its terms, what claims have taken from their limits, the claims."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from contracts.vocabulary.identifiers import is_sandbox
from contracts.vocabulary.time import CoverPeriod
from services.claims.domain.events import NoticeRefused
from services.claims.domain.lines import AssessedLine, ClosingKind

LimitKey = tuple[int, str]
"""A term's number and a coverage: each term has its sums insured anew."""


@dataclass(frozen=True, slots=True)
class CoverTerm:
    """One term in force; `sums_insured_minor` has every coverage bought, None for one without limit."""

    channel: str
    policy_no: str
    term_no: int
    period: CoverPeriod
    currency: str
    sums_insured_minor: Mapping[str, int | None]
    straight_through_claim_minor: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on a claim; `decided_by` is None where it went straight through."""

    approved: bool
    approved_minor: int = 0
    decided_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim: it waits while it has no decision, is approved while it has no closing."""

    contract_id: str
    channel: str
    claim_no: str
    notice_no: str
    content_digest: str
    currency: str
    term_no: int | None = None
    lines: tuple[AssessedLine, ...] = ()
    outstanding_minor: int = 0
    paid_minor: int = 0
    decision: Decision | None = None
    closing: ClosingKind | None = None


def _no_limits() -> Mapping[LimitKey, int]:
    return MappingProxyType({})


def _no_claims() -> Mapping[str, Claim]:
    return MappingProxyType({})


def _no_refusals() -> Mapping[str, NoticeRefused]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CoverState:
    """A contract. `taken_minor` is what claims have taken from each limit; refusals go by digest."""

    terms: tuple[CoverTerm, ...] = ()
    taken_minor: Mapping[LimitKey, int] = field(default_factory=_no_limits)
    claims: Mapping[str, Claim] = field(default_factory=_no_claims)
    refusals: Mapping[str, NoticeRefused] = field(default_factory=_no_refusals)

    @property
    def is_test(self) -> bool:
        """Whether the contract was sold in a sandbox. All terms of a contract were, or none."""
        return any(is_sandbox(term.channel) for term in self.terms)

    def term_on(self, day: date) -> CoverTerm | None:
        """The term that covers a day; terms of a contract never share one."""
        return next((term for term in self.terms if term.period.covers(day)), None)
