"""On which terms cover is sold: coverages, split, coinsurance, settlement."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.vocabulary.identifiers import (
    BookCode,
    ChannelCode,
    ContractId,
    CoverageCode,
    ExternalNumber,
    ProductCode,
)
from contracts.vocabulary.lines import ProductLine
from contracts.vocabulary.model import ContractModel, ShortText
from contracts.vocabulary.money import BASIS_POINTS, Currency, NonNegativeMinor, PositiveMinor
from contracts.vocabulary.time import CoverPeriod
from contracts.vocabulary.wording import WordingReference

COVERAGES_MAX = 50
COINSURERS_MAX = 20


class SettlementMethod(StrEnum):
    """How the premium is settled: money first, or cover first and money per order or per period."""

    PAY_BEFORE_COVER = "pay-before-cover"
    PER_ORDER = "per-order"
    PERIODIC = "periodic"


class PaymentFrequency(StrEnum):
    """How often the yearly premium is invoiced."""

    ANNUAL = "annual"
    HALF_YEARLY = "half-yearly"
    QUARTERLY = "quarterly"
    MONTHLY = "monthly"

    @property
    def instalments(self) -> int:
        """Invoices a year."""
        return _INSTALMENTS[self]


_INSTALMENTS = {
    PaymentFrequency.ANNUAL: 1,
    PaymentFrequency.HALF_YEARLY: 2,
    PaymentFrequency.QUARTERLY: 4,
    PaymentFrequency.MONTHLY: 12,
}


class PremiumSplit(ContractModel):
    """Who gets which share of the premium, in basis points; the shares are the whole."""

    insurer_bp: Annotated[int, Field(ge=0, le=BASIS_POINTS)]
    commission_bp: Annotated[int, Field(ge=0, le=BASIS_POINTS)]
    platform_fee_bp: Annotated[int, Field(ge=0, le=BASIS_POINTS)]
    tax_bp: Annotated[int, Field(ge=0, le=BASIS_POINTS)]

    @model_validator(mode="after")
    def _shares_are_the_whole(self) -> Self:
        whole = self.insurer_bp + self.commission_bp + self.platform_fee_bp + self.tax_bp
        if whole != BASIS_POINTS:
            raise ValueError(f"premium split must add up to {BASIS_POINTS} basis points, not {whole}")
        return self


class CoinsuranceShare(ContractModel):
    """An insurer of a coinsured contract and its share in basis points."""

    insurer: ShortText
    share_bp: Annotated[int, Field(gt=0, lt=BASIS_POINTS)]


class Coinsurance(ContractModel):
    """Who insures one contract together: the leader, who deals with the customer, and its followers.

    The shares are the whole. `issuance_fee_bp`, of each follower's premium, goes to the leader and is
    settled apart from the premium.
    """

    leader: CoinsuranceShare
    followers: Annotated[tuple[CoinsuranceShare, ...], Field(min_length=1, max_length=COINSURERS_MAX - 1)]
    issuance_fee_bp: Annotated[int, Field(ge=0, le=BASIS_POINTS)] = 0

    @property
    def shares_bp(self) -> dict[str, int]:
        """Basis points by insurer, the leader first: weights for `split`."""
        return {share.insurer: share.share_bp for share in (self.leader, *self.followers)}


class CoverageTerms(ContractModel):
    """One coverage as sold: its price and, where limited, the most that it pays in the term."""

    code: CoverageCode
    premium_minor: NonNegativeMinor
    sum_insured_minor: PositiveMinor | None = None


class CoverTerms(ContractModel):
    """Everything that was agreed for one term of a contract; carried whole by the events that others act on."""

    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    contract_no: ExternalNumber
    book: BookCode | None = None
    product_code: ProductCode
    product_version: Annotated[int, Field(ge=1)]
    line: ProductLine
    period: CoverPeriod
    currency: Currency
    coverages: Annotated[tuple[CoverageTerms, ...], Field(min_length=1, max_length=COVERAGES_MAX)]
    premium_minor: NonNegativeMinor
    settlement: SettlementMethod
    frequency: PaymentFrequency
    split: PremiumSplit
    straight_through_claim_minor: NonNegativeMinor | None = None
    """Claims up to this sum are approved without a person; None means all of them."""
    coinsurance: Coinsurance | None = None
    """The insurers that carry the contract together; None for one insurer alone."""
    wording: WordingReference | None = None
    """The wording that the term was sold under; None where the product's document names none."""


class UnderwritingReason(ContractModel):
    """Why an application was referred or altered: the code of the product's rule, and its words."""

    code: str
    en: str
    zh: str
    path: str = ""
