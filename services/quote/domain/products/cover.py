"""Who is insured by what: the coverages of an order for each of its subjects, and what they add up to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from services.quote.domain.products.coverage import PlannedCoverage
from services.quote.domain.products.group_terms import CLASS_FACT, RELATION_FACT, class_sums, counted
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.vehicle_terms import SEATS_FACT
from services.quote.domain.products.version import ProductVersion


def covered(
    subjects: tuple[Subject, ...], bought: Iterable[tuple[str, int | None]], product: ProductVersion
) -> tuple[Subject, ...]:
    """The subjects as they are rated: each with the coverages that insure it, a group's members counted.

    `bought` holds the order's coverages, all of them in the plan, as (code, sum insured in minor units).
    """
    found, group = each_covered(subjects, bought, product), product.document.group
    return found if group is None else counted(found, group.age_bands)


def each_covered(
    subjects: tuple[Subject, ...], bought: Iterable[tuple[str, int | None]], product: ProductVersion
) -> tuple[Subject, ...]:
    """The subjects with the coverages that insure each, one by one; `bought` as in `covered`."""
    if not product.tells_insured_apart:
        return subjects
    group, ordered = product.document.group, dict(bought)
    by_class = None if group is None else dict(class_sums(group))
    return tuple(replace(subject, cover=_cover(subject, ordered, product.plan, by_class)) for subject in subjects)


def _cover(
    subject: Subject,
    ordered: Mapping[str, int | None],
    plan: Mapping[str, PlannedCoverage],
    by_class: Mapping[str, Mapping[str, int | None]] | None,
) -> dict[str, int | None]:
    relation = subject.facts.get(RELATION_FACT)
    sums = ordered if by_class is None else by_class.get(str(subject.facts.get(CLASS_FACT)), {})
    return {
        code: sums[code]
        for code in ordered
        if code in sums and ((relations := plan[code].relations) is None or relation in relations)
    }


def total_insured_minor(
    planned: PlannedCoverage, of_order_minor: int | None, subjects: Sequence[Subject]
) -> int | None:
    """The most that a coverage pays in the term, in minor units; None for no limit.

    It is the sum insured of the order, times the passenger seats where it is by seat, or those of all insured persons
    together; nobody insured has no limit either.
    """
    if planned.sum_insured_for == "contract":
        return of_order_minor
    if planned.sum_insured_for == "seat":
        seats = [found for subject in subjects if isinstance(found := subject.facts.get(SEATS_FACT), int)]
        return None if of_order_minor is None else of_order_minor * sum(seats)
    insured = [subject for subject in subjects if subject.is_insured_by(planned.code)]
    sums = [(subject.sum_insured_minor(planned.code, of_order_minor), subject.heads) for subject in insured]
    # Part of an order may be priced alone, with nobody in it whom the coverage insures.
    if not sums or any(own is None for own, _ in sums):
        return None
    return sum((own or 0) * count for own, count in sums)
