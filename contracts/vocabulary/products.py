"""What is insured and on which terms: lines, coverages, risks, split, settlement."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, PlainValidator, StringConstraints, TypeAdapter, WithJsonSchema, model_validator

from contracts.vocabulary.claims_history import ClaimsHistory
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
from contracts.vocabulary.wording import WordingReference

COVERAGES_MAX = 50
INSUREDS_MAX = 50
DRIVERS_MAX = 20
DISCLOSURES_MAX = 100
MEMBERS_MAX = 3_000
"""Members of one census. A row with a birth date and no name is 80 bytes, so 3,200 of them would fit a channel
message of 256 KiB, and 2,600 with names; the log writes each one longer and holds the whole order in one event."""

_ANSWER_NUMBER_MAX = 10**9
COINSURERS_MAX = 20


class ProductLine(StrEnum):
    """Lines of business. A line is its product documents plus one small module in each service that differs."""

    HEALTH = "health"
    MOTOR = "motor"
    GROUP = "group"


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
Relation = Literal["self", "spouse", "child", "parent"]
"""What an insured person is to the policyholder; in a group, to the employee."""

ClassCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,39}$")]
DisclosureCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,27}$")]

_SHORT_TEXT: TypeAdapter[str] = TypeAdapter(ShortText)


def _answer(value: object) -> bool | int | str:
    # One sentence for all kinds: which of them a question wants, only the product's document knows.
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= _ANSWER_NUMBER_MAX):
        return value
    if isinstance(value, str):
        return _SHORT_TEXT.validate_python(value)
    raise ValueError("it must be true, false, a whole number or a text")


Answer = Annotated[
    bool | int | str,
    PlainValidator(_answer),
    WithJsonSchema({"type": ["boolean", "integer", "string"], "maxLength": 100}),
]
Disclosures = Annotated[dict[DisclosureCode, Answer], Field(max_length=DISCLOSURES_MAX)]
"""Answers to the questions of a product's document, by the question's code."""


class Vehicle(ChannelModel):
    """What identifies a car and says what it is worth new, in minor units."""

    plate_no: ShortText | None = None
    vin: Annotated[str, StringConstraints(pattern=r"^[A-HJ-NPR-Z0-9]{17}$")] | None = None
    model: ShortText | None = None
    first_registered: CivilDate | None = None
    seats: Annotated[int, Field(ge=1, le=100)] | None = None
    value_minor: PositiveMinor | None = None


class Driver(ChannelModel):
    """A person who drives the car."""

    birth_date: CivilDate
    gender: Gender | None = None
    licensed_on: CivilDate | None = None
    name: ShortText | None = None


class MotorRisk(ChannelModel):
    """A car and its usual driver, as quoted by the channel; free-text categories stay as they came.

    `drivers` names everybody who drives, the usual driver too. `bonus_malus` is the coefficient as the channel
    states it; from a `claims_history` the insurer computes coefficient or no-claims level itself.
    """

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
    vehicle: Vehicle | None = None
    drivers: Annotated[tuple[Driver, ...], Field(min_length=1, max_length=DRIVERS_MAX)] | None = None
    claims_history: ClaimsHistory | None = None


class InsuredPerson(ChannelModel):
    """One insured of a health contract, as far as tariff and underwriting need to know."""

    birth_date: CivilDate
    gender: Gender
    smoker: bool = False
    relation: Relation | None = None
    social_insurance: bool | None = None
    disclosures: Disclosures | None = None


class HealthRisk(ChannelModel):
    """The persons insured together under one health contract."""

    line: Literal[ProductLine.HEALTH]
    insureds: Annotated[tuple[InsuredPerson, ...], Field(min_length=1, max_length=INSUREDS_MAX)]


class Employer(ChannelModel):
    """The policyholder of a group contract."""

    name: ShortText
    registration_no: ShortText | None = None
    industry: ShortText | None = None


class GroupMember(ChannelModel):
    """One row of a census. `member_no` is the employer's own reference.

    `joins` is the first day that the member is covered, where cover begins after the contract's own first day;
    the name may come on that day, and `age` is told as of it.
    """

    member_no: ExternalNumber
    birth_date: CivilDate | None = None
    age: AgeYears | None = None
    gender: Gender
    cover_class: ClassCode
    relation: Relation = "self"
    name: ShortText | None = None
    joins: CivilDate | None = None

    @model_validator(mode="after")
    def _is_of_an_age(self) -> Self:
        if (self.birth_date is None) == (self.age is None):
            raise ValueError("give either birth_date or age")
        return self


class GroupRisk(ChannelModel):
    """An employer and the census of those whom it insures."""

    line: Literal[ProductLine.GROUP]
    employer: Employer
    members: Annotated[tuple[GroupMember, ...], Field(min_length=1, max_length=MEMBERS_MAX)]

    @model_validator(mode="after")
    def _each_member_once(self) -> Self:
        seen: set[str] = set()
        twice = [member.member_no for member in self.members if member.member_no in seen or seen.add(member.member_no)]  # type: ignore[func-returns-value]
        if twice:
            raise ValueError(f"each member stands in the census once; {twice[0]} comes again")
        return self


InsuredRisk = Annotated[MotorRisk | HealthRisk | GroupRisk, Field(discriminator="line")]


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
