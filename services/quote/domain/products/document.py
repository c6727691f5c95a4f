"""The product document: all that makes a product what it is, as data, published once and never edited."""

import json
from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, Strict

from contracts.vocabulary.identifiers import BookCode, ChannelCode, CoverageCode, ProductCode, RegionCode
from contracts.vocabulary.lines import ProductLine
from contracts.vocabulary.money import AMOUNT_MINOR_MAX, Currency, NonNegativeMinor, PositiveMinor
from contracts.vocabulary.persons import DISCLOSURES_MAX
from contracts.vocabulary.products import COVERAGES_MAX, PaymentFrequency, PremiumSplit, SettlementMethod
from services.quote.domain.products.coverage import Plan, PlannedCoverage
from services.quote.domain.products.disclosures import DisclosureQuestion
from services.quote.domain.products.group_terms import GroupTerms
from services.quote.domain.products.launch import Coinsured, Requirement, Wording
from services.quote.domain.products.part import DocumentPart, Title
from services.quote.domain.products.tariff import Tariff
from services.quote.domain.products.underwriting import RULES_MAX, ReferralTerms, UnderwritingRule
from services.quote.domain.products.vehicle_terms import VehicleTerms

VERSION_MAX = 9_999
TERM_MONTHS_MAX = 120
PAY_WITHIN_DAYS_MAX = 365
TOLERANCE_BP_MAX = 10_000
DOCUMENT_CHARACTERS_MAX = 100_000
"""A document travels in one event, and events are limited in size."""


class PremiumLimits(DocumentPart):
    """What a channel may quote for one coverage, both included; zero always means not bought."""

    at_least_minor: NonNegativeMinor = 0
    at_most_minor: PositiveMinor = AMOUNT_MINOR_MAX


class ReferenceTariff(DocumentPart):
    """A tariff that quoted prices are held against, and how far they may be from it in basis points."""

    tariff: Tariff
    tolerance_bp: Annotated[int, Strict(), Field(ge=0, le=TOLERANCE_BP_MAX)]


class QuotedPricing(DocumentPart):
    """The channel's own prices hold, coverage by coverage, within the limits given."""

    method: Literal["quoted"]
    limits: dict[CoverageCode, PremiumLimits] = Field(default_factory=dict)
    reference: ReferenceTariff | None = None


class TariffPricing(DocumentPart):
    """Our tariff decides; the order's total may be off by `tolerance_minor` for the channel's rounding."""

    method: Literal["tariff"]
    tariff: Tariff
    tolerance_minor: NonNegativeMinor = 0


Pricing: TypeAlias = Annotated[QuotedPricing | TariffPricing, Field(discriminator="method")]


class ProductDocument(DocumentPart):
    """One version of a product.

    Sale days are days in UTC, `on_sale_until` being the last one. `channels` and `regions` null mean any;
    `book` is the shared book whose contract numbers its orders use. Basis points of `split` add up to
    10,000. Where cover waits for the money, an accepted order that is not paid within `pay_within_days` (null: no
    limit) expires. Claims up to `straight_through_claim_minor` need no person; null means all of them. What holds for
    all coverages together stands in `plan`, what the buyer is asked in `disclosures`, a group's classes in `group`.
    """

    code: ProductCode
    version: Annotated[int, Strict(), Field(ge=1, le=VERSION_MAX)]
    title: Title
    line: ProductLine
    book: BookCode | None = None
    currency: Currency
    on_sale_from: date
    on_sale_until: date | None = None
    channels: Annotated[tuple[ChannelCode, ...], Field(min_length=1)] | None = None
    term_months: Annotated[int, Strict(), Field(ge=1, le=TERM_MONTHS_MAX)] = 12
    settlement: SettlementMethod
    pay_within_days: Annotated[int, Strict(), Field(ge=1, le=PAY_WITHIN_DAYS_MAX)] | None = None
    frequencies: Annotated[tuple[PaymentFrequency, ...], Field(min_length=1)]
    split: PremiumSplit
    coverages: Annotated[tuple[PlannedCoverage, ...], Field(min_length=1, max_length=COVERAGES_MAX)]
    pricing: Pricing
    underwriting: Annotated[tuple[UnderwritingRule, ...], Field(max_length=RULES_MAX)] = ()
    referrals: ReferralTerms = ReferralTerms()
    straight_through_claim_minor: NonNegativeMinor | None = None
    plan: Plan = Plan()
    disclosures: Annotated[tuple[DisclosureQuestion, ...], Field(max_length=DISCLOSURES_MAX)] = ()
    group: GroupTerms | None = None
    regions: Annotated[tuple[RegionCode, ...], Field(min_length=1)] | None = None
    coinsurance: Coinsured | None = None
    wording: Wording | None = None
    requirement: Requirement | None = None
    vehicle: VehicleTerms | None = None

    def canonical(self) -> str:
        """The document as JSON text that is the same for the same content."""
        content = self.model_dump(mode="json")
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def tariff(self) -> Tariff | None:
        """The tariff that prices the product, or that quoted prices are held against."""
        match self.pricing:
            case TariffPricing():
                return self.pricing.tariff
            case QuotedPricing():
                return None if self.pricing.reference is None else self.pricing.reference.tariff
