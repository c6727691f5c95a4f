"""A tariff made ready for pricing: for each coverage the look-ups that it takes, compiled once per product version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import assert_never

from services.quote.domain.products.rating.lookup import (
    Entry,
    Lookup,
    NoRate,
    Values,
    by_band,
    by_count,
    by_percent,
    by_table,
    by_value,
    flat,
)
from services.quote.domain.products.rating.no_claims import bonus_malus_after, bonus_malus_after_clean, explained_level
from services.quote.domain.products.ratio import Ratio
from services.quote.domain.products.rules import Fact
from services.quote.domain.products.tariff import (
    BandFactor,
    BonusMalusFactor,
    CountFactor,
    CoverageRate,
    Loading,
    NoClaimsFactor,
    PercentFactor,
    RatingFactor,
    TableFactor,
    Tariff,
    ValueFactor,
)

ORDER_FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        "insured_count": Fact("risk", numeric=True),
        "coverage_count": Fact("coverages", numeric=True),
        "sum_insured_minor": Fact("coverages", numeric=True),
        "frequency": Fact("frequency"),
    }
)
"""What every order tells, whatever its line; tables and factors may ask for it as for the facts of the line."""


@dataclass(frozen=True, slots=True)
class CompiledLoading:
    """A loading of a coverage: percent of the premium before loadings, or minor units."""

    name: str
    is_percent: bool
    find: Lookup


@dataclass(frozen=True, slots=True)
class CompiledCoverage:
    """What prices one coverage; `asks_order` where a look-up reads a fact of the order."""

    rate: Lookup
    per_mille: bool
    factors: tuple[Lookup, ...]
    loadings: tuple[CompiledLoading, ...]
    asks_order: bool


@dataclass(frozen=True, slots=True)
class RatingPlan:
    """Made by `of`; holds plain look-up structures and remembers what was looked up."""

    tariff: Tariff
    coverages: Mapping[str, CompiledCoverage]

    @staticmethod
    def of(tariff: Tariff) -> "RatingPlan":
        """The plan of a tariff. Raises ValueError where one of its tables cannot be read."""
        # A factor's look-up is shared by its coverages, so that what one has learnt serves all.
        factors = [(factor, _factor(factor, tariff, place)) for place, factor in enumerate(tariff.factors)]
        loadings = [(loading, _loading(loading, tariff, place)) for place, loading in enumerate(tariff.loadings)]
        compiled: dict[str, CompiledCoverage] = {}
        for code, coverage in tariff.rates.items():
            rate = _rate(code, coverage, tariff)
            own = tuple(find for factor, find in factors if applies(factor.coverages, code))
            added = tuple(find for loading, find in loadings if applies(loading.coverages, code))
            asked = {fact for find in (rate, *own, *(each.find for each in added)) for fact in find.facts}
            asks_order = not asked.isdisjoint(ORDER_FACTS)
            compiled[code] = CompiledCoverage(rate, coverage.basis == "per-mille", own, added, asks_order)
        return RatingPlan(tariff, compiled)


def applies(coverages: Sequence[str], code: str) -> bool:
    """Whether a part of a tariff that names these coverages is for this one; naming none means all."""
    return not coverages or code in coverages


def _rate(code: str, rate: CoverageRate, tariff: Tariff) -> Lookup:
    origin, row = f"{rate.basis} rate of {code}", f"rates.{code}"
    if rate.table is not None:
        return by_table(tariff.tables[rate.table], f"{origin}, table {rate.table}", f"tables.{rate.table}.rows")
    if rate.amount is not None:
        return flat(rate.amount, origin, f"{row}.amount")
    return by_band(rate.fact or "", rate.bands, origin, f"{row}.bands")


def _factor(factor: RatingFactor, tariff: Tariff, place: int) -> Lookup:
    origin, row = f"factor {factor.name}", f"factors.{place}"
    match factor:
        case ValueFactor():
            return by_value(factor.fact, factor.values, origin, f"{row}.values")
        case BandFactor():
            return by_band(factor.fact, factor.bands, origin, f"{row}.bands")
        case PercentFactor():
            return by_percent(factor.fact, origin, row)
        case CountFactor():
            return by_count(factor.fact, origin, row)
        case TableFactor():
            return by_table(tariff.tables[factor.table], origin, f"tables.{factor.table}.rows")
        case NoClaimsFactor():
            return _no_claims(factor, origin, row)
        case BonusMalusFactor():
            return _bonus_malus(factor, origin, row)
        case _:
            assert_never(factor)


def _loading(loading: Loading, tariff: Tariff, place: int) -> CompiledLoading:
    origin, row = f"loading {loading.name}", f"loadings.{place}"
    name = loading.percent_table or loading.amount_table
    if name is not None:
        find = by_table(tariff.tables[name], origin, f"tables.{name}.rows")
        return CompiledLoading(loading.name, loading.percent_table is not None, find)
    if loading.percent is not None:
        return CompiledLoading(loading.name, True, flat(loading.percent, origin, f"{row}.percent"))
    amount = Ratio(loading.amount_minor or 0, 1, str(loading.amount_minor))
    return CompiledLoading(loading.name, False, flat(amount, origin, f"{row}.amount_minor"))


def _no_claims(factor: NoClaimsFactor, origin: str, row: str) -> Lookup:
    optional = (factor.gap_months, factor.transferred, factor.last_level)
    # A fact that the factor does not name is one that nobody is ever told.
    facts = (factor.claims, factor.years, *(fact or "" for fact in optional))

    def find(values: Values) -> Entry:
        claims, years, gap_months, transferred, last_level = values
        is_new_owner = transferred == "yes"
        # A new owner begins anew, whatever the former one's history was.
        if not is_new_owner and not (isinstance(claims, int) and isinstance(years, int)):
            raise NoRate(f"{factor.claims} and {factor.years}, which must both be told")
        level, reason = explained_level(
            factor.scale,
            claims if isinstance(claims, int) else 0,
            years if isinstance(years, int) else 0,
            gap_months=gap_months if isinstance(gap_months, int) else 0,
            transferred=is_new_owner,
            last_level=last_level if isinstance(last_level, int) else None,
        )
        ratio = factor.levels.get(str(level))
        if ratio is None:
            raise NoRate(f"no-claims level {level}")
        said = f"{origin}, {_told(facts, values)}: {reason}, level {level}"
        return Entry(ratio.numerator, ratio.denominator, ratio.text, said, f"{row}.levels.{level}")

    return Lookup(facts, find, optional=True)


def _bonus_malus(factor: BonusMalusFactor, origin: str, row: str) -> Lookup:
    facts = (factor.coefficient, factor.full_fault, factor.half_fault or "", factor.clean_years or "")

    def find(values: Values) -> Entry:
        before, full, half, clean = values
        if not isinstance(before, int) or not isinstance(full, int) or before <= 0:
            raise NoRate(f"{factor.coefficient} and {factor.full_fault}, which must both be told")
        half = half if isinstance(half, int) else 0
        if isinstance(clean, int) and full == half == 0:
            after = bonus_malus_after_clean(before, clean)
        else:
            after = bonus_malus_after(before, full, half)
        return Entry(after, 100, f"{after} %", f"{origin}, {_told(facts, values)}: coefficient {after}", row)

    return Lookup(facts, find, optional=True)


def _told(facts: Sequence[str], values: Values) -> str:
    return ", ".join(f"{fact} {value}" for fact, value in zip(facts, values, strict=True) if value is not None)
