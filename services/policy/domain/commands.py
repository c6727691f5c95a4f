"""What policy can be told to do."""

from dataclasses import dataclass
from typing import TypeAlias

from contracts.vocabulary.products import CoverTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePolicy:
    """Put the accepted terms in force; the premium is collected afterwards."""

    terms: CoverTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitPayment:
    """Put the accepted terms in force once their premium has been received."""

    terms: CoverTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPayment:
    """The first premium of an order of this contract has been received."""

    contract_id: str
    channel: str
    order_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseApplication:
    """The customer, or the calendar, ended an accepted order: wait for its money no longer, unless it is issued."""

    contract_id: str
    channel: str
    order_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearSandbox:
    """Put away what a sandbox channel did so far in one partition, that of `lane`."""

    channel: str
    lane: str
    cleared_by: str
    reason: str


PolicyCommand: TypeAlias = IssuePolicy | AwaitPayment | ConfirmPayment | ReleaseApplication | ClearSandbox
