"""Notices on `notices.<channel>.v1`: what became of each order, payment and claim notice, in order."""

from datetime import date
from typing import ClassVar

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.identifiers import ClaimNumber, ContractId, PolicyNumber
from contracts.vocabulary.model import PublicEvent
from contracts.vocabulary.money import Currency, NonNegativeMinor
from contracts.vocabulary.products import CoverageTerms, UnderwritingReason
from contracts.vocabulary.time import CoverPeriod


class MessageRefused(PublicEvent):
    """The message was not taken in. `source` says where it lies (topic/partition/offset)."""

    event_type: ClassVar[str] = "notice.message_refused"
    source: str
    message_type: str | None = None
    reference: str | None = None
    faults: tuple[Fault, ...]


class OrderAccepted(PublicEvent):
    """The application is accepted at this price. Where nothing is paid up to and including `pay_by`, it expires."""

    event_type: ClassVar[str] = "notice.order_accepted"
    contract_id: ContractId
    order_no: str
    premium_minor: NonNegativeMinor
    currency: Currency
    payment_due_before_cover: bool
    pay_by: date | None = None


class OrderDeclined(PublicEvent):
    """The application is declined; no cover, nothing due."""

    event_type: ClassVar[str] = "notice.order_declined"
    contract_id: ContractId
    order_no: str
    faults: tuple[Fault, ...]


class OrderReferred(PublicEvent):
    """A person will decide; `answer_within_days` is what the product promises."""

    event_type: ClassVar[str] = "notice.order_referred"
    contract_id: ContractId
    order_no: str
    reasons: tuple[UnderwritingReason, ...]
    answer_within_days: int


class InformationWanted(PublicEvent):
    """The underwriter asks for something before deciding; the application ends where nothing comes by `until`."""

    event_type: ClassVar[str] = "notice.information_requested"
    contract_id: ContractId
    order_no: str
    question: str
    until: date


class CounterOfferMade(PublicEvent):
    """Cover is offered on other terms, up to and including `valid_until`; without an answer it lapses."""

    event_type: ClassVar[str] = "notice.counter_offered"
    contract_id: ContractId
    order_no: str
    coverages: tuple[CoverageTerms, ...]
    excluded: tuple[str, ...] = ()
    premium_minor: NonNegativeMinor
    currency: Currency
    reasons: tuple[UnderwritingReason, ...]
    valid_until: date


class OrderWithdrawn(PublicEvent):
    """The application was withdrawn, or the counter-offer refused; nothing is due, and what was paid goes back."""

    event_type: ClassVar[str] = "notice.order_withdrawn"
    contract_id: ContractId
    order_no: str
    reason: str


class OrderExpired(PublicEvent):
    """The counter-offer, or the time to answer a question or to pay, has passed; nothing is due."""

    event_type: ClassVar[str] = "notice.order_expired"
    contract_id: ContractId
    order_no: str
    expired_on: date


class PolicyInForce(PublicEvent):
    """The policy is issued, or renewed for a further term."""

    event_type: ClassVar[str] = "notice.policy_issued"
    contract_id: ContractId
    order_no: str
    policy_no: PolicyNumber
    renewal: bool
    period: CoverPeriod


class IssuanceFailed(PublicEvent):
    """The accepted application could not be issued; money received for it goes back."""

    event_type: ClassVar[str] = "notice.issuance_failed"
    contract_id: ContractId
    order_no: str
    faults: tuple[Fault, ...]


class InvoiceDue(PublicEvent):
    """An instalment to be paid."""

    event_type: ClassVar[str] = "notice.invoice_issued"
    contract_id: ContractId
    order_no: str
    invoice_no: str
    amount_minor: NonNegativeMinor
    currency: Currency
    due: str


class PaymentBooked(PublicEvent):
    """The payment was matched to invoices, or waits in suspense (`faults` says why)."""

    event_type: ClassVar[str] = "notice.payment_booked"
    contract_id: ContractId
    payment_no: str
    amount_minor: NonNegativeMinor
    currency: Currency
    suspended: bool
    invoices: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


class ClaimRegistered(PublicEvent):
    """The claim notice has a claim number."""

    event_type: ClassVar[str] = "notice.claim_registered"
    contract_id: ContractId
    notice_no: str
    claim_no: ClaimNumber


class ClaimDecided(PublicEvent):
    """The claim is approved (`approved_minor` above or equal 0) or declined (`faults` says why)."""

    event_type: ClassVar[str] = "notice.claim_decided"
    contract_id: ContractId
    notice_no: str
    claim_no: ClaimNumber
    approved: bool
    approved_minor: NonNegativeMinor
    currency: Currency
    faults: tuple[Fault, ...] = ()


class ClaimSettled(PublicEvent):
    """The approved sum has been paid."""

    event_type: ClassVar[str] = "notice.claim_paid"
    contract_id: ContractId
    notice_no: str
    claim_no: ClaimNumber
    paid_minor: NonNegativeMinor
    currency: Currency


NOTICES: tuple[type[PublicEvent], ...] = (
    MessageRefused,
    OrderAccepted,
    OrderDeclined,
    OrderReferred,
    InformationWanted,
    CounterOfferMade,
    OrderWithdrawn,
    OrderExpired,
    PolicyInForce,
    IssuanceFailed,
    InvoiceDue,
    PaymentBooked,
    ClaimRegistered,
    ClaimDecided,
    ClaimSettled,
)
