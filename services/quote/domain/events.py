"""What has happened to products, orders and messages. These shapes are stored for ever: add optional fields only."""

from datetime import date
from typing import ClassVar, TypeAlias

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.identifiers import ChannelCode
from contracts.vocabulary.products import CoverageTerms, CoverTerms
from contracts.vocabulary.time import CoverPeriod
from services.kernel.messages import DomainEvent
from services.quote.domain.answers.events import AnswerEvent, AnswerReceived, AnswerRefused, ReleaseRequested
from services.quote.domain.lifecycle.events import (
    CatalogueEvent,
    OutletClosed,
    OutletOpened,
    OutletWithdrawn,
    ProductApproved,
    ProductClosed,
    ProductDrafted,
    ProductPublished,
    ProductWithdrawn,
    SandboxOpened,
)
from services.quote.domain.order import Order
from services.quote.domain.products.rating.census import CensusRating
from services.quote.domain.products.tariff import RatedStep
from services.quote.domain.underwriting.events import (
    ApplicationAssessed,
    ApplicationExpired,
    ApplicationReferred,
    ApplicationWithdrawn,
    BlacklistEntryAdded,
    BlacklistEntryRemoved,
    BlacklistEvent,
    CounterOffered,
    CounterOfferRefused,
    CounterOfferTaken,
    InformationProvided,
    InformationRequested,
    ReferralAssigned,
    ReferralNoted,
    RosterEvent,
    UnderwriterAppointed,
    UnderwriterDismissed,
    UnderwritingEvent,
)


class MessageRefused(DomainEvent):
    """A message was not taken in; the same bytes again are refused without a further event."""

    event_type: ClassVar[str] = "quote.message_refused"
    channel: ChannelCode
    source: str
    message_type: str | None
    reference: str | None
    content_digest: str
    faults: tuple[Fault, ...]


class ApplicationSubmitted(DomainEvent):
    """An order became an application; no version where the product is unknown."""

    event_type: ClassVar[str] = "quote.application_submitted"
    channel: ChannelCode
    contract_id: str
    source: str
    product_version: int | None
    order: Order


class PremiumRated(DomainEvent):
    """The price by coverage, and in `working` each number that led to it with its origin; a group's `census`."""

    event_type: ClassVar[str] = "quote.premium_rated"
    channel: str
    contract_id: str
    order_no: str
    currency: str
    premium_minor: int
    coverages: tuple[CoverageTerms, ...]
    working: tuple[RatedStep, ...]
    census: CensusRating | None = None


class ApplicationAccepted(DomainEvent):
    """The risk is taken on these terms.

    `decided_by` and `reason` are those of a person; without them the rules decided. `referred_for` is the reason
    that the application was counted under as undecided before, `customer` whose contract it is, where that was told,
    `placed_on` the day of the order, which events of before do not have.
    Without the premium up to and including `pay_by` it may expire; None where cover does not wait for money.
    """

    event_type: ClassVar[str] = "quote.application_accepted"
    terms: CoverTerms
    decided_by: str | None = None
    reason: str | None = None
    referred_for: str | None = None
    customer: str | None = None
    pay_by: date | None = None
    placed_on: date | None = None


class ApplicationDeclined(DomainEvent):
    """The risk is not taken; `decided_by` and `referred_for` as in ApplicationAccepted."""

    event_type: ClassVar[str] = "quote.application_declined"
    channel: str
    contract_id: str
    order_no: str
    product_code: str
    faults: tuple[Fault, ...]
    decided_by: str | None = None
    referred_for: str | None = None


class OrderConflicted(DomainEvent):
    """The order's number came again with other content; the first order stands."""

    event_type: ClassVar[str] = "quote.order_conflicted"
    channel: str
    contract_id: str
    order_no: str
    source: str
    content_digest: str
    faults: tuple[Fault, ...]


class ApplicationIssued(DomainEvent):
    """The application ended in a policy term."""

    event_type: ClassVar[str] = "quote.application_issued"
    channel: str
    contract_id: str
    order_no: str
    policy_no: str
    renewal: bool
    period: CoverPeriod


class ApplicationNotIssued(DomainEvent):
    """The accepted application could not be put in force; `accepted` is what it was accepted on, where that is told."""

    event_type: ClassVar[str] = "quote.application_not_issued"
    channel: str
    contract_id: str
    order_no: str
    faults: tuple[Fault, ...]
    accepted: CoverTerms | None = None
    placed_on: date | None = None


class SandboxCleared(DomainEvent):
    """What a sandbox channel did before is put away: read models drop it, the log keeps it."""

    event_type: ClassVar[str] = "quote.sandbox_cleared"
    channel: str
    lane: str
    cleared_by: str
    reason: str


Outcome: TypeAlias = (
    ApplicationAccepted
    | ApplicationDeclined
    | ApplicationIssued
    | ApplicationNotIssued
    | ApplicationReferred
    | CounterOffered
    | ApplicationWithdrawn
    | ApplicationExpired
)
ApplicationEvent: TypeAlias = (
    ApplicationSubmitted | PremiumRated | Outcome | OrderConflicted | UnderwritingEvent | AnswerEvent
)
QuoteEvent: TypeAlias = (
    CatalogueEvent | ApplicationEvent | MessageRefused | BlacklistEvent | RosterEvent | SandboxCleared
)
QUOTE_EVENTS: tuple[type[QuoteEvent], ...] = (
    ProductDrafted,
    ProductApproved,
    SandboxOpened,
    ProductPublished,
    ProductClosed,
    ProductWithdrawn,
    MessageRefused,
    ApplicationSubmitted,
    PremiumRated,
    ApplicationAccepted,
    ApplicationDeclined,
    OrderConflicted,
    ApplicationIssued,
    ApplicationNotIssued,
    SandboxCleared,
    ApplicationAssessed,
    ApplicationReferred,
    ReferralAssigned,
    ReferralNoted,
    InformationRequested,
    InformationProvided,
    CounterOffered,
    CounterOfferTaken,
    CounterOfferRefused,
    ApplicationWithdrawn,
    ApplicationExpired,
    BlacklistEntryAdded,
    BlacklistEntryRemoved,
    UnderwriterAppointed,
    UnderwriterDismissed,
    AnswerReceived,
    AnswerRefused,
    ReleaseRequested,
    OutletOpened,
    OutletClosed,
    OutletWithdrawn,
)
