"""Whether the parts of a coverage tree fit each other: limits, shares, sums insured, riders, combinations."""

from collections.abc import Iterator, Sequence

from contracts.vocabulary.faults import Fault
from services.quote.domain.products.combinations import Choices, TooIntricate, sentence, ungrounded
from services.quote.domain.products.coverage import CoverLevel, Limits, PayStep, PlannedCoverage
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.part import misfit

_PERIODS = ("per_event_minor", "per_year_minor", "lifetime_minor")


def coverage_misfits(document: ProductDocument) -> Iterator[Fault]:
    """Everything in plan, coverages and benefits that cannot be so."""
    plan = document.plan
    yield from _level_misfits("plan", plan, None, frozenset())
    excluded = frozenset(exclusion.code for exclusion in plan.exclusions)
    for place, coverage in enumerate(document.coverages):
        path = f"coverages.{place}"
        ceiling = _within(_of_sum(coverage, document), plan.limits)
        yield from _level_misfits(path, coverage, ceiling, excluded)
        yield from _sum_misfits(path, coverage, grouped=document.group is not None)
        if coverage.relations is not None and plan.dependants is None:
            message = f"coverage {coverage.code} asks who is who, and the plan does not; give plan.dependants"
            yield misfit(f"{path}.relations", message)
        below = _within(coverage.limits, ceiling)
        yield from _benefit_misfits(path, coverage, below, excluded | {each.code for each in coverage.exclusions})
    yield from _choice_misfits(document)


def _of_sum(coverage: PlannedCoverage, document: ProductDocument) -> Limits:
    """The greatest sum insured, as a limit of the year of cover."""
    greatest = coverage.greatest_sum_minor
    if document.group is not None:
        sums = [own for each in document.group.classes if (own := each.sums_insured_minor.get(coverage.code))]
        greatest = max(sums, default=None)
    return Limits(per_year_minor=greatest)


def _within(own: Limits, above: Limits) -> Limits:
    """The limits that hold at a level: its own, and those of the levels above."""
    found = {name: _least(getattr(own, name), getattr(above, name)) for name in _PERIODS}
    return Limits(**found)


def _least(*limits_minor: int | None) -> int | None:
    return min((limit for limit in limits_minor if limit is not None), default=None)


def _level_misfits(path: str, level: CoverLevel, above: Limits | None, excluded: frozenset[str]) -> Iterator[Fault]:
    own = level.limits
    for place, name in enumerate(_PERIODS):
        limit = getattr(own, name)
        if limit is None:
            continue
        longer = _least(*(getattr(own, other) for other in _PERIODS[place + 1 :]))
        if longer is not None and limit > longer:
            message = f"{name} is {limit} and a longer period has {longer}; a shorter period cannot have more"
            yield misfit(f"{path}.limits.{name}", message)
        ceiling = None if above is None else _least(*(getattr(above, other) for other in _PERIODS[place:]))
        if ceiling is not None and limit > ceiling:
            message = f"{name} is {limit} and the level above pays {ceiling} at most; lower it, or leave it out"
            yield misfit(f"{path}.limits.{name}", message)
    yield from _pay_misfits(f"{path}.pay", level.pay, above)
    if level.waiting_causes is not None and not level.waiting_days:
        yield misfit(f"{path}.waiting_causes", "there is no waiting period here; give waiting_days or remove this")
    seen = set(excluded)
    for place, exclusion in enumerate(level.exclusions):
        if exclusion.code in seen:
            message = f"{exclusion.code} is excluded here or above already; keep one"
            yield misfit(f"{path}.exclusions.{place}.code", message)
        seen.add(exclusion.code)


def _pay_misfits(path: str, steps: Sequence[PayStep], above: Limits | None) -> Iterator[Fault]:
    seen: dict[str | None, int] = {}
    kinds = {step.social_insurance for step in steps}
    for place, step in enumerate(steps):
        kind = step.social_insurance
        where = "all bills" if kind is None else f"bills with social insurance {kind}"
        if kind not in seen and step.above_minor:
            yield misfit(f"{path}.{place}.above_minor", f"the first step of {where} begins at 0")
        elif kind in seen and step.above_minor <= seen[kind]:
            message = f"the steps of {where} do not rise; order them by above_minor, each begun once"
            yield misfit(f"{path}.{place}.above_minor", message)
        seen[kind] = step.above_minor
        ceiling = None if above is None else _least(above.per_year_minor, above.lifetime_minor)
        if step.limit_minor is not None and ceiling is not None and step.limit_minor > ceiling:
            message = f"the step pays {step.limit_minor} at most and the level above {ceiling}; lower it"
            yield misfit(f"{path}.{place}.limit_minor", message)
    if kinds and kinds not in ({None}, {"used", "not-used"}):
        message = "say the share for all bills, or for both: social_insurance used and not-used"
        yield misfit(path, message)


def _sum_misfits(path: str, coverage: PlannedCoverage, *, grouped: bool) -> Iterator[Fault]:
    span = coverage.sum_insured_range
    if span is not None:
        if coverage.sums_insured_minor:
            message = "the sum insured is chosen from a list or stated within a range, not both; remove one"
            yield misfit(f"{path}.sum_insured_range", message)
        if span.at_most_minor < span.at_least_minor:
            yield misfit(f"{path}.sum_insured_range.at_most_minor", "at_most_minor lies below at_least_minor")
        elif (span.at_most_minor - span.at_least_minor) % span.step_minor:
            message = f"{span.at_most_minor} is no whole number of steps above {span.at_least_minor}"
            yield misfit(f"{path}.sum_insured_range.step_minor", message)
    if len(set(coverage.sums_insured_minor)) != len(coverage.sums_insured_minor):
        yield misfit(f"{path}.sums_insured_minor", "a sum insured stands in the list twice; keep one")
    if coverage.sum_insured_for == "person" and not coverage.has_sum_insured and not grouped:
        message = f"coverage {coverage.code} has no sum insured; give one or remove sum_insured_for"
        yield misfit(f"{path}.sum_insured_for", message)


def _benefit_misfits(path: str, coverage: PlannedCoverage, above: Limits, excluded: frozenset[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, benefit in enumerate(coverage.benefits):
        where = f"{path}.benefits.{place}"
        if benefit.code in seen:
            yield misfit(f"{where}.code", f"benefit {benefit.code} stands in the coverage twice; keep one")
        seen.add(benefit.code)
        if _is_empty(benefit.limits) and _is_empty(above):
            message = (
                f"nothing limits benefit {benefit.code}: give it limits, or give limits or a sum insured to its "
                "coverage, or limits to the plan"
            )
            yield misfit(f"{where}.limits", message)
        yield from _level_misfits(where, benefit, above, excluded)


def _is_empty(limits: Limits) -> bool:
    return all(getattr(limits, name) is None for name in _PERIODS)


def _choice_misfits(document: ProductDocument) -> Iterator[Fault]:
    codes = {coverage.code for coverage in document.coverages}
    faults = [*_rider_misfits(document.coverages, codes), *_naming_misfits(document, codes)]
    yield from faults
    # Only a plan whose names are right can be searched for a choice that fits it.
    if faults or not (document.plan.combinations or any(coverage.rider_on for coverage in document.coverages)):
        return
    try:
        yield from _unbuyable(document)
    except TooIntricate:
        message = "the combinations are too intricate to find out whether anybody can fulfil them; make them fewer"
        yield misfit("plan.combinations", message)


def _rider_misfits(coverages: Sequence[PlannedCoverage], codes: set[str]) -> Iterator[Fault]:
    for place, coverage in enumerate(coverages):
        path = f"coverages.{place}.rider_on"
        for unknown in sorted(set(coverage.rider_on) - codes):
            message = f"{coverage.code} is a rider on {unknown}, which is not in the plan; add it or remove this"
            yield misfit(path, message)
        if coverage.code in coverage.rider_on:
            yield misfit(path, f"{coverage.code} cannot be a rider on itself; remove it from the list")
    places = {coverage.code: place for place, coverage in enumerate(coverages)}
    for code in ungrounded(coverages):
        if codes.issuperset(coverages[places[code]].rider_on) and code not in coverages[places[code]].rider_on:
            message = f"{code} is a rider on coverages that are riders themselves, with no base under them"
            yield misfit(f"coverages.{places[code]}.rider_on", message)


def _naming_misfits(document: ProductDocument, codes: set[str]) -> Iterator[Fault]:
    for place, each in enumerate(document.plan.combinations):
        path = f"plan.combinations.{place}"
        for unknown in sorted(set(each.of) - codes):
            yield misfit(f"{path}.of", f"coverage {unknown} is not in the plan; add it there or remove it here")
        if len(set(each.of)) != len(each.of):
            yield misfit(f"{path}.of", "a coverage stands in the list twice; keep one")
        if each.kind == "at-least" and each.count > len(set(each.of)):
            yield misfit(f"{path}.count", f"at least {each.count} of {len(set(each.of))} coverages nobody can buy")
        if each.kind == "at-most" and each.count >= len(set(each.of)):
            yield misfit(f"{path}.count", f"at most {each.count} of {len(set(each.of))} coverages forbids nothing")
        if each.kind == "not-together" and each.count != 1:
            yield misfit(f"{path}.count", "not-together has no count; remove it")


def _unbuyable(document: ProductDocument) -> Iterator[Fault]:
    combinations = document.plan.combinations
    for place in range(len(combinations)):
        if not Choices(document.coverages, combinations[: place + 1]).exist():
            message = (
                f"nobody can fulfil this: {sentence(combinations[place])}, beside the mandatory coverages, the "
                "riders and the combinations before it"
            )
            yield misfit(f"plan.combinations.{place}", message)
            return
    choices = Choices(document.coverages, combinations)
    for place, coverage in enumerate(document.coverages):
        if not choices.exist((coverage.code,)):
            message = f"nobody can buy coverage {coverage.code}: mandatory coverages, riders or combinations forbid it"
            yield misfit(f"coverages.{place}", message)
