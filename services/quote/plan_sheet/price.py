"""The chapters about price: rates, what changes them, shorter terms, how the premium is paid."""

from collections.abc import Iterator, Sequence

from services.quote.domain.products.coverage import PlannedCoverage
from services.quote.domain.products.document import ProductDocument, QuotedPricing, TariffPricing
from services.quote.domain.products.rate_table import ANY, NUMBER_MAX, RateTable, TableColumn, band_of
from services.quote.domain.products.ratio import Exact, Ratio
from services.quote.domain.products.tariff import (
    BandFactor,
    BonusMalusFactor,
    CountFactor,
    CoverageRate,
    Discount,
    Loading,
    MonthsBegun,
    NoClaimsFactor,
    PercentFactor,
    RatingFactor,
    ShortPeriod,
    TableFactor,
    Tariff,
    ValueFactor,
)
from services.quote.plan_sheet import markup
from services.quote.plan_sheet.words import Wordbook

_PER_MILLE = 1_000
_ROWS_MAX = 60
"""A longer table is a schedule of its own; nobody reads it on a page."""
_MONTHS_A_ROW = 12


def price(document: ProductDocument, words: Wordbook) -> str:
    """What the premium is, and all that is done to it."""
    pricing = document.pricing
    if isinstance(pricing, QuotedPricing):
        # The reference tariff is what the insurer holds quotes against; buyers see the limits alone.
        parts = [markup.paragraph(words.say("quoted"))]
        if pricing.limits:
            parts.append(_limits(pricing, words))
        return markup.section(words.say("price"), *parts)
    return markup.section(words.say("price"), *_tariff(pricing, document, words))


def payment(document: ProductDocument, words: Wordbook) -> str:
    """How often is paid, when cover starts, and what a shorter term costs."""
    offered = [
        (
            words.say(frequency),
            words.say("once") if frequency.instalments == 1 else words.say("instalments", frequency.instalments),
        )
        for frequency in document.frequencies
    ]
    parts = [markup.facts(offered), markup.paragraph(words.say(document.settlement))]
    if document.pay_within_days is not None:
        parts.append(markup.paragraph(words.say("pay_within", document.pay_within_days)))
    return markup.section(words.say("payment"), *parts)


def short_terms(document: ProductDocument, words: Wordbook) -> str:
    """What a term costs that is shorter than the product's."""
    short = None if document.tariff is None else document.tariff.short_period
    if short is None:
        return markup.section(words.say("short"), markup.paragraph(words.say("short_none", document.term_months)))
    return markup.section(
        words.say("short"), markup.paragraph(words.say(f"short_{short.method}")), *scale(short, words)
    )


def scale(short: ShortPeriod, words: Wordbook) -> Iterator[str]:
    """The percentages of a scale by months begun; a scale by day needs no table."""
    if isinstance(short, MonthsBegun):
        told = [(words.say("month_no", month), f"{ratio.text} %") for month, ratio in enumerate(short.percents, 1)]
        for first in range(0, len(told), _MONTHS_A_ROW):
            months, percents = zip(*told[first : first + _MONTHS_A_ROW], strict=True)
            rows = [(words.say("part_of_year"), *percents)]
            yield markup.table("", [words.say("months_begun"), *months], rows)


def _tariff(pricing: TariffPricing, document: ProductDocument, words: Wordbook) -> Iterator[str]:
    tariff = pricing.tariff
    yield markup.paragraph(words.say("tariff"))
    yield markup.beside(_rates(coverage, tariff, words) for coverage in document.coverages)
    if tariff.factors:
        yield markup.subheading(words.say("factors"))
        columns = [words.say(name) for name in ("factor", "when", "times", "applies_to")]
        rows = [row for factor in tariff.factors for row in _factor(factor, tariff, words)]
        yield markup.table("", columns, rows)
        for factor in tariff.factors:
            if isinstance(factor, NoClaimsFactor):
                scale = factor.scale
                figures = (scale.years_max, scale.clean_years, scale.clean_level, scale.level_max)
                gaps = (scale.gap_rises_months, scale.gap_resets_months)
                yield markup.paragraph(words.say("no_claims_scale", *figures, *gaps))
    extras: list[tuple[str, markup.Told]] = [
        *_loadings(tariff.loadings, words),
        *_discounts(tariff.discounts, words),
        *_minima(tariff, words),
    ]
    if tariff.tax is not None:
        extras.append((words.say("tax"), f"{tariff.tax.name}, {tariff.tax.percent.text} %"))
    if extras:
        yield markup.subheading(words.say("extras"))
        yield markup.facts(extras)
    if pricing.tolerance_minor:
        yield markup.paragraph(words.say("tolerance", words.money(pricing.tolerance_minor)))


def _limits(pricing: QuotedPricing, words: Wordbook) -> str:
    rows = [
        (words.coverage(code), words.span(words.money(limits.at_least_minor), words.money(limits.at_most_minor)))
        for code, limits in pricing.limits.items()
    ]
    return markup.table("", [words.say("coverage"), words.say("quote_range")], rows)


def _rates(coverage: PlannedCoverage, tariff: Tariff, words: Wordbook) -> str:
    rate, title = tariff.rates[coverage.code], words.title(coverage.title)
    if rate.table is not None:
        table = tariff.tables[rate.table]
        if len(table.rows) > _ROWS_MAX:
            return markup.table(title, [words.say("rate")], [[words.say("schedule", len(table.rows))]])
        columns = [words.fact(column.fact) for column in table.columns]
        keys = [_cells(table, row, words) for row in table.rows]
        ratios = [Ratio.or_zero(row[-1]) for row in table.rows]
    elif rate.amount is not None:
        columns, keys, ratios = [], [[]], [rate.amount]
    else:
        columns = [words.fact(rate.fact)] if rate.fact else []
        keys = [[words.band(rate.fact or "", band.at_least, band.at_most)] for band in rate.bands]
        ratios = [band.ratio for band in rate.bands]
    rows = [list(key) for key in keys]
    for heading, prices in _priced(rate, coverage, ratios, words):
        columns.append(heading)
        rows = [[*row, told] for row, told in zip(rows, prices, strict=True)]
    return markup.table(title, columns, rows)


def _cells(table: RateTable, row: Sequence[str], words: Wordbook) -> list[str]:
    """A row without its ratio; `*` holds for everything."""
    return [_cell(column, cell, words) for column, cell in zip(table.columns, row[:-1], strict=True)]


def _cell(column: TableColumn, cell: str, words: Wordbook) -> str:
    if cell == ANY:
        return words.say("any")
    if column.match == "value":
        return words.value(column.fact, cell)
    low, high = band_of(cell)
    return words.band(column.fact, low, None if high >= NUMBER_MAX else high)


def _priced(
    rate: CoverageRate, coverage: PlannedCoverage, ratios: Sequence[Ratio], words: Wordbook
) -> Iterator[tuple[str, list[str]]]:
    """Headings with a price for each ratio: the rate itself and what it comes to for the smallest sum insured."""
    if rate.basis == "minor":
        yield words.say("a_year"), [_price_of(Exact(1), ratio, words) for ratio in ratios]
        return
    yield words.say("rate"), [f"{ratio.text} ‰" for ratio in ratios]
    span = coverage.sum_insured_range
    offered = (*coverage.sums_insured_minor, *(() if span is None else (span.at_least_minor,)))
    if offered:
        smallest = min(offered)
        prices = [_price_of(Exact(smallest, _PER_MILLE), ratio, words) for ratio in ratios]
        yield words.say("premium_at", words.money(smallest)), prices


def _price_of(base: Exact, ratio: Ratio, words: Wordbook) -> str:
    return words.money(base.times(ratio.numerator, ratio.denominator).rounded_minor())


def _factor(factor: RatingFactor, tariff: Tariff, words: Wordbook) -> Iterator[tuple[str, str, str, str]]:
    """One row for each case; the factor's name stands in the first of them."""
    name, covers = _named(factor, tariff, words), words.coverages(factor.coverages)
    for case, times in _cases(factor, tariff, words):
        yield name, case, times, covers
        name = covers = ""


def _named(factor: RatingFactor, tariff: Tariff, words: Wordbook) -> str:
    """A factor by the facts that it looks at: its own name is of one language."""
    match factor:
        case ValueFactor() | BandFactor() | PercentFactor() | CountFactor():
            return words.fact(factor.fact)
        case TableFactor():
            return words.say("and").join(words.fact(column.fact) for column in tariff.tables[factor.table].columns)
        case NoClaimsFactor():
            return words.say("no_claims")
        case BonusMalusFactor():
            return words.fact(factor.coefficient)


def _cases(factor: RatingFactor, tariff: Tariff, words: Wordbook) -> Iterator[tuple[str, str]]:
    match factor:
        case ValueFactor():
            yield from ((words.value(factor.fact, value), ratio.text) for value, ratio in factor.values.items())
        case BandFactor():
            yield from (
                (words.band(factor.fact, band.at_least, band.at_most), band.ratio.text) for band in factor.bands
            )
        case TableFactor():
            table = tariff.tables[factor.table]
            if len(table.rows) > _ROWS_MAX:
                yield words.of("kinds", factor.kind, len(table.rows)), ""
                return
            for row in table.rows:
                yield words.say("and").join(_cells(table, row, words)), row[-1]
        case NoClaimsFactor():
            for level, ratio in factor.levels.items():
                yield words.of("kinds", factor.kind, level), ratio.text
        case _:
            yield words.of("kinds", factor.kind), ""


def _loadings(loadings: Sequence[Loading], words: Wordbook) -> Iterator[tuple[str, tuple[str, str]]]:
    for loading in loadings:
        if loading.percent is not None:
            told = words.say("loading", f"{loading.percent.text} %")
        elif loading.amount_minor is not None:
            told = words.say("loading", words.money(loading.amount_minor))
        else:
            told = words.say("loading_table")
        yield loading.name, (told, words.coverages(loading.coverages))


def _discounts(discounts: Sequence[Discount], words: Wordbook) -> Iterator[tuple[str, tuple[str, ...]]]:
    for discount in discounts:
        counted = str if discount.kind == "family" else words.money
        steps = [
            words.say(f"discount_{discount.kind}", counted(step.at_least), f"{step.percent.text} %")
            for step in discount.steps
        ]
        yield discount.name, (*steps, words.coverages(discount.coverages))


def _minima(tariff: Tariff, words: Wordbook) -> Iterator[tuple[str, str]]:
    least = tariff.minimum
    if least is None:
        return
    for code, amount in least.per_coverage_minor.items():
        yield words.say("minimum_coverage", words.coverage(code)), words.money(amount)
    for name, each in (("minimum_subject", least.per_subject_minor), ("minimum_order", least.per_order_minor)):
        if each is not None:
            yield words.say(name), words.money(each)
