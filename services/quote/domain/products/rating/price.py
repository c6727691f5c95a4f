"""Prices coverages by a compiled tariff: exact for each subject, rounded once for each coverage, with its working."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from contracts.vocabulary.faults import Fault, FaultCode
from services.quote.domain.products.group_terms import Blending
from services.quote.domain.products.rating.adjusting import Parts, Term, adjusted
from services.quote.domain.products.rating.imposed import ImposedLoading, given_parts, percentages, with_amounts
from services.quote.domain.products.rating.lookup import NoRate
from services.quote.domain.products.rating.plan import CompiledCoverage, RatingPlan
from services.quote.domain.products.rating.working import folded
from services.quote.domain.products.ratio import Exact
from services.quote.domain.products.rules import FactValue, Subject
from services.quote.domain.products.tariff import RatedStep

_HUNDRED = 100
_PER_MILLE = 1_000
_NOTHING_GIVEN: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rating:
    """The tariff's price of each coverage in minor units, the steps to it, or why there is none.

    `exact` is by coverage what all heads of each subject cost before rounding, in the order of the subjects; the rest
    is as in `Adjusted`.
    """

    premiums: dict[str, int]
    steps: tuple[RatedStep, ...]
    faults: tuple[Fault, ...]
    exact: Parts = field(default_factory=dict)
    first_day_minor: int = 0
    heads_minor: dict[int, int] = field(default_factory=dict)


def rate(
    plan: RatingPlan,
    bought: Iterable[tuple[str, int | None]],
    subjects: Sequence[Subject],
    *,
    frequency: str | None = None,
    term: Term | None = None,
    imposed: Sequence[ImposedLoading] = (),
    blending: Blending | None = None,
    given: Mapping[str, int] = _NOTHING_GIVEN,
) -> Rating:
    """The premium of each coverage bought, given as (code, sum insured in minor units), for a year or for `term`.

    All subjects' exact prices are added before the one rounding of a coverage. A missing rate is a
    `no_rate` fault at the subject that it is missing for, and nothing has a price then. Coverages whose premium
    a person has `given`, in minor units, are not looked up; loadings are imposed on them, nothing else is done to them.
    """
    chosen = list(bought)
    parts: Parts = {}
    steps, faults = list[RatedStep](), list[Fault]()
    of_order: dict[str, FactValue] = {
        "insured_count": sum(subject.count for subject in subjects),
        "coverage_count": len(chosen),
    }
    if frequency is not None:
        of_order["frequency"] = frequency
    for code, sum_insured_minor in chosen:
        if code in given:
            parts[code] = given_parts(code, given[code], len(subjects), imposed, steps)
            continue
        coverage = plan.coverages.get(code)
        own = parts[code] = []
        for subject in subjects:
            try:
                own.append(_part(coverage, code, sum_insured_minor, subject, of_order, imposed, steps))
            except NoRate as missing:
                faults.append(_unrated(code, subject.path, missing))
    if faults:
        return Rating({}, (), tuple(faults))
    if imposed:
        # What a person has given is the price of all heads already.
        paths = [subject.path for subject in subjects]
        parts = with_amounts(
            parts, paths, lambda code, place: 1 if code in given else subjects[place].count, imposed, steps
        )
    try:
        found = adjusted(plan.tariff, parts, subjects, term, blending, steps, given)
    except NoRate as missing:
        return Rating({}, (), (_unrated("*", missing.path or "expiry", missing),))
    return Rating(found.premiums, folded(steps), (), found.exact, found.first_day_minor, found.heads_minor)


def _unrated(code: str, path: str, missing: NoRate) -> Fault:
    what = "the tariff" if code == "*" else f"the tariff of coverage {code}"
    message = f"{what} has no rate for {missing}; this risk cannot be priced"
    return Fault(code=FaultCode.NO_RATE, path=path, message=message)


def _part(
    coverage: CompiledCoverage | None,
    code: str,
    sum_insured_minor: int | None,
    subject: Subject,
    of_order: Mapping[str, FactValue],
    imposed: Sequence[ImposedLoading],
    steps: list[RatedStep],
) -> Exact:
    """What one subject adds to a coverage. Raises NoRate."""
    if not subject.is_insured_by(code):
        return Exact(0)
    if coverage is None:
        raise NoRate("this coverage")
    facts: Mapping[str, FactValue] = subject.facts
    insured_minor = subject.sum_insured_minor(code, sum_insured_minor)
    if coverage.asks_order:
        facts = {**facts, **of_order}
        if insured_minor is not None:
            facts["sum_insured_minor"] = insured_minor
    return _priced(coverage, code, insured_minor, subject, facts, imposed, steps)


def _priced(
    coverage: CompiledCoverage,
    code: str,
    sum_insured_minor: int | None,
    subject: Subject,
    facts: Mapping[str, FactValue],
    imposed: Sequence[ImposedLoading],
    steps: list[RatedStep],
) -> Exact:
    """The exact yearly price of one coverage for one head of a subject, loadings in it."""
    path, note = subject.path, steps.append
    numerator, denominator, value, origin, row = coverage.rate(facts)
    note(RatedStep(code, path, value, origin, row))
    if coverage.per_mille:
        if sum_insured_minor is None:
            raise NoRate("a coverage without a sum insured")
        numerator *= sum_insured_minor
        denominator *= _PER_MILLE
        note(RatedStep(code, path, str(sum_insured_minor), "sum insured in minor units"))
        note(RatedStep(code, path, "0.001", "per mille"))
    for find in coverage.factors:
        times, over, value, origin, row = find(facts)
        numerator *= times
        denominator *= over
        note(RatedStep(code, path, value, origin, row))
    price = Exact(numerator, denominator)
    if coverage.loadings or imposed:
        price = _loaded(coverage, code, path, facts, imposed, price, steps)
    # Those who join later have steps of their own, and may be all that there are.
    if subject.count > 1 or (subject.count and subject.counted_as):
        note(RatedStep(code, path, str(subject.count), subject.counted_as or "heads"))
    return price


def _loaded(
    coverage: CompiledCoverage,
    code: str,
    path: str,
    facts: Mapping[str, FactValue],
    imposed: Sequence[ImposedLoading],
    price: Exact,
    steps: list[RatedStep],
) -> Exact:
    """The price with its loadings; percentages are of the price as it comes in, however many there are."""
    entries = [(loading.is_percent, loading.find(facts)) for loading in coverage.loadings]
    entries += [(True, entry) for entry in percentages(imposed, code, path)]
    # Per cent and minor units, each as a sum of fractions.
    percent, over, fixed, fixed_over = _HUNDRED, 1, 0, 1
    for is_percent, (numerator, denominator, value, origin, row) in entries:
        if not numerator:
            continue
        if is_percent:
            percent, over = percent * denominator + numerator * over, over * denominator
            steps.append(RatedStep(code, path, f"{value} %", origin, row, "loading"))
        else:
            fixed, fixed_over = fixed * denominator + numerator * fixed_over, fixed_over * denominator
            steps.append(RatedStep(code, path, value, f"{origin}, minor units", row, "loading"))
    loaded, below = price.numerator * percent, price.denominator * over * _HUNDRED
    return Exact(loaded * fixed_over + fixed * below, below * fixed_over)
