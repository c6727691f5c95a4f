"""What channels publish on `orders.<channel>.v1`: orders, payments, claim notices, and the customers' answers.

The message names its own type and version in its body (`type`, `schema_version`), so that a channel
can write it in any language without headers. Unknown fields are faults: they are usually typing errors.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from contracts.vocabulary.evidence import SaleEvidence
from contracts.vocabulary.identifiers import (
    BookCode,
    CoverageCode,
    ExternalNumber,
    PersonDigest,
    PolicyNumber,
    ProductCode,
    RegionCode,
    contract_id_of,
    contract_of_policy,
    numbering_owner,
)
from contracts.vocabulary.lines import InsuredRisk
from contracts.vocabulary.model import ChannelModel, LongText, ShortText
from contracts.vocabulary.money import Currency, NonNegativeMinor, PositiveMinor
from contracts.vocabulary.persons import Disclosures
from contracts.vocabulary.products import COVERAGES_MAX, PaymentFrequency
from contracts.vocabulary.time import CivilDate, Instant

CLAIM_LINES_MAX = 100


class OrderedCoverage(ChannelModel):
    """A coverage chosen by the buyer. `premium_minor` is required where the product is sold as quoted."""

    code: CoverageCode
    premium_minor: NonNegativeMinor | None = None
    sum_insured_minor: PositiveMinor | None = None


class OrderPlaced(ChannelModel):
    """A buyer's order.

    `order_no` is unique per channel for ever. `contract_no` is the number of the contract that the order
    starts or renews (the order's own number unless given); `book` names a shared book of business whose
    contract numbers several channels use. `evidence` is the trail of the sale; nothing in it lies after `placed_at`.
    `region` says where the buyer is, for products that are sold in
    some regions only. `policyholder_id` is the digest of the policyholder's document (see
    `person_digest`), by which several contracts of one person are known to be theirs.
    """

    type: Literal["order.placed"]
    schema_version: Literal[1]
    order_no: ExternalNumber
    contract_no: ExternalNumber | None = None
    book: BookCode | None = None
    product: ProductCode
    placed_at: Instant
    effective: CivilDate
    currency: Currency
    premium_minor: NonNegativeMinor
    coverages: Annotated[tuple[OrderedCoverage, ...], Field(min_length=1, max_length=COVERAGES_MAX)]
    frequency: PaymentFrequency = PaymentFrequency.ANNUAL
    risk: InsuredRisk
    policyholder_name: ShortText | None = None
    policyholder_id: PersonDigest | None = None
    campaign: ShortText | None = None
    disclosures: Disclosures | None = None
    """Answers to what the product asks of the policyholder; those of an insured person stand with the person."""
    evidence: SaleEvidence | None = None
    region: RegionCode | None = None
    expiry: CivilDate | None = None
    """The first day without cover; only where the product offers terms shorter than its own."""

    @model_validator(mode="after")
    def _evidence_is_of_the_time_before(self) -> Self:
        late = [] if self.evidence is None else [m for m in self.evidence.moments() if m[1] > self.placed_at]
        if late:
            # Raised as several errors at once, so that the sender hears of each field.
            error = ValueError("it lies after placed_at; evidence is recorded before the order is placed")
            details = (
                InitErrorDetails(type="value_error", loc=("evidence", *path), input=moment, ctx={"error": error})
                for path, moment in late
            )
            raise ValidationError.from_exception_data(type(self).__name__, list(details))
        return self

    def contract_id(self, channel: str) -> str:
        """The contract that this order of `channel` starts or renews."""
        return contract_id_of(numbering_owner(channel, self.book), self.contract_no or self.order_no)


class PaymentReported(ChannelModel):
    """Money that a channel collected or that reached us through it. `payment_no` is unique per channel."""

    type: Literal["payment.reported"]
    schema_version: Literal[1]
    payment_no: ExternalNumber
    contract_no: ExternalNumber
    book: BookCode | None = None
    amount_minor: PositiveMinor
    currency: Currency
    paid_at: Instant

    def contract_id(self, channel: str) -> str:
        """The contract that the payment names."""
        return contract_id_of(numbering_owner(channel, self.book), self.contract_no)


class ReportedLossLine(ChannelModel):
    """What is claimed under one coverage."""

    line_no: Annotated[int, Field(ge=1, le=CLAIM_LINES_MAX)]
    coverage: CoverageCode
    claimed_minor: NonNegativeMinor


class LossReported(ChannelModel):
    """First notice of loss. Names the contract by our policy number or by the channel's contract number."""

    type: Literal["loss.reported"]
    schema_version: Literal[1]
    notice_no: ExternalNumber
    policy_no: PolicyNumber | None = None
    contract_no: ExternalNumber | None = None
    book: BookCode | None = None
    loss_date: CivilDate
    reported_at: Instant
    currency: Currency
    lines: Annotated[tuple[ReportedLossLine, ...], Field(min_length=1, max_length=CLAIM_LINES_MAX)]
    description: ShortText | None = None

    @model_validator(mode="after")
    def _names_one_contract(self) -> Self:
        if (self.policy_no is None) == (self.contract_no is None):
            raise ValueError("give either policy_no or contract_no")
        if len({line.line_no for line in self.lines}) != len(self.lines):
            raise ValueError("line_no must differ from line to line")
        if self.policy_no is not None:
            contract_of_policy(self.policy_no)
        return self

    def contract_id(self, channel: str) -> str:
        """The contract that the notice names."""
        if self.policy_no is not None:
            return contract_of_policy(self.policy_no)
        return contract_id_of(numbering_owner(channel, self.book), self.contract_no or "")


class _AboutOrder(ChannelModel):
    """Names an order by the channel's own number, and its contract as the order did."""

    order_no: ExternalNumber
    contract_no: ExternalNumber | None = None
    book: BookCode | None = None
    answered_at: Instant

    def contract_id(self, channel: str) -> str:
        """The contract of the order, derived as the order derives it."""
        return contract_id_of(numbering_owner(channel, self.book), self.contract_no or self.order_no)


class CounterOfferAnswered(_AboutOrder):
    """The customer takes the counter-offer that stands for an order, or refuses it, which withdraws the order.

    `answered_at` is when the customer answered; it decides whether an offer was still open. `contract_no` and `book`
    are those of the order. The same bytes again change nothing; another answer has another `answered_at`.
    """

    type: Literal["counter_offer.answered"]
    schema_version: Literal[1]
    answer: Literal["taken", "refused"]
    answered_by: ShortText | None = None


class InformationProvided(_AboutOrder):
    """The answer to the underwriter's question that is open for an order. Other fields as in CounterOfferAnswered."""

    type: Literal["information.provided"]
    schema_version: Literal[1]
    answer: LongText
    answered_by: ShortText | None = None


class WithdrawalRequested(_AboutOrder):
    """The customer does not want the order any more; possible until it is issued. Other fields as above."""

    type: Literal["withdrawal.requested"]
    schema_version: Literal[1]
    reason: ShortText
    answered_by: ShortText | None = None


Answer = CounterOfferAnswered | InformationProvided | WithdrawalRequested
"""What a channel says about an order that it placed before."""

ChannelMessage = OrderPlaced | PaymentReported | LossReported | Answer
CHANNEL_MESSAGES: tuple[type[ChannelMessage], ...] = (
    OrderPlaced,
    PaymentReported,
    LossReported,
    CounterOfferAnswered,
    InformationProvided,
    WithdrawalRequested,
)
