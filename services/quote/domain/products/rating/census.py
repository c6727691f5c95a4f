"""Group census rating: heads by class and age band, and one blended rate per head, of the group and of each class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.vocabulary.money import divide_half_up, split
from services.quote.domain.products.group_terms import AGE_FACT, CLASS_FACT, AgeBand
from services.quote.domain.products.ratio import Exact, proportions, total
from services.quote.domain.products.rules import Subject

NO_BAND = "other ages"


@dataclass(frozen=True, slots=True)
class CensusCell:
    """The members of one class within one band, both ends included: from the first day on, and from a later one."""

    cover_class: str
    band: str
    heads: int
    joiners: int = 0


@dataclass(frozen=True, slots=True)
class BlendedRate:
    """One rate for every head and the whole term, rounded half up, and the exact premium that it stands for."""

    per_head_minor: int
    heads: int
    premium_minor: int

    @property
    def difference_minor(self) -> int:
        """What charging the blended rate for each head brings more than the premium, by its rounding."""
        return self.per_head_minor * self.heads - self.premium_minor


@dataclass(frozen=True, slots=True)
class CensusRating:
    """A group as it was rated: `group` and `classes` are the rates of those who are covered from the first day.

    `group` is None where nobody is, or where quoted prices do not tell what is for whom; `classes` is then empty.
    """

    cells: tuple[CensusCell, ...]
    group: BlendedRate | None
    classes: dict[str, BlendedRate]


def census_of(subjects: Sequence[Subject], bands: Sequence[AgeBand]) -> tuple[CensusCell, ...]:
    """Headcount by class and band, in the order of the bands within a class; ages of no band come last."""
    heads: dict[tuple[str, int], list[int]] = {}
    for subject in subjects:
        age = subject.facts.get(AGE_FACT)
        places = (place for place, band in enumerate(bands) if isinstance(age, int) and band.holds(age))
        cell = heads.setdefault((_class_of(subject), next(places, len(bands))), [0, 0])
        cell[0] += subject.count
        cell[1] += subject.heads - subject.count
    names = [*map(str, bands), NO_BAND]
    return tuple(CensusCell(name, names[place], *heads[name, place]) for name, place in sorted(heads))


def blended_rate(premium_minor: int, heads: int) -> BlendedRate:
    """The rate per head of a premium. Raises ValueError where nobody is insured."""
    if heads <= 0:
        raise ValueError("a group without heads has no rate per head")
    return BlendedRate(divide_half_up(premium_minor, heads), heads, premium_minor)


def blended_by_class(
    premium_minor: int, exact: Mapping[str, Sequence[Exact]], subjects: Sequence[Subject]
) -> dict[str, BlendedRate]:
    """The rate per head of each class with heads; the premiums of the classes add up to `premium_minor`.

    `exact` holds by coverage what each subject costs, in the order of `subjects`.
    """
    places: dict[str, list[int]] = {}
    for place, subject in enumerate(subjects):
        if subject.count:
            places.setdefault(_class_of(subject), []).append(place)
    weights = proportions(
        {name: total(own[place] for own in exact.values() for place in of) for name, of in places.items()}
    )
    premiums = split(premium_minor, weights) if any(weights.values()) else dict.fromkeys(places, 0)
    return {
        name: blended_rate(premiums[name], sum(subjects[place].count for place in of)) for name, of in places.items()
    }


def census_rating(
    subjects: Sequence[Subject],
    bands: Sequence[AgeBand],
    premium_minor: int | None,
    exact: Mapping[str, Sequence[Exact]],
) -> CensusRating:
    """How a group was rated; `premium_minor` is that of the heads of the first day, None where it is not known."""
    heads = sum(subject.count for subject in subjects)
    known = premium_minor if heads else None
    return CensusRating(
        cells=census_of(subjects, bands),
        group=None if known is None else blended_rate(known, heads),
        classes={} if known is None or not exact else blended_by_class(known, exact, subjects),
    )


def _class_of(subject: Subject) -> str:
    return str(subject.facts.get(CLASS_FACT, ""))
