"""Lays a product document out as a plan sheet. How the premium is shared out is no buyer's business: see `inside`."""

from collections.abc import Iterator

from services.quote.domain.product_versions import digest_of
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.effect import Effect
from services.quote.domain.products.launch import Coinsured, Wording
from services.quote.domain.products.life import Life, SaleWindow
from services.quote.domain.products.outlets import OutletStep
from services.quote.plan_sheet import markup, tree
from services.quote.plan_sheet.inside import inside
from services.quote.plan_sheet.price import payment, price, short_terms
from services.quote.plan_sheet.rules import buyers, rules
from services.quote.plan_sheet.words import Language, Wordbook


def plan_sheet(
    document: ProductDocument, language: Language, life: Life | None = None, *, for_staff: bool = False
) -> str:
    """The page of a document: one self-contained HTML file.

    `life` holds the days of sale where they were moved, and what ended; `for_staff` adds what no buyer sees.
    """
    words = Wordbook(language, document)
    body = _body(document, life or Life(), words, for_staff=for_staff)
    return markup.page(language, words.title(document.title), body)


def _body(document: ProductDocument, life: Life, words: Wordbook, *, for_staff: bool) -> Iterator[str]:
    code = f"{document.code} · {words.say('version')} {document.version}"
    title = words.title(document.title)
    yield f"<header>{markup.paragraph(words.say('plan'))}{markup.heading(title)}{markup.paragraph(code)}</header>"
    yield markup.section(words.say("glance"), markup.facts(_glance(document, life, words)))
    for chapter in (tree.overview, tree.tree, tree.together, tree.people, tree.vehicle, buyers, tree.questions, rules):
        yield chapter(document, words)
    for chapter in (price, payment, short_terms):
        yield chapter(document, words)
    if document.coinsurance is not None:
        yield _insurers(document.coinsurance, words)
    if document.wording is not None:
        yield _papers(document.wording, document.code, words)
    if for_staff:
        yield inside(document, words)
    made_from = words.say("made_from", digest_of(document.canonical()))
    yield f"<footer>{markup.paragraph(words.say('binding'))}{markup.paragraph(made_from)}</footer>"


def _glance(document: ProductDocument, life: Life, words: Wordbook) -> Iterator[tuple[str, markup.Told]]:
    days = life.sale or SaleWindow(document.on_sale_from, document.on_sale_until)
    yield words.say("line"), words.line()
    yield words.say("term"), words.say("months", document.term_months)
    yield words.say("currency"), document.currency
    whole = words.say("from_day", days.first) if days.last is None else words.say("from_to", days.first, days.last)
    ends = (("closed", life.closed), ("withdrawn", life.withdrawn))
    yield words.say("sale"), (whole, *(words.say(name, _since(end, words)) for name, end in ends if end is not None))
    for name, anything, named, own in (
        ("channels", "any_channel", document.channels, [step for step in life.outlets if step.outlet.channel]),
        ("regions", "any_region", document.regions, [step for step in life.outlets if step.outlet.region]),
    ):
        whole = words.say("and").join(named) if named is not None else words.say(anything)
        yield words.say(name), (whole, *(_outlet(step, words) for step in own))


def _outlet(step: OutletStep, words: Wordbook) -> str:
    place = step.outlet.channel or step.outlet.region
    return words.say(f"outlet_{step.move}", place, _since(step.effect, words))


def _since(effect: Effect, words: Wordbook) -> str:
    return words.say("at_once") if effect.day is None else words.say("since", effect.day)


def _insurers(coinsured: Coinsured, words: Wordbook) -> str:
    everyone = [(coinsured.leader, "leader"), *((follower, "follower") for follower in coinsured.followers)]
    rows = [(one.insurer, words.percent(one.share_bp), words.say(part)) for one, part in everyone]
    columns = [words.say("insurer"), words.say("share"), words.say("role")]
    return markup.section(
        words.say("insurers"), markup.paragraph(words.say("together")), markup.table("", columns, rows)
    )


def _papers(wording: Wording, product_code: str, words: Wordbook) -> str:
    pairs = [
        (words.say("wording_code"), wording.code or product_code),
        (words.say("version"), wording.version),
        (words.say("filing"), wording.filing_number),
        (words.say("fingerprint"), wording.content_sha256),
    ]
    return markup.section(words.say("papers"), markup.facts(pairs))
