"""What has happened in underwriting. These shapes are stored for ever: add optional fields only."""

from datetime import date
from typing import ClassVar, TypeAlias

from contracts.vocabulary.products import CoverTerms
from services.kernel.messages import DomainEvent
from services.quote.domain.products.rules import FactValue
from services.quote.domain.products.tariff import RatedStep
from services.quote.domain.products.underwriting import AuthorityLevel, FiredRule
from services.quote.domain.underwriting.offers import Alteration


class ApplicationAssessed(DomainEvent):
    """The rules that fired, and the facts of the application (`figures`) that the product's rules look at.

    Figures about the customer are those that were known when the order was taken in.
    """

    event_type: ClassVar[str] = "quote.application_assessed"
    channel: str
    contract_id: str
    order_no: str
    product_code: str
    product_version: int
    fired: tuple[FiredRule, ...]
    figures: dict[str, FactValue]


class ApplicationReferred(DomainEvent):
    """A person has to decide.

    `terms` are those that the order would have been accepted on; where `priced` is false the tariff has no rate,
    premiums in `terms` are the order's own or zero, and whoever decides has to set them. `authority` are the
    product's levels, `mandatory` its coverages that cannot be left out.
    """

    event_type: ClassVar[str] = "quote.application_referred"
    terms: CoverTerms
    priced: bool
    reasons: tuple[FiredRule, ...]
    mandatory: tuple[str, ...]
    authority: tuple[AuthorityLevel, ...]
    answer_within_days: int
    offer_valid_days: int
    pay_within_days: int | None = None


class ReferralAssigned(DomainEvent):
    """An underwriter works on the application from now on."""

    event_type: ClassVar[str] = "quote.referral_assigned"
    channel: str
    contract_id: str
    order_no: str
    underwriter: str
    assigned_by: str


class ReferralNoted(DomainEvent):
    """A note for the file; the channel does not see it."""

    event_type: ClassVar[str] = "quote.referral_noted"
    channel: str
    contract_id: str
    order_no: str
    noted_by: str
    note: str


class InformationRequested(DomainEvent):
    """The underwriter asks the channel; without an answer up to and including `until` the application may expire."""

    event_type: ClassVar[str] = "quote.information_requested"
    channel: str
    contract_id: str
    order_no: str
    requested_by: str
    question: str
    until: date


class InformationProvided(DomainEvent):
    """The answer to the question that was open."""

    event_type: ClassVar[str] = "quote.information_provided"
    channel: str
    contract_id: str
    order_no: str
    provided_by: str
    answer: str


class CounterOffered(DomainEvent):
    """Other terms, open to the customer up to and including `valid_until`.

    `offered_by` is None where the product's rules made the offer; `referred_for` is the reason that the
    application is counted under as undecided. `rated_minor` is the premium before, None where the tariff had none.
    Once it is taken the premium has to be paid within `pay_within_days`, where they matter.
    `working` is every step to the offered premiums, each loading one of them; events of before have none.
    """

    event_type: ClassVar[str] = "quote.counter_offered"
    terms: CoverTerms
    rated_minor: int | None
    alterations: tuple[Alteration, ...]
    excluded: tuple[str, ...]
    reasons: tuple[FiredRule, ...]
    valid_until: date
    offered_by: str | None
    reason: str | None
    referred_for: str
    pay_within_days: int | None = None
    working: tuple[RatedStep, ...] = ()


class CounterOfferTaken(DomainEvent):
    """The customer takes the other terms; the acceptance follows."""

    event_type: ClassVar[str] = "quote.counter_offer_taken"
    channel: str
    contract_id: str
    order_no: str
    taken_by: str


class CounterOfferRefused(DomainEvent):
    """The customer does not take the other terms; the withdrawal follows."""

    event_type: ClassVar[str] = "quote.counter_offer_refused"
    channel: str
    contract_id: str
    order_no: str
    refused_by: str


class ApplicationWithdrawn(DomainEvent):
    """The customer does not want the cover; there is no policy, and there will be none.

    `referred_for` as in CounterOffered; None `after_acceptance`, where policy has released the order.
    """

    event_type: ClassVar[str] = "quote.application_withdrawn"
    channel: str
    contract_id: str
    order_no: str
    withdrawn_by: str
    reason: str
    referred_for: str | None = None
    after_acceptance: bool = False


class ApplicationExpired(DomainEvent):
    """Nobody answered the counter-offer or the question, or paid, in time; fields as in ApplicationWithdrawn."""

    event_type: ClassVar[str] = "quote.application_expired"
    channel: str
    contract_id: str
    order_no: str
    expired_on: date
    referred_for: str | None = None
    after_acceptance: bool = False


class BlacklistEntryAdded(DomainEvent):
    """A person is not to be insured; `subject` is the digest of their document or of their name."""

    event_type: ClassVar[str] = "quote.blacklist_entry_added"
    kind: str
    subject: str
    reason: str
    added_by: str


class BlacklistEntryRemoved(DomainEvent):
    """The person may be insured again."""

    event_type: ClassVar[str] = "quote.blacklist_entry_removed"
    kind: str
    subject: str
    reason: str
    removed_by: str


class UnderwriterAppointed(DomainEvent):
    """Somebody may decide on referrals up to a level of authority."""

    event_type: ClassVar[str] = "quote.underwriter_appointed"
    underwriter: str
    level: int
    reason: str
    appointed_by: str


class UnderwriterDismissed(DomainEvent):
    """Somebody may not decide on referrals any more."""

    event_type: ClassVar[str] = "quote.underwriter_dismissed"
    underwriter: str
    reason: str
    dismissed_by: str


Undecided: TypeAlias = ApplicationReferred | CounterOffered
Ended: TypeAlias = ApplicationWithdrawn | ApplicationExpired
ReferralStep: TypeAlias = (
    ReferralAssigned
    | ReferralNoted
    | InformationRequested
    | InformationProvided
    | CounterOfferTaken
    | CounterOfferRefused
)
UnderwritingEvent: TypeAlias = ApplicationAssessed | Undecided | Ended | ReferralStep
BlacklistEvent: TypeAlias = BlacklistEntryAdded | BlacklistEntryRemoved
RosterEvent: TypeAlias = UnderwriterAppointed | UnderwriterDismissed
