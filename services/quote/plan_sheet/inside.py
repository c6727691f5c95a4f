"""The chapter for the insurer's own people: shares, authority, what goes through without a person, papers."""

from collections.abc import Iterator

from services.quote.domain.products.document import ProductDocument, QuotedPricing
from services.quote.domain.products.underwriting import AuthorityLevel
from services.quote.plan_sheet import markup
from services.quote.plan_sheet.words import Wordbook


def inside(document: ProductDocument, words: Wordbook) -> str:
    """All that a buyer does not see."""
    split = document.split
    shares = [
        (words.say(name), words.percent(getattr(split, name)))
        for name in ("insurer_bp", "commission_bp", "platform_fee_bp", "tax_bp")
    ]
    if document.coinsurance is not None:
        shares.append((words.say("issuance_fee"), words.percent(document.coinsurance.issuance_fee_bp)))
    return markup.section(
        words.say("inside"),
        markup.paragraph(words.say("inside_note")),
        markup.subheading(words.say("split")),
        markup.facts(shares),
        markup.subheading(words.say("referrals")),
        markup.facts(_referrals(document, words)),
        *_requirement(document, words),
    )


def _referrals(document: ProductDocument, words: Wordbook) -> Iterator[tuple[str, str]]:
    terms = document.referrals
    yield words.say("answer_within"), words.say("days", terms.answer_within_days)
    yield words.say("offer_valid"), words.say("days", terms.offer_valid_days)
    yield words.say("price_differences"), words.say(f"price_{terms.price_differences}")
    for level in terms.authority:
        yield words.say("level", level.level), _authority(level, words)
    limit = document.straight_through_claim_minor
    yield words.say("straight_through"), words.say("straight_all") if limit is None else words.money(limit)
    pricing = document.pricing
    if isinstance(pricing, QuotedPricing) and pricing.reference is not None:
        yield words.say("reference"), words.percent(pricing.reference.tolerance_bp)


def _authority(level: AuthorityLevel, words: Wordbook) -> str:
    limits = (("level_premium", level.premium_minor), ("level_sum", level.sum_insured_minor))
    told = [words.say(name, words.money(amount)) for name, amount in limits if amount is not None]
    return words.say("comma").join(told) or words.say("level_all")


def _requirement(document: ProductDocument, words: Wordbook) -> Iterator[str]:
    required = document.requirement
    if required is None:
        return
    yield markup.subheading(words.say("requirement_document"))
    yield markup.facts(
        [
            (words.say("requirement_document"), required.reference),
            (words.say("launch_path"), words.say(f"path_{required.path}")),
            (words.say("fingerprint"), required.content_sha256),
        ]
    )
