"""Events of `quote.events.v1`: products, applications, prices, underwriting decisions."""

from datetime import date
from typing import ClassVar

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.identifiers import ChannelCode, ContractId, ExternalNumber, ProductCode
from contracts.vocabulary.lines import ProductLine
from contracts.vocabulary.model import PublicEvent
from contracts.vocabulary.money import Currency, NonNegativeMinor
from contracts.vocabulary.products import CoverageTerms, CoverTerms, UnderwritingReason
from contracts.vocabulary.time import Instant


class ProductPublished(PublicEvent):
    """A version of a product is on sale. `document` is its whole definition as JSON text."""

    event_type: ClassVar[str] = "product.published"
    product_code: ProductCode
    product_version: int
    line: ProductLine
    on_sale_from: date
    on_sale_until: date | None = None
    document: str


class ProductClosed(PublicEvent):
    """A version is closed to new business: only contracts sold under it are renewed. No day means at once."""

    event_type: ClassVar[str] = "product.closed"
    product_code: ProductCode
    product_version: int
    from_day: date | None = None
    reason: str


class ProductWithdrawn(PublicEvent):
    """A version is no longer sold; policies sold under it keep it. No day means at once."""

    event_type: ClassVar[str] = "product.withdrawn"
    product_code: ProductCode
    product_version: int
    reason: str
    from_day: date | None = None


class MessageRefused(PublicEvent):
    """A channel's message was not taken in: no application exists. The raw bytes are a dead letter."""

    event_type: ClassVar[str] = "message.refused"
    channel: ChannelCode
    source: str
    faults: tuple[Fault, ...]


class ApplicationSubmitted(PublicEvent):
    """An order became an application. `campaign`, `sale_source` and `page_path` say what led the buyer to it."""

    event_type: ClassVar[str] = "application.submitted"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    product_code: ProductCode
    product_version: int
    placed_at: Instant
    campaign: str | None = None
    sale_source: str | None = None
    page_path: str | None = None


class PremiumRated(PublicEvent):
    """The price, coverage by coverage."""

    event_type: ClassVar[str] = "premium.rated"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    currency: Currency
    premium_minor: NonNegativeMinor
    coverages: tuple[CoverageTerms, ...]


class ApplicationAccepted(PublicEvent):
    """The risk is taken on these terms; policy or billing goes on, as the settlement method says."""

    event_type: ClassVar[str] = "application.accepted"
    terms: CoverTerms


class ApplicationDeclined(PublicEvent):
    """The risk is not taken."""

    event_type: ClassVar[str] = "application.declined"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    product_code: ProductCode
    faults: tuple[Fault, ...]


class SandboxCleared(PublicEvent):
    """What a sandbox channel did before is gone from all read models; one in each partition, keyed by its `lane`."""

    event_type: ClassVar[str] = "sandbox.cleared"
    channel: ChannelCode
    lane: str
    cleared_by: str
    reason: str


class ApplicationReferred(PublicEvent):
    """A person decides on the risk; no price where the tariff has none."""

    event_type: ClassVar[str] = "application.referred"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    product_code: ProductCode
    reasons: tuple[UnderwritingReason, ...]
    premium_minor: NonNegativeMinor | None = None


class InformationRequested(PublicEvent):
    """The underwriter asks the channel for something, to be answered up to and including `until`."""

    event_type: ClassVar[str] = "application.information_requested"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    question: str
    until: date


class CounterOffered(PublicEvent):
    """Cover is offered on other terms than were ordered; nothing is agreed before the customer takes it."""

    event_type: ClassVar[str] = "application.counter_offered"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    currency: Currency
    premium_minor: NonNegativeMinor
    coverages: tuple[CoverageTerms, ...]
    excluded: tuple[str, ...] = ()
    reasons: tuple[UnderwritingReason, ...]
    valid_until: date


class ApplicationWithdrawn(PublicEvent):
    """The customer does not want the cover (any more), and there will be no policy; nothing is due for it."""

    event_type: ClassVar[str] = "application.withdrawn"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    reason: str


class ApplicationExpired(PublicEvent):
    """Nobody answered a counter-offer or a question, or paid, in time; there will be no policy, nothing is due."""

    event_type: ClassVar[str] = "application.expired"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    expired_on: date


class ReleaseRequested(PublicEvent):
    """An accepted application shall end without a policy (`reason`: withdrawal or expiry); policy decides whether."""

    event_type: ClassVar[str] = "application.release_requested"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    reason: str


EVENTS: tuple[type[PublicEvent], ...] = (
    ProductPublished,
    ProductClosed,
    ProductWithdrawn,
    MessageRefused,
    ApplicationSubmitted,
    PremiumRated,
    ApplicationAccepted,
    ApplicationDeclined,
    SandboxCleared,
    ApplicationReferred,
    InformationRequested,
    CounterOffered,
    ApplicationWithdrawn,
    ApplicationExpired,
    ReleaseRequested,
)
