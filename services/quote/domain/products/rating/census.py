"""Group census rating: heads by class and age band, what each cell costs, and one blended rate per head."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import lcm

from contracts.vocabulary.money import divide_half_up, split
from services.quote.domain.products.rate_table import Range, band_text
from services.quote.domain.products.rating.price import Rating
from services.quote.domain.products.ratio import total
from services.quote.domain.products.rules import Subject


@dataclass(frozen=True, slots=True)
class CensusCell:
    """The heads of one class within one band, both ends included."""

    member_class: str
    band: str
    heads: int


@dataclass(frozen=True, slots=True)
class Census:
    """Headcount by class and band, in the order of the bands within a class; `outside` lies in no band."""

    cells: tuple[CensusCell, ...]
    outside: tuple[Subject, ...]

    @property
    def heads(self) -> int:
        """All heads that lie in a band."""
        return sum(cell.heads for cell in self.cells)


def census_of(subjects: Iterable[Subject], bands: Sequence[Range], age: str, member_class: str) -> Census:
    """Counts heads; `age` and `member_class` name the facts to go by. A subject counts for its own headcount."""
    counted: dict[tuple[str, int], int] = {}
    outside: list[Subject] = []
    for subject in subjects:
        value = subject.facts.get(age)
        places = [place for place, (low, high) in enumerate(bands) if isinstance(value, int) and low <= value <= high]
        if not places or member_class not in subject.facts:
            outside.append(subject)
            continue
        cell = (str(subject.facts[member_class]), places[0])
        counted[cell] = counted.get(cell, 0) + subject.count
    cells = tuple(CensusCell(name, band_text(*bands[place]), counted[name, place]) for name, place in sorted(counted))
    return Census(cells, tuple(outside))


@dataclass(frozen=True, slots=True)
class BlendedRate:
    """One yearly rate for every head, rounded half up, and the exact premium that it stands for."""

    per_head_minor: int
    heads: int
    premium_minor: int

    @property
    def difference_minor(self) -> int:
        """What charging the blended rate for each head brings more than the premium, by its rounding."""
        return self.per_head_minor * self.heads - self.premium_minor


def blended_rate(premiums_minor: Mapping[str, int], subjects: Iterable[Subject]) -> BlendedRate:
    """The rate per head over all coverages of a group. Raises ValueError where nobody is insured."""
    heads = sum(subject.count for subject in subjects)
    if heads <= 0:
        raise ValueError("a group without heads has no rate per head")
    premium_minor = sum(premiums_minor.values())
    return BlendedRate(divide_half_up(premium_minor, heads), heads, premium_minor)


def blended_by_class(rating: Rating, subjects: Sequence[Subject], member_class: str) -> dict[str, BlendedRate]:
    """The rate per head of each class, by the fact that names it; the classes' premiums add up to the group's.

    `subjects` are those that were rated, in the same order. A subject without the fact is of class "".
    """
    places: dict[str, list[int]] = {}
    for place, subject in enumerate(subjects):
        places.setdefault(str(subject.facts.get(member_class, "")), []).append(place)
    exact = {name: total(own[place] for own in rating.exact.values() for place in of) for name, of in places.items()}
    common = lcm(*(part.denominator for part in exact.values()))
    weights = {name: part.numerator * (common // part.denominator) for name, part in exact.items()}
    premiums = split(sum(rating.premiums.values()), weights)
    return {
        name: blended_rate({name: premiums[name]}, (subjects[place] for place in of)) for name, of in places.items()
    }
