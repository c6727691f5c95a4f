"""The chapters about underwriting: which ranges are accepted, and rules with condition and outcome in words."""

from collections.abc import Iterator

from services.quote.domain.products.conditions import Condition, Value
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.underwriting import UnderwritingRule
from services.quote.plan_sheet import markup
from services.quote.plan_sheet.words import Wordbook


def buyers(document: ProductDocument, words: Wordbook) -> str:
    """The ranges that every insured has to lie in."""
    ranges = [(rule.fact, rule) for rule in document.underwriting if rule.is_range and rule.fact]
    if not ranges:
        return markup.section(words.say("buyers"), markup.paragraph(words.say("anyone")))
    rows = [(words.fact(fact), words.span(*_limits_of(rule, fact, words))) for fact, rule in ranges]
    columns = [words.say("requirement"), words.say("accepted")]
    return markup.section(words.say("buyers"), markup.table("", columns, rows))


def _limits_of(rule: UnderwritingRule, fact: str, words: Wordbook) -> Iterator[str | None]:
    for limit in (rule.at_least, rule.at_most):
        yield None if limit is None else words.value(fact, limit)


def rules(document: ProductDocument, words: Wordbook) -> str:
    """The rules with an outcome: where they hold, what follows, why."""
    rows = [
        (
            words.of("comparisons", "always") if rule.when is None else condition(rule.when, words),
            _outcome(rule, words),
            "" if rule.reason is None else (rule.reason.en if words.language == "en" else rule.reason.zh),
        )
        for rule in document.underwriting
        if not rule.is_range
    ]
    columns = [words.say(name) for name in ("rule", "outcome", "reason")]
    return markup.section(words.say("rules"), markup.table("", columns, rows)) if rows else ""


def condition(told: Condition, words: Wordbook) -> str:
    """A condition as a sentence of the language; inner alternatives stand in brackets."""
    for name, inner in (("all", told.all), ("any", told.any)):
        if inner is not None:
            return words.of("comparisons", name).join(_bracketed(part, words) for part in inner)
    if told.negated is not None:
        return words.of("comparisons", "not", condition(told.negated, words))
    return words.of("comparisons", "all").join(_limits(told, told.fact or "", words))


def _bracketed(part: Condition, words: Wordbook) -> str:
    said = condition(part, words)
    return words.say("brackets", said) if part.any or part.all else said


def _limits(told: Condition, name: str, words: Wordbook) -> Iterator[str]:
    fact = words.fact(name)
    single: tuple[tuple[str, Value | None], ...] = (
        ("at_least", told.at_least),
        ("at_most", told.at_most),
        ("equals", told.equals),
    )
    for operator, value in single:
        if value is not None:
            yield words.of("comparisons", operator, fact, words.value(name, value))
    if told.one_of is not None:
        named = words.say("and").join(words.value(name, value) for value in told.one_of)
        yield words.of("comparisons", "one_of", fact, named)
    if told.told is not None:
        yield words.of("comparisons", "told" if told.told else "not_told", fact)


def _outcome(rule: UnderwritingRule, words: Wordbook) -> str:
    loading = ""
    if rule.percent is not None:
        loading = f"{rule.percent.text} %"
    elif rule.amount_minor is not None:
        loading = words.money(rule.amount_minor)
    return words.of("outcomes", rule.outcome or "refer", loading, words.coverages(rule.coverages or ()))
