"""Tariffs: rates by coverage, factors on them, loadings, discounts, least premiums, tax and short terms, as data."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, Strict, StringConstraints

from contracts.vocabulary.identifiers import CoverageCode
from contracts.vocabulary.money import PositiveMinor
from services.quote.domain.products.part import DocumentPart, FactName, PlainText
from services.quote.domain.products.rate_table import RateTable, TableName
from services.quote.domain.products.ratio import RatioText

TABLES_MAX = 100

Bound = Annotated[int, Strict(), Field(ge=0, le=10_000)]
Level = Annotated[str, StringConstraints(pattern=r"^(-?[1-9][0-9]?|0)$")]


class RatedBand(DocumentPart):
    """The ratio that holds from one value of a numeric fact to another, both included."""

    at_least: Bound
    at_most: Bound
    ratio: RatioText


class CoverageRate(DocumentPart):
    """The yearly price of a coverage for one subject: `bands` of one `fact`, a `table`, or one `amount` for all.

    `per-mille` rates are thousandths of the sum insured; `minor` rates are minor units of the currency.
    """

    basis: Literal["per-mille", "minor"]
    fact: FactName | None = None
    bands: Annotated[tuple[RatedBand, ...], Field(max_length=200)] = ()
    table: TableName | None = None
    amount: RatioText | None = None


class ValueFactor(DocumentPart):
    """Multiplies by the ratio of a category, such as gender F or M."""

    kind: Literal["value"]
    name: PlainText
    fact: FactName
    coverages: tuple[CoverageCode, ...] = ()
    values: Annotated[dict[PlainText, RatioText], Field(min_length=1, max_length=1000)]


class BandFactor(DocumentPart):
    """Multiplies by the ratio of the band that a number falls into."""

    kind: Literal["band"]
    name: PlainText
    fact: FactName
    coverages: tuple[CoverageCode, ...] = ()
    bands: Annotated[tuple[RatedBand, ...], Field(min_length=1, max_length=200)]


class PercentFactor(DocumentPart):
    """Multiplies by a number in hundredths, such as a bonus-malus coefficient of 95."""

    kind: Literal["percent"]
    name: PlainText
    fact: FactName
    coverages: tuple[CoverageCode, ...] = ()


class CountFactor(DocumentPart):
    """Multiplies by a number itself, such as the seats that are insured."""

    kind: Literal["count"]
    name: PlainText
    fact: FactName
    coverages: tuple[CoverageCode, ...] = ()


class TableFactor(DocumentPart):
    """Multiplies by what a table gives."""

    kind: Literal["table"]
    name: PlainText
    table: TableName
    coverages: tuple[CoverageCode, ...] = ()


class NoClaimsScale(DocumentPart):
    """How a no-claims level follows from claims and years: claims less years, at most `years_max` of them.

    `clean_years` years without a claim give `clean_level`. Within a gap of `gap_rises_months` to `gap_resets_months`
    without cover the level only rises; a longer gap, or a new owner, begins at 0.
    """

    years_max: Annotated[int, Strict(), Field(ge=1, le=20)] = 3
    clean_years: Annotated[int, Strict(), Field(ge=1, le=20)] = 4
    clean_level: Annotated[int, Strict(), Field(ge=-20, le=0)] = -4
    level_max: Annotated[int, Strict(), Field(ge=0, le=20)] = 5
    gap_rises_months: Annotated[int, Strict(), Field(ge=0, le=120)] = 3
    gap_resets_months: Annotated[int, Strict(), Field(ge=0, le=120)] = 6


class NoClaimsFactor(DocumentPart):
    """Multiplies by the ratio of the no-claims level (NCD) that the named facts lead to.

    `claims` counts the claims of the years looked at, `years` the years insured without a break. What an optional
    fact would tell and does not counts as no gap, no new owner, no level before. `transferred` is yes or no.
    """

    kind: Literal["no-claims"]
    name: PlainText
    claims: FactName
    years: FactName
    gap_months: FactName | None = None
    transferred: FactName | None = None
    last_level: FactName | None = None
    scale: NoClaimsScale = NoClaimsScale()
    coverages: tuple[CoverageCode, ...] = ()
    levels: Annotated[dict[Level, RatioText], Field(min_length=1, max_length=41)]


class BonusMalusFactor(DocumentPart):
    """Multiplies by the bonus-malus coefficient, in hundredths, that follows last year's `coefficient`.

    The French rule: 5 % less for a year without a claim, 25 % more for each claim of full fault, 12.5 % for half.
    Where `clean_years` names a fact and it is told, it is that many years without a claim (none leaves the
    coefficient as it is), and two of them end any malus; otherwise one year has gone by.
    """

    kind: Literal["bonus-malus"]
    name: PlainText
    coefficient: FactName
    full_fault: FactName
    half_fault: FactName | None = None
    clean_years: FactName | None = None
    coverages: tuple[CoverageCode, ...] = ()


RatingFactor: TypeAlias = Annotated[
    ValueFactor | BandFactor | PercentFactor | CountFactor | TableFactor | NoClaimsFactor | BonusMalusFactor,
    Field(discriminator="kind"),
]
"""A factor applies to the coverages that it names, to all of them where it names none."""


class Loading(DocumentPart):
    """Added to the price of each coverage that it names, for each subject: one of the four ways is given.

    Percentages are of the premium before loadings, so that their order does not matter.
    """

    name: PlainText
    coverages: tuple[CoverageCode, ...] = ()
    percent: RatioText | None = None
    amount_minor: PositiveMinor | None = None
    percent_table: TableName | None = None
    amount_table: TableName | None = None


class DiscountStep(DocumentPart):
    """From `at_least` on, `percent` off."""

    at_least: Annotated[int, Strict(), Field(ge=1, le=10**15)]
    percent: RatioText


class Discount(DocumentPart):
    """Off the premium after loadings: the last step that is reached counts, several discounts multiply.

    `family` counts the persons insured by the order; `volume` the order's yearly premium in minor units before it.
    """

    kind: Literal["family", "volume"]
    name: PlainText
    coverages: tuple[CoverageCode, ...] = ()
    steps: Annotated[tuple[DiscountStep, ...], Field(min_length=1, max_length=50)]


class MinimumPremium(DocumentPart):
    """The least that is charged, in minor units, for a short term too: for a coverage, a subject, the order."""

    per_coverage_minor: dict[CoverageCode, PositiveMinor] = Field(default_factory=dict)
    per_subject_minor: PositiveMinor | None = None
    per_order_minor: PositiveMinor | None = None


class InsideTax(DocumentPart):
    """A tax that the premium holds already: kept in the working, it changes no price and no split."""

    name: PlainText
    percent: RatioText


class ByDay(DocumentPart):
    """A shorter term costs its share of the days of the whole one."""

    method: Literal["by-day"]


class MonthsBegun(DocumentPart):
    """A shorter term costs the percentage of the months that it begins: the first entry is for one month."""

    method: Literal["months-begun"]
    percents: Annotated[tuple[RatioText, ...], Field(min_length=1, max_length=120)]


ShortPeriod: TypeAlias = Annotated[ByDay | MonthsBegun, Field(discriminator="method")]


class Tariff(DocumentPart):
    """Rates by coverage, and everything that is done to them, in the order of the fields.

    Base x factors = premium before loadings; + loadings; less discounts; x short term; at least the minimum of a
    subject; rounded once for each coverage; at least the minima of coverage and order. `short_period` absent means
    that no shorter term is sold.
    """

    tables: Annotated[dict[TableName, RateTable], Field(max_length=TABLES_MAX)] = Field(default_factory=dict)
    rates: Annotated[dict[CoverageCode, CoverageRate], Field(min_length=1)]
    factors: Annotated[tuple[RatingFactor, ...], Field(max_length=50)] = ()
    loadings: Annotated[tuple[Loading, ...], Field(max_length=50)] = ()
    discounts: Annotated[tuple[Discount, ...], Field(max_length=10)] = ()
    short_period: ShortPeriod | None = None
    minimum: MinimumPremium | None = None
    tax: InsideTax | None = None


def _unsaid(text: str) -> bool:
    return not text


@dataclass(slots=True)
class RatedStep:
    """One step of a price: `value` is what was reckoned with, `origin` where it comes from.

    `kind` is empty for what was multiplied, otherwise loading, discount, short-period, minimum or tax; `row` is the
    path below the document's tariff to the entry that gave the value.
    """

    # Not frozen: it is made dozens of times for each order, and freezing would make that four times as slow.
    coverage: str
    subject: str
    value: str
    origin: str
    row: Annotated[str, Field(exclude_if=_unsaid)] = ""
    kind: Annotated[str, Field(exclude_if=_unsaid)] = ""


def facts_read(factor: RatingFactor) -> Iterator[tuple[str, str, bool]]:
    """The facts that a factor reads itself, as (field of the factor, fact, whether it must be a number)."""
    match factor:
        case ValueFactor():
            yield "fact", factor.fact, False
        case BandFactor() | PercentFactor() | CountFactor():
            yield "fact", factor.fact, True
        case NoClaimsFactor():
            numbers = ("claims", "years", "gap_months", "last_level")
            named = ((name, getattr(factor, name)) for name in numbers)
            yield from ((name, fact, True) for name, fact in named if fact is not None)
            if factor.transferred is not None:
                yield "transferred", factor.transferred, False
        case BonusMalusFactor():
            yield "coefficient", factor.coefficient, True
            yield "full_fault", factor.full_fault, True
            optional = (("half_fault", factor.half_fault), ("clean_years", factor.clean_years))
            yield from ((name, fact, True) for name, fact in optional if fact is not None)
        case TableFactor():
            return
