"""Tariffs: rates by band and factors by fact, multiplied exactly and rounded once for each coverage."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, Strict

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.identifiers import CoverageCode
from services.quote.domain.products.part import DocumentPart, FactName, PlainText
from services.quote.domain.products.ratio import PER_MILLE, Exact, Ratio, RatioText, product, total
from services.quote.domain.products.rules import Subject

Bound = Annotated[int, Strict(), Field(ge=0, le=10_000)]


class RatedBand(DocumentPart):
    """The ratio that holds from one value of a numeric fact to another, both included."""

    at_least: Bound
    at_most: Bound
    ratio: RatioText


class CoverageRate(DocumentPart):
    """The yearly price of a coverage for one subject.

    `per-mille` rates are thousandths of the sum insured; `minor` rates are minor units of the currency.
    """

    basis: Literal["per-mille", "minor"]
    fact: FactName
    bands: Annotated[tuple[RatedBand, ...], Field(min_length=1, max_length=200)]


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


RatingFactor: TypeAlias = Annotated[ValueFactor | BandFactor | PercentFactor, Field(discriminator="kind")]
"""A factor applies to the coverages that it names, to all of them where it names none."""


class Tariff(DocumentPart):
    """Rates by coverage, and the factors on them."""

    rates: Annotated[dict[CoverageCode, CoverageRate], Field(min_length=1)]
    factors: Annotated[tuple[RatingFactor, ...], Field(max_length=50)] = ()


@dataclass(frozen=True, slots=True)
class RatedStep:
    """One factor of a price: `value` is what was multiplied, `origin` where it comes from."""

    coverage: str
    subject: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Rating:
    """The tariff's price of each coverage in minor units, the steps to it, or why there is none."""

    premiums: dict[str, int]
    steps: tuple[RatedStep, ...]
    faults: tuple[Fault, ...]


class NoRate(Exception):
    """The tariff has no entry for a fact; never priced at zero instead."""


def rate(tariff: Tariff, bought: Iterable[tuple[str, int | None]], subjects: Sequence[Subject]) -> Rating:
    """The yearly premium of each coverage bought, given as (code, sum insured in minor units).

    All subjects' exact prices are added before the one rounding of a coverage. A missing rate is a
    `no_rate` fault at the subject that it is missing for.
    """
    premiums: dict[str, int] = {}
    steps: list[RatedStep] = []
    faults: list[Fault] = []
    for code, sum_insured_minor in bought:
        parts: list[Exact] = []
        for subject in subjects:
            if not subject.is_insured_by(code):
                continue
            try:
                found = list(_ratios(tariff, code, subject.sum_insured_minor(code, sum_insured_minor), subject))
            except NoRate as missing:
                message = f"the tariff of coverage {code} has no rate for {missing}; this risk cannot be priced"
                faults.append(Fault(code=FaultCode.NO_RATE, path=subject.path, message=message))
                continue
            # The first entry is the rate itself: minor units, or a share of the sum insured.
            parts.append(product(1, (ratio for ratio, _, _ in found)))
            steps += [RatedStep(code, subject.path, value, origin) for _, value, origin in found]
        premiums[code] = total(parts).rounded_minor()
    return Rating(premiums, tuple(steps), tuple(faults))


def _ratios(
    tariff: Tariff, code: str, sum_insured_minor: int | None, subject: Subject
) -> Iterator[tuple[Ratio, str, str]]:
    coverage = tariff.rates.get(code)
    if coverage is None:
        raise NoRate("this coverage")
    ratio = _banded(coverage.bands, coverage.fact, subject)
    yield ratio, ratio.text, f"{coverage.basis} rate of {code}, {coverage.fact} {subject.facts[coverage.fact]}"
    if coverage.basis == "per-mille":
        if sum_insured_minor is None:
            raise NoRate("a coverage without a sum insured")
        insured = Ratio(sum_insured_minor, 1, str(sum_insured_minor))
        yield insured, insured.text, "sum insured in minor units"
        yield PER_MILLE, PER_MILLE.text, "per mille"
    for factor in tariff.factors:
        if not factor.coverages or code in factor.coverages:
            ratio = _ratio(factor, subject)
            yield ratio, ratio.text, f"factor {factor.name}, {factor.fact} {subject.facts[factor.fact]}"
    if subject.counted_as:
        yield Ratio(subject.count, 1, str(subject.count)), str(subject.count), subject.counted_as


def _ratio(factor: ValueFactor | BandFactor | PercentFactor, subject: Subject) -> Ratio:
    match factor:
        case ValueFactor():
            ratio = factor.values.get(str(subject.facts.get(factor.fact)))
            if ratio is None:
                raise NoRate(f"{factor.fact} {subject.facts.get(factor.fact, 'not told')}")
            return ratio
        case BandFactor():
            return _banded(factor.bands, factor.fact, subject)
        case PercentFactor():
            percent = subject.facts.get(factor.fact)
            if not isinstance(percent, int):
                raise NoRate(f"{factor.fact} not told")
            return Ratio(percent, 100, f"{percent} %")


def _banded(bands: Sequence[RatedBand], fact: str, subject: Subject) -> Ratio:
    value = subject.facts.get(fact)
    for band in bands:
        if isinstance(value, int) and band.at_least <= value <= band.at_most:
            return band.ratio
    raise NoRate(f"{fact} {'not told' if value is None else value}")
