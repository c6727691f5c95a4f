"""Events of `billing.events.v1`: invoices, payments, claim payments."""

from datetime import date
from typing import ClassVar

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.identifiers import ChannelCode, ClaimNumber, ContractId, ExternalNumber
from contracts.vocabulary.model import ContractModel, PublicEvent
from contracts.vocabulary.money import Currency, NonNegativeMinor, PositiveMinor


class InvoiceIssued(PublicEvent):
    """One instalment of a term's premium is billed."""

    event_type: ClassVar[str] = "invoice.issued"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    invoice_no: str
    instalment_no: int
    instalments: int
    amount_minor: NonNegativeMinor
    currency: Currency
    due: date


class PaidOrder(ContractModel):
    """An order by its own number; in a shared book the channel that pays may be another than the one that sold."""

    channel: ChannelCode
    order_no: ExternalNumber


class PaymentReceived(PublicEvent):
    """Money was matched to invoices. `paid_orders` are the orders whose first instalment it settled."""

    event_type: ClassVar[str] = "payment.received"
    contract_id: ContractId
    channel: ChannelCode
    payment_no: ExternalNumber
    amount_minor: PositiveMinor
    currency: Currency
    invoices: tuple[str, ...]
    paid_orders: tuple[PaidOrder, ...]


class PaymentSuspended(PublicEvent):
    """Money that matches nothing that is open; it waits in the suspense account."""

    event_type: ClassVar[str] = "payment.suspended"
    contract_id: ContractId
    channel: ChannelCode
    payment_no: ExternalNumber
    amount_minor: PositiveMinor
    currency: Currency
    faults: tuple[Fault, ...]


class PaymentRefused(PublicEvent):
    """A payment was reported under a number that another payment has; nothing was booked for it."""

    event_type: ClassVar[str] = "payment.refused"
    contract_id: ContractId
    channel: ChannelCode
    payment_no: ExternalNumber
    amount_minor: PositiveMinor
    currency: Currency
    faults: tuple[Fault, ...]


class ClaimPaid(PublicEvent):
    """An approved claim was paid out."""

    event_type: ClassVar[str] = "claim.paid"
    contract_id: ContractId
    channel: ChannelCode
    claim_no: ClaimNumber
    notice_no: ExternalNumber
    paid_minor: NonNegativeMinor
    currency: Currency


EVENTS: tuple[type[PublicEvent], ...] = (
    InvoiceIssued,
    PaymentReceived,
    PaymentSuspended,
    PaymentRefused,
    ClaimPaid,
)
