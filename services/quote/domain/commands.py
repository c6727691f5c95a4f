"""What quote can be told to do."""

from dataclasses import dataclass
from typing import TypeAlias

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.time import CoverPeriod
from services.quote.domain.answers.commands import AnswerOrder, RecordRelease
from services.quote.domain.lifecycle.commands import CatalogueCommand
from services.quote.domain.order import Order
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.underwriting.assessment import UNKNOWN_CUSTOMER, ChannelSales, CustomerStanding
from services.quote.domain.underwriting.commands import BlacklistCommand, ReferralCommand, RosterCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitApplication:
    """A well-formed order of a channel; `product` is the version that it would be sold under, if there is one.

    `renewal` says that the contract was sold under that version before; `customer` is
    what was known of the policyholder when the order was decided, `sales` what the channel had sold of the product,
    None where that was not looked up.
    """

    channel: str
    contract_id: str
    source: str
    order: Order
    product: ProductVersion | None
    renewal: bool = False
    customer: CustomerStanding = UNKNOWN_CUSTOMER
    sales: ChannelSales | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseMessage:
    """A channel's message that cannot be taken in. The digest of its bytes names the stream."""

    channel: str
    source: str
    message_type: str | None
    reference: str | None
    content_digest: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordIssue:
    """The policy service has put an accepted application in force."""

    channel: str
    contract_id: str
    order_no: str
    policy_no: str
    renewal: bool
    period: CoverPeriod


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordIssueFailure:
    """The policy service could not put an accepted application in force."""

    channel: str
    contract_id: str
    order_no: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearSandbox:
    """Put away what a sandbox channel did so far in one partition, that of `lane`."""

    channel: str
    lane: str
    cleared_by: str
    reason: str


ApplicationCommand: TypeAlias = (
    SubmitApplication | RecordIssue | RecordIssueFailure | RecordRelease | AnswerOrder | ReferralCommand
)
QuoteCommand: TypeAlias = (
    ApplicationCommand | CatalogueCommand | RefuseMessage | BlacklistCommand | RosterCommand | ClearSandbox
)
