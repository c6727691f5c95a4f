"""What billing can be told to do."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from contracts.vocabulary.products import CoverTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class BillAdvance:
    """Bill the accepted terms before cover; the policy is issued on the money (pay-before-cover)."""

    terms: CoverTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePremium:
    """The terms are in force: write their premium, and bill it unless that was done before cover."""

    policy_no: str
    term_no: int
    terms: CoverTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseAdvance:
    """The order was not issued and will not be: drop what is open of it and owe back what was paid for it."""

    contract_id: str
    channel: str
    order_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPayment:
    """A channel's report of money received.

    `content` is a digest of channel and report: two reports with the same digest are the same report.
    `source` says where the report lies (topic/partition/offset).
    """

    contract_id: str
    channel: str
    contract_no: str
    book: str | None
    payment_no: str
    amount_minor: int
    currency: str
    paid_at: datetime
    content: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPayment:
    """Match the money to open invoices, or keep it in suspense."""

    payment: ReportedPayment


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusePayment:
    """Refuse the report: its number belongs to a payment of another contract."""

    payment: ReportedPayment


@dataclass(frozen=True, slots=True, kw_only=True)
class PayClaim:
    """Pay out an approved claim. `channel` is the one that reported it."""

    contract_id: str
    channel: str
    claim_no: str
    notice_no: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearSandbox:
    """Put away what a sandbox channel did so far in one partition, that of `lane`."""

    channel: str
    lane: str
    cleared_by: str
    reason: str


BillingCommand: TypeAlias = (
    BillAdvance | WritePremium | ReverseAdvance | BookPayment | RefusePayment | PayClaim | ClearSandbox
)
