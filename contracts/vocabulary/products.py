"""What is insured and on which terms: lines, coverages, risks, split, settlement."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.vocabulary.identifiers import (
    BookCode,
    ChannelCode,
    ContractId,
    CoverageCode,
    ExternalNumber,
    ProductCode,
)
from contracts.vocabulary.model import ChannelModel, ContractModel, ShortText
from contracts.vocabulary.money import BASIS_POINTS, Currency, NonNegativeMinor, PositiveMinor
from contracts.vocabulary.time import CivilDate, CoverPeriod

COVERAGES_MAX = 50
INSUREDS_MAX = 50


class ProductLine(StrEnum):
    """Lines of business. A line is its product documents plus one small module in each service that differs."""

    HEALTH = "health"
    MOTOR = "motor"


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

AgeYears = Annotated[int, Field(ge=0, le=130)]
Gender = Literal["F", "M"]


class MotorRisk(ChannelModel):
    """A car and its usual driver, as quoted by the channel; free-text categories stay as they came."""

    line: Literal[ProductLine.MOTOR]
    driver_age: AgeYears
    driver_gender: Gender
    marital_status: ShortText | None = None
    occupation: ShortText | None = None
    licences: Annotated[int, Field(ge=0, le=20)] | None = None
    bonus_malus: Annotated[int, Field(ge=50, le=350)] = 100
    vehicle_age: AgeYears
    vehicle_class: ShortText
    vehicle_power: ShortText
    fuel: ShortText
    usage: ShortText
    garage: ShortText
    area: ShortText
    region: ShortText


class InsuredPerson(ChannelModel):
    """One insured of a health contract, as far as the tariff needs to know."""

    birth_date: CivilDate
    gender: Gender
    smoker: bool = False


class HealthRisk(ChannelModel):
    """The persons insured together under one health contract."""

    line: Literal[ProductLine.HEALTH]
    insureds: Annotated[tuple[InsuredPerson, ...], Field(min_length=1, max_length=INSUREDS_MAX)]


InsuredRisk = Annotated[MotorRisk | HealthRisk, Field(discriminator="line")]


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


class UnderwritingReason(ContractModel):
    """Why an application was referred or altered: the code of the product's rule, and its words."""

    code: str
    en: str
    zh: str
    path: str = ""
