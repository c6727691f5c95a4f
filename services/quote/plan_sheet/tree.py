"""The chapters about cover: the tree of plan, coverages and benefits, what goes together, whom it insures."""

from collections.abc import Iterator, Sequence

from services.quote.domain.products.coverage import Benefit, CoverLevel, PayStep, Plan, PlannedCoverage
from services.quote.domain.products.disclosures import DisclosureQuestion
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.group_terms import GroupTerms
from services.quote.plan_sheet import markup
from services.quote.plan_sheet.price import scale
from services.quote.plan_sheet.words import Wordbook

_TERMS = ("limit", "deductible", "pay", "waiting")


def overview(document: ProductDocument, words: Wordbook) -> str:
    """One row for each coverage: must it be bought, and for which sums."""
    columns = [words.say(name) for name in ("coverage", "part", "sum_insured")]
    rows = [
        (words.title(coverage.title), _demand(coverage, words), _sums_insured(coverage, document, words))
        for coverage in document.coverages
    ]
    return markup.section(words.say("cover"), markup.table("", columns, rows))


def tree(document: ProductDocument, words: Wordbook) -> str:
    """What each level says about limits, deductible, share paid, waiting period; then all that is excluded."""
    parts = []
    plan: list[tuple[str, markup.Told]] = list(_terms(document.plan, (), words))
    if plan:
        parts += [markup.subheading(words.say("whole_plan")), markup.facts(plan)]
    for coverage in document.coverages:
        terms: list[tuple[str, markup.Told]] = [*_terms(coverage, (document.plan,), words), *_people(coverage, words)]
        terms += [(words.say("class_of_business"), words.known("classes", coverage.class_of_business))] if terms else []
        if terms or coverage.benefits:
            parts.append(markup.subheading(words.title(coverage.title)))
        if terms:
            parts.append(markup.facts(terms))
        if coverage.benefits:
            parts.append(_benefits(coverage, document.plan, words))
    exclusions = list(_exclusions(document, words))
    if exclusions:
        parts.append(markup.subheading(words.say("exclusions")))
        parts.append(markup.table("", [words.say("what"), words.say("applies")], exclusions))
    return markup.section(words.say("levels"), *parts) if parts else ""


def together(document: ProductDocument, words: Wordbook) -> str:
    """Combinations that the plan demands or rules out."""
    told = [words.say(f"comb_{each.kind}", each.count, words.coverages(each.of)) for each in document.plan.combinations]
    return markup.section(words.say("together_heading"), markup.listing(told)) if told else ""


def people(document: ProductDocument, words: Wordbook) -> str:
    """Who is insured beside whom, and in a group the classes with their sums."""
    parts, dependants = [], document.plan.dependants
    if dependants is not None:
        relations, first = words.relations(dependants.relations), words.relations(("self",))
        told = [words.say("dependants", relations, first) if relations else words.say("dependants_none")]
        if dependants.at_most is not None:
            told.append(words.say("dependants_max", dependants.at_most))
        parts.append(markup.listing(told))
    if document.group is not None:
        parts += _group(document.group, document, words)
    return markup.section(words.say("people"), *parts) if parts else ""


def vehicle(document: ProductDocument, words: Wordbook) -> str:
    """What a car is worth today, up to which it is insured."""
    terms = document.vehicle
    if terms is None:
        return ""
    told = [
        words.say("depreciation", f"{terms.depreciation_percent_a_month.text} %", f"{terms.least_percent.text} %"),
        words.say("no_over_insurance", words.coverages(terms.coverages)),
    ]
    return markup.section(words.say("vehicle"), markup.listing(told))


def questions(document: ProductDocument, words: Wordbook) -> str:
    """The questions of the declaration, of whom they are asked, and what an answer looks like."""
    rows = [
        (
            words.title(question.text),
            words.say(f"asked_{question.asked_of}"),
            _answers(question, words),
        )
        for question in document.disclosures
    ]
    columns = [words.say(name) for name in ("question", "asked_of", "answer")]
    return markup.section(words.say("questions"), markup.table("", columns, rows)) if rows else ""


def _answers(question: DisclosureQuestion, words: Wordbook) -> str:
    if question.answer == "choice":
        return " / ".join(words.known("values", choice) for choice in question.choices)
    return words.say(f"answer_{question.answer}")


def _demand(coverage: PlannedCoverage, words: Wordbook) -> str:
    told = [words.say("mandatory" if coverage.mandatory else "optional")]
    if coverage.compulsory:
        told.append(words.say("compulsory"))
    if coverage.rider_on:
        told.append(words.say("rider_on", words.say("rider_or").join(map(words.coverage, coverage.rider_on))))
    return words.say("comma").join(told)


def _sums_insured(coverage: PlannedCoverage, document: ProductDocument, words: Wordbook) -> tuple[str, ...]:
    span = coverage.sum_insured_range
    if span is not None:
        amounts = map(words.money, (span.at_least_minor, span.at_most_minor, span.step_minor))
        told = words.say("sum_range", *amounts)
    else:
        told = " / ".join(map(words.money, coverage.sums_insured_minor))
    if not told and document.group is not None and coverage.sum_insured_for == "person":
        return (words.say("by_class"),)
    return (told, words.say(f"for_{coverage.sum_insured_for}")) if told else (words.say("no_sum"),)


def _people(coverage: PlannedCoverage, words: Wordbook) -> Iterator[tuple[str, str]]:
    if coverage.relations is not None:
        yield words.say("insures"), words.relations(coverage.relations)


def _terms(level: CoverLevel, above: Sequence[CoverLevel], words: Wordbook) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a level says itself, each with its name; `above` are the levels above it, the nearest first."""
    for name, told in zip(_TERMS, _told(level, above, words), strict=True):
        if told:
            yield words.say(name), told


def _told(level: CoverLevel, above: Sequence[CoverLevel], words: Wordbook) -> tuple[tuple[str, ...], ...]:
    limits = level.limits
    amounts = (
        ("per_event", limits.per_event_minor),
        ("per_year", limits.per_year_minor),
        ("lifetime", limits.lifetime_minor),
    )
    return (
        tuple(words.say(name, words.money(amount)) for name, amount in amounts if amount is not None),
        ()
        if level.deductible is None
        else (words.say(f"deductible_{level.deductible.per}", words.money(level.deductible.amount_minor)),),
        tuple(_pay(step, words) for step in level.pay),
        _waiting(level, above, words),
    )


def _pay(step: PayStep, words: Wordbook) -> str:
    told = [words.percent(step.pay_ratio_bp)]
    if step.above_minor:
        told.append(words.say("pay_above", words.money(step.above_minor)))
    if step.social_insurance is not None:
        told.append(words.say("pay_used" if step.social_insurance == "used" else "pay_not_used"))
    if step.limit_minor is not None:
        told.append(words.say("pay_limit", words.money(step.limit_minor)))
    return words.say("comma").join(told)


def _waiting(level: CoverLevel, above: Sequence[CoverLevel], words: Wordbook) -> tuple[str, ...]:
    if level.waiting_days is None and level.waiting_causes is None:
        return ()
    chain = (level, *above)
    days = next((one.waiting_days for one in chain if one.waiting_days is not None), 0)
    causes = next((one.waiting_causes for one in chain if one.waiting_causes is not None), "days")
    return (words.say(f"waiting_{causes}", days) if days else words.say("waiting_none"),)


def _benefits(coverage: PlannedCoverage, plan: Plan, words: Wordbook) -> str:
    """Benefits with what they say themselves; columns of which none says anything are left out."""
    told = [_told(benefit, (coverage, plan), words) for benefit in coverage.benefits]
    used = [place for place in range(len(_TERMS)) if any(row[place] for row in told)]
    columns = [words.say("benefit"), *(words.say(_TERMS[place]) for place in used)]
    rows = [
        (words.title(benefit.title), *(row[place] or words.say("as_cover") for place in used))
        for benefit, row in zip(coverage.benefits, told, strict=True)
    ]
    return markup.table("", columns, rows)


def _exclusions(document: ProductDocument, words: Wordbook) -> Iterator[tuple[str, str]]:
    for exclusion in document.plan.exclusions:
        yield words.title(exclusion.text), words.say("everywhere")
    for coverage in document.coverages:
        title = words.title(coverage.title)
        levels: tuple[tuple[str, PlannedCoverage | Benefit], ...] = (
            (title, coverage),
            *((f"{title} · {words.title(benefit.title)}", benefit) for benefit in coverage.benefits),
        )
        for place, level in levels:
            for exclusion in level.exclusions:
                yield words.title(exclusion.text), place


def _group(group: GroupTerms, document: ProductDocument, words: Wordbook) -> Iterator[str]:
    bands = words.say("and").join(words.span(band.at_least, band.at_most) for band in group.age_bands)
    told = [words.say("headcount_least", group.minimum_headcount), words.say("age_bands", bands)]
    told.append(words.say("names_required" if group.names_required else "names_later"))
    if group.blended is not None:
        told.append(words.say(f"blended_{group.blended}"))
    yield markup.listing(told)
    columns = [words.say("coverage"), *(f"{one.code} {words.title(one.title)}" for one in group.classes)]
    rows = []
    for coverage in document.coverages:
        cells = []
        for one in group.classes:
            amount = one.sums_insured_minor.get(coverage.code)
            insured = words.money(amount) if amount is not None else words.say("no_sum")
            cells.append(insured if coverage.code in one.sums_insured_minor else words.say("not_in_class"))
        rows.append((words.title(coverage.title), *cells))
    yield markup.table(words.say("classes"), columns, rows)
    leavers = group.leavers
    claimed = words.say("leavers_claimed" if leavers.refund_after_claim else "leavers_not_claimed")
    yield markup.subheading(words.say("leavers"))
    yield markup.listing([words.say("joiners"), words.say(f"leavers_{leavers.keeps.method}"), claimed])
    yield from scale(leavers.keeps, words)
