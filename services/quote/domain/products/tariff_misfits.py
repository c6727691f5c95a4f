"""Whether the parts of a tariff fit each other, the plan and the line: each misfit with its path and how to mend it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from contracts.vocabulary.faults import Fault, FaultCode
from services.quote.domain.products.coverage import PlannedCoverage
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.rate_table import NUMBER_MAX, Range
from services.quote.domain.products.rating.plan import ORDER_FACTS
from services.quote.domain.products.rules import Fact
from services.quote.domain.products.table_misfits import Known, table_misfits
from services.quote.domain.products.tariff import (
    BandFactor,
    CoverageRate,
    Discount,
    Loading,
    MonthsBegun,
    NoClaimsFactor,
    NoClaimsScale,
    RatedBand,
    ShortPeriod,
    TableFactor,
    Tariff,
    ValueFactor,
    facts_read,
)

NAMED_MAX = 5
"""Values that one sentence names; a wrong fact makes hundreds."""

_HUNDRED = 100


def tariff_misfits(tariff: Tariff, path: str, document: ProductDocument, facts: Mapping[str, Fact]) -> Iterator[Fault]:
    """Everything in a tariff that the document cannot be published with; `facts` are those of the line."""
    known = Known({**facts, **ORDER_FACTS}, _accepted(document))
    plan = {coverage.code: coverage for coverage in document.coverages}
    for code in plan.keys() - tariff.rates.keys():
        yield _fault(f"{path}.rates", f"coverage {code} has no rate; every coverage of the plan needs one")
    for code, rate in tariff.rates.items():
        yield from _rate_misfits(f"{path}.rates.{code}", code, rate, plan.get(code), known)
    yield from _factor_misfits(tariff, path, plan, known)
    for place, loading in enumerate(tariff.loadings):
        where = f"{path}.loadings.{place}"
        yield from _unplanned(where, loading.coverages, plan)
        yield from _loading_misfits(where, loading)
    for place, discount in enumerate(tariff.discounts):
        yield from _unplanned(f"{path}.discounts.{place}", discount.coverages, plan)
        yield from _discount_misfits(f"{path}.discounts.{place}", discount)
    yield from _table_use_misfits(tariff, path)
    for name, table in tariff.tables.items():
        priced = name in {used for _, used, priced in _tables_used(tariff) if priced}
        yield from table_misfits(f"{path}.tables.{name}", table, known, may_be_zero=not priced)
    yield from scale_misfits(tariff.short_period, f"{path}.short_period", document.term_months)
    if tariff.minimum is not None:
        for code in tariff.minimum.per_coverage_minor.keys() - plan.keys():
            where = f"{path}.minimum.per_coverage_minor.{code}"
            yield _fault(where, f"coverage {code} is not in the plan; add it there or remove this")


def _accepted(document: ProductDocument) -> Mapping[str, Range]:
    """The numbers that underwriting lets through, by fact."""
    found: dict[str, Range] = {}
    for rule in document.underwriting:
        if rule.is_range and rule.fact is not None:
            low, high = found.get(rule.fact, (-NUMBER_MAX, NUMBER_MAX))
            own_low = low if rule.at_least is None else rule.at_least
            own_high = high if rule.at_most is None else rule.at_most
            found[rule.fact] = (max(low, own_low), min(high, own_high))
    return found


def _fault(path: str, message: str) -> Fault:
    return Fault(code=FaultCode.INVALID_FIELD, path=path, message=message)


def _rate_misfits(
    where: str, code: str, rate: CoverageRate, planned: PlannedCoverage | None, known: Known
) -> Iterator[Fault]:
    ways = [rate.fact is not None or bool(rate.bands), rate.table is not None, rate.amount is not None]
    if ways.count(True) != 1:
        yield _fault(where, "give either fact and bands, or table, or amount")
    elif ways[0]:
        if rate.fact is None:
            yield _fault(f"{where}.fact", "is required; name the fact that the bands are of")
        elif not rate.bands:
            yield _fault(f"{where}.bands", "is required; add the bands of the fact")
        else:
            yield from known.misfits(f"{where}.fact", rate.fact, numeric=True)
            yield from _band_misfits(f"{where}.bands", rate.fact, rate.bands, known)
    if planned is None:
        yield _fault(where, f"coverage {code} is not in the plan; add it there or remove its rate")
    elif rate.basis == "per-mille" and not planned.may_be_rated_per_mille:
        yield _fault(f"{where}.basis", f"coverage {code} has no sum insured that a per-mille rate could apply to")


def _factor_misfits(tariff: Tariff, path: str, plan: Mapping[str, PlannedCoverage], known: Known) -> Iterator[Fault]:
    for place, factor in enumerate(tariff.factors):
        where = f"{path}.factors.{place}"
        for field, fact, numeric in facts_read(factor):
            yield from known.misfits(f"{where}.{field}", fact, numeric=numeric)
        yield from _unplanned(where, factor.coverages, plan)
        if isinstance(factor, BandFactor):
            yield from _band_misfits(f"{where}.bands", factor.fact, factor.bands, known)
        elif isinstance(factor, ValueFactor):
            never = [value for value in factor.values if known.never_told(factor.fact, value)]
            if never:
                yield _fault(f"{where}.values", known.unreachable(factor.fact, ", ".join(never[:NAMED_MAX])))
        elif isinstance(factor, NoClaimsFactor):
            yield from _level_misfits(where, factor)


def _unplanned(where: str, coverages: Sequence[str], plan: Mapping[str, PlannedCoverage]) -> Iterator[Fault]:
    unplanned = [code for code in coverages if code not in plan]
    for code in unplanned:
        yield _fault(f"{where}.coverages", f"coverage {code} is not in the plan")


def _band_misfits(path: str, fact: str, bands: Sequence[RatedBand], known: Known) -> Iterator[Fault]:
    low, high = known.accepted.get(fact, (-NUMBER_MAX, NUMBER_MAX))
    for place, band in enumerate(bands):
        if band.at_most < band.at_least:
            yield _fault(f"{path}.{place}", "at_most lies below at_least")
        elif band.at_most < low or band.at_least > high:
            yield _fault(f"{path}.{place}", f"can never be reached: underwriting accepts {fact} {low} to {high} only")
        if place and band.at_least <= bands[place - 1].at_most:
            yield _fault(f"{path}.{place}", "the band begins inside the one before it; order bands without overlap")
        elif place and band.at_least > bands[place - 1].at_most + 1:
            missing = f"{bands[place - 1].at_most + 1} to {band.at_least - 1}"
            yield _fault(f"{path}.{place}", f"there is a gap before it: {fact} {missing} has no rate; close it")
    if -NUMBER_MAX < low < bands[0].at_least:
        yield _fault(f"{path}.0", f"underwriting accepts {fact} from {low} on, and no band holds for it; add one")
    if bands[-1].at_most < high < NUMBER_MAX:
        last = f"{path}.{len(bands) - 1}"
        yield _fault(last, f"underwriting accepts {fact} up to {high}, and no band holds for it; add one")


def _level_misfits(where: str, factor: NoClaimsFactor) -> Iterator[Fault]:
    scale = factor.scale
    reached = range(min(scale.clean_level, -scale.years_max), scale.level_max + 1)
    for level in reached:
        if str(level) not in factor.levels and _is_reached(scale, level):
            yield _fault(f"{where}.levels", f"level {level} has no ratio; add it")
    for written in factor.levels:
        if int(written) not in reached or not _is_reached(scale, int(written)):
            yield _fault(f"{where}.levels.{written}", f"level {written} can never be reached on this scale; remove it")


def _is_reached(scale: NoClaimsScale, level: int) -> bool:
    # Without a claim the years count themselves; what is between the last of them and the clean level is skipped.
    return level >= -scale.years_max or level == scale.clean_level


def _loading_misfits(where: str, loading: Loading) -> Iterator[Fault]:
    ways = (loading.percent, loading.amount_minor, loading.percent_table, loading.amount_table)
    if sum(way is not None for way in ways) != 1:
        yield _fault(where, "give one of percent, amount_minor, percent_table and amount_table")


def _discount_misfits(where: str, discount: Discount) -> Iterator[Fault]:
    for place, step in enumerate(discount.steps):
        if step.percent.numerator >= _HUNDRED * step.percent.denominator:
            yield _fault(f"{where}.steps.{place}.percent", "a discount must leave something; keep it below 100 percent")
    for place, (before, after) in enumerate(pairwise(discount.steps)):
        if after.at_least <= before.at_least:
            message = "the step begins at or below the one before it, which can then never be reached; order them"
            yield _fault(f"{where}.steps.{place + 1}.at_least", message)


def _tables_used(tariff: Tariff) -> Iterator[tuple[str, str, bool]]:
    """Where a table is named, its name, and whether a price is multiplied by what it gives."""
    for code, rate in tariff.rates.items():
        if rate.table is not None:
            yield f"rates.{code}.table", rate.table, True
    for place, factor in enumerate(tariff.factors):
        if isinstance(factor, TableFactor):
            yield f"factors.{place}.table", factor.table, True
    for place, loading in enumerate(tariff.loadings):
        for field in ("percent_table", "amount_table"):
            name = getattr(loading, field)
            if name is not None:
                yield f"loadings.{place}.{field}", name, False


def _table_use_misfits(tariff: Tariff, path: str) -> Iterator[Fault]:
    used = list(_tables_used(tariff))
    for where, name, _ in used:
        if name not in tariff.tables:
            yield _fault(f"{path}.{where}", f"there is no table {name}; add it to tables or correct the name")
    for name in tariff.tables.keys() - {named for _, named, _ in used}:
        yield _fault(f"{path}.tables.{name}", "no rate, factor or loading uses this table; use it or remove it")


def scale_misfits(scale: ShortPeriod | None, path: str, months: int) -> Iterator[Fault]:
    """What is wrong with a scale of short terms at `path`, for a whole term of so many months."""
    if not isinstance(scale, MonthsBegun):
        return
    percents, where = scale.percents, f"{path}.percents"
    if len(percents) < months:
        message = f"a term begins up to {months} months and the table ends at {len(percents)}; add the rest"
        yield _fault(where, message)
    for place in range(months, len(percents)):
        yield _fault(f"{where}.{place}", f"can never be reached: a term has {months} months; remove it")
    for place, (before, after) in enumerate(pairwise(percents)):
        if after.numerator * before.denominator < before.numerator * after.denominator:
            yield _fault(f"{where}.{place + 1}", "a longer term costs less than a shorter one; let it rise")
    for place, percent in enumerate(percents):
        if percent.numerator > _HUNDRED * percent.denominator:
            yield _fault(f"{where}.{place}", "a shorter term costs more than the whole one; keep it at 100 or below")
