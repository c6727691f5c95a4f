"""Lays a product document out as a plan sheet. How the premium is shared out is no buyer's business and stays out."""

from collections.abc import Iterator

from services.quote.domain.product_versions import digest_of
from services.quote.domain.products.coverage import PlannedCoverage
from services.quote.domain.products.document import ProductDocument, QuotedPricing
from services.quote.domain.products.launch import Coinsured, Wording
from services.quote.domain.products.life import SaleWindow
from services.quote.domain.products.ratio import Exact, Ratio
from services.quote.domain.products.tariff import BandFactor, CoverageRate, RatingFactor, Tariff, ValueFactor
from services.quote.plan_sheet import markup
from services.quote.plan_sheet.words import Language, Wordbook

_PER_MILLE = 1_000


def plan_sheet(document: ProductDocument, language: Language, sale: SaleWindow | None = None) -> str:
    """The page of a document: one self-contained HTML file. `sale` holds the days of sale if they were moved."""
    words = Wordbook(language)
    days = sale or SaleWindow(document.on_sale_from, document.on_sale_until)
    return markup.page(language, words.title(document.title), _body(document, days, words))


def _body(document: ProductDocument, days: SaleWindow, words: Wordbook) -> Iterator[str]:
    code = f"{document.code} · {words.say('version')} {document.version}"
    title = words.title(document.title)
    yield f"<header>{markup.paragraph(words.say('plan'))}{markup.heading(title)}{markup.paragraph(code)}</header>"
    yield markup.section(words.say("glance"), markup.facts(_glance(document, days, words)))
    yield _cover(document, words)
    yield _price(document, words)
    yield _buyers(document, words)
    yield _payment(document, words)
    if document.coinsurance is not None:
        yield _insurers(document.coinsurance, words)
    if document.wording is not None:
        yield _papers(document.wording, words)
    made_from = words.say("made_from", digest_of(document.canonical()))
    yield f"<footer>{markup.paragraph(words.say('binding'))}{markup.paragraph(made_from)}</footer>"


def _glance(document: ProductDocument, days: SaleWindow, words: Wordbook) -> Iterator[tuple[str, str]]:
    first, last = days.first, days.last
    yield words.say("line"), words.say(document.line)
    yield words.say("term"), words.say("months", document.term_months)
    yield words.say("currency"), document.currency
    yield words.say("sale"), words.say("from_day", first) if last is None else words.say("from_to", first, last)
    if document.regions is not None:
        yield words.say("regions"), words.say("and").join(document.regions)
    if document.channels is not None:
        yield words.say("channels"), words.say("and").join(document.channels)


def _cover(document: ProductDocument, words: Wordbook) -> str:
    columns = [words.say(name) for name in ("coverage", "required", "sum_insured")]
    rows = [
        (
            words.title(coverage.title),
            words.say("always" if coverage.mandatory else "choice"),
            _sums_insured(coverage, document.currency, words),
        )
        for coverage in document.coverages
    ]
    return markup.section(words.say("cover"), markup.table("", columns, rows))


def _sums_insured(coverage: PlannedCoverage, currency: str, words: Wordbook) -> str:
    sums = [words.money(amount, currency) for amount in coverage.sums_insured_minor]
    return " / ".join(sums) or words.say("no_sum")


def _price(document: ProductDocument, words: Wordbook) -> str:
    pricing = document.pricing
    if isinstance(pricing, QuotedPricing):
        # The reference tariff is what the insurer holds quotes against; buyers see the limits alone.
        parts = [markup.paragraph(words.say("quoted"))]
        if pricing.limits:
            parts.append(_limits(document, pricing, words))
        return markup.section(words.say("price"), *parts)
    rates = (_rates(coverage, pricing.tariff, document, words) for coverage in document.coverages)
    parts = [markup.paragraph(words.say("tariff")), markup.beside(rates)]
    if pricing.tariff.factors:
        parts.append(_factors(pricing.tariff, document, words))
    return markup.section(words.say("price"), *parts)


def _limits(document: ProductDocument, pricing: QuotedPricing, words: Wordbook) -> str:
    titles = _titles(document, words)
    rows = [
        (
            titles[code],
            words.span(
                words.money(limits.at_least_minor, document.currency),
                words.money(limits.at_most_minor, document.currency),
            ),
        )
        for code, limits in pricing.limits.items()
    ]
    return markup.table("", [words.say("coverage"), words.say("limits")], rows)


def _rates(coverage: PlannedCoverage, tariff: Tariff, document: ProductDocument, words: Wordbook) -> str:
    rate = tariff.rates[coverage.code]
    title = words.title(coverage.title)
    columns, rows = [words.say(rate.fact or "rate")], [[words.span(band.at_least, band.at_most)] for band in rate.bands]
    if not rows:
        # What takes more than one fact to look up is too long for a page that is read.
        return markup.table(title, [words.say("rate")], [[words.say("by_schedule")]])
    for heading, prices in _priced(rate, coverage, document.currency, words):
        columns.append(heading)
        rows = [[*row, price] for row, price in zip(rows, prices, strict=True)]
    return markup.table(title, columns, rows)


def _priced(
    rate: CoverageRate, coverage: PlannedCoverage, currency: str, words: Wordbook
) -> Iterator[tuple[str, list[str]]]:
    """Headings with a price for each band: the rate itself and what it comes to for the smallest sum insured."""
    if rate.basis == "minor":
        yield words.say("a_year"), [_price_of(Exact(1), band.ratio, currency, words) for band in rate.bands]
        return
    yield words.say("rate"), [f"{band.ratio.text} ‰" for band in rate.bands]
    if coverage.sums_insured_minor:
        smallest = min(coverage.sums_insured_minor)
        prices = [_price_of(Exact(smallest, _PER_MILLE), band.ratio, currency, words) for band in rate.bands]
        yield words.say("premium_at", words.money(smallest, currency)), prices


def _price_of(base: Exact, ratio: Ratio, currency: str, words: Wordbook) -> str:
    return words.money(base.times(ratio.numerator, ratio.denominator).rounded_minor(), currency)


def _factors(tariff: Tariff, document: ProductDocument, words: Wordbook) -> str:
    titles = _titles(document, words)
    columns = [words.say(name) for name in ("factor", "when", "times", "applies_to")]
    rows = []
    for factor in tariff.factors:
        covers = words.say("and").join(titles[code] for code in factor.coverages) or words.say("all")
        rows += [[words.say(factor.name), case, times, covers] for case, times in _cases(factor, words)]
    return markup.table("", columns, rows)


def _cases(factor: RatingFactor, words: Wordbook) -> Iterator[tuple[str, str]]:
    match factor:
        case ValueFactor():
            yield from ((words.say(value), ratio.text) for value, ratio in factor.values.items())
        case BandFactor():
            yield from ((words.span(band.at_least, band.at_most), band.ratio.text) for band in factor.bands)
        case _:
            yield words.say("by_schedule"), words.say("as_percent")


def _buyers(document: ProductDocument, words: Wordbook) -> str:
    ranges = [(rule.fact, rule) for rule in document.underwriting if rule.fact]
    rows = [(words.say(fact), words.span(rule.at_least, rule.at_most)) for fact, rule in ranges]
    if not rows:
        return markup.section(words.say("buyers"), markup.paragraph(words.say("anyone")))
    columns = [words.say("requirement"), words.say("accepted")]
    return markup.section(words.say("buyers"), markup.table("", columns, rows))


def _payment(document: ProductDocument, words: Wordbook) -> str:
    offered = [
        (
            words.say(frequency),
            words.say("once") if frequency.instalments == 1 else words.say("instalments", frequency.instalments),
        )
        for frequency in document.frequencies
    ]
    return markup.section(words.say("payment"), markup.facts(offered), markup.paragraph(words.say(document.settlement)))


def _insurers(coinsured: Coinsured, words: Wordbook) -> str:
    everyone = [(coinsured.leader, "leader"), *((follower, "follower") for follower in coinsured.followers)]
    rows = [(one.insurer, words.percent(one.share_bp), words.say(part)) for one, part in everyone]
    columns = [words.say("insurer"), words.say("share"), ""]
    return markup.section(
        words.say("insurers"), markup.paragraph(words.say("together")), markup.table("", columns, rows)
    )


def _papers(wording: Wording, words: Wordbook) -> str:
    pairs = [
        (words.say("version"), wording.version),
        (words.say("filing"), wording.filing_number),
        (words.say("fingerprint"), wording.content_sha256),
    ]
    return markup.section(words.say("papers"), markup.facts(pairs))


def _titles(document: ProductDocument, words: Wordbook) -> dict[str, str]:
    return {coverage.code: words.title(coverage.title) for coverage in document.coverages}
