"""What has happened on an account. These shapes are stored for ever: add optional fields or a new version.

Every event that moves money carries its journal entry in `postings` (see ledger.py).
"""

from datetime import date, datetime
from typing import ClassVar, TypeAlias

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.lines import ProductLine
from contracts.vocabulary.model import ContractModel
from contracts.vocabulary.products import CoverageTerms, PaymentFrequency, PremiumSplit
from contracts.vocabulary.time import CoverPeriod
from services.billing.domain.ledger import LedgerAccount, Postings
from services.kernel.messages import DomainEvent


class SettledInvoice(ContractModel):
    """An invoice that was closed, by money or by reversal. Numbers are unique within channel and contract."""

    channel: str
    order_no: str
    invoice_no: str
    instalment_no: int
    amount_minor: int


class AccountOpened(DomainEvent):
    """The first thing on a contract. The contract's number is not known where a claim came first."""

    event_type: ClassVar[str] = "account.opened"
    contract_id: str
    channel: str
    contract_no: str | None
    book: str | None
    currency: str


class PremiumWritten(DomainEvent):
    """A term is in force with this premium. `shares` are the parts of the whole; instalments book them."""

    event_type: ClassVar[str] = "premium.written"
    contract_id: str
    channel: str
    contract_no: str
    book: str | None
    order_no: str
    policy_no: str
    term_no: int
    product_code: str
    product_version: int
    line: ProductLine
    period: CoverPeriod
    currency: str
    premium_minor: int
    coverages: tuple[CoverageTerms, ...]
    split: PremiumSplit
    shares: dict[LedgerAccount, int]


class InvoiceIssued(DomainEvent):
    """One instalment is billed; of premium in force, or of an advance where cover waits for the money."""

    event_type: ClassVar[str] = "invoice.issued"
    contract_id: str
    channel: str
    order_no: str
    invoice_no: str
    instalment_no: int
    instalments: int
    frequency: PaymentFrequency
    amount_minor: int
    currency: str
    due: date
    before_cover: bool
    postings: Postings


class PremiumAdvanceReleased(DomainEvent):
    """The policy is issued: the advance billed for the order becomes premium."""

    event_type: ClassVar[str] = "premium_advance.released"
    contract_id: str
    channel: str
    order_no: str
    amount_minor: int
    currency: str
    postings: Postings


class PremiumAdvanceReversed(DomainEvent):
    """The order was not issued: `cancelled` invoices are dropped, `refundable_minor` is owed back."""

    event_type: ClassVar[str] = "premium_advance.reversed"
    contract_id: str
    channel: str
    order_no: str
    cancelled: tuple[SettledInvoice, ...]
    refundable_minor: int
    currency: str
    postings: Postings


class PaymentReceived(DomainEvent):
    """Money settled these invoices, to the minor unit. `paid_at` is when the payer paid, as reported."""

    event_type: ClassVar[str] = "payment.received"
    contract_id: str
    channel: str
    payment_no: str
    amount_minor: int
    currency: str
    paid_at: datetime
    content: str
    settled: tuple[SettledInvoice, ...]
    postings: Postings


class PaymentSuspended(DomainEvent):
    """Money that matches nothing that is open is kept whole in suspense; `faults` says why."""

    event_type: ClassVar[str] = "payment.suspended"
    contract_id: str
    channel: str
    payment_no: str
    amount_minor: int
    currency: str
    paid_at: datetime
    content: str
    faults: tuple[Fault, ...]
    postings: Postings


class SuspenseMatched(DomainEvent):
    """Suspended money settled invoices that were issued after it came."""

    event_type: ClassVar[str] = "suspense.matched"
    contract_id: str
    channel: str
    payment_no: str
    amount_minor: int
    currency: str
    settled: tuple[SettledInvoice, ...]
    postings: Postings


class PaymentRefused(DomainEvent):
    """A report under a number that another payment has; nothing was booked for it."""

    event_type: ClassVar[str] = "payment.refused"
    contract_id: str
    channel: str
    payment_no: str
    amount_minor: int
    currency: str
    paid_at: datetime
    content: str
    source: str
    faults: tuple[Fault, ...]


class ClaimPaid(DomainEvent):
    """An approved claim was paid out."""

    event_type: ClassVar[str] = "claim.paid"
    contract_id: str
    channel: str
    claim_no: str
    notice_no: str
    amount_minor: int
    currency: str
    postings: Postings


class SandboxCleared(DomainEvent):
    """What a sandbox channel did before is put away: read models drop it, the log keeps it."""

    event_type: ClassVar[str] = "sandbox.cleared"
    channel: str
    lane: str
    cleared_by: str
    reason: str


MoneyEvent: TypeAlias = (
    InvoiceIssued
    | PremiumAdvanceReleased
    | PremiumAdvanceReversed
    | PaymentReceived
    | PaymentSuspended
    | SuspenseMatched
    | ClaimPaid
)
"""Events with a journal entry."""

BillingEvent: TypeAlias = AccountOpened | PremiumWritten | PaymentRefused | SandboxCleared | MoneyEvent

MONEY_EVENTS: tuple[type[MoneyEvent], ...] = (
    InvoiceIssued,
    PremiumAdvanceReleased,
    PremiumAdvanceReversed,
    PaymentReceived,
    PaymentSuspended,
    SuspenseMatched,
    ClaimPaid,
)
BILLING_EVENTS: tuple[type[BillingEvent], ...] = (
    AccountOpened,
    PremiumWritten,
    PaymentRefused,
    *MONEY_EVENTS,
    SandboxCleared,
)
