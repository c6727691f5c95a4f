"""Look-ups: an entry of a tariff by facts, found once by search and from then on by one dictionary."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from services.quote.domain.products.rate_table import RateTable
from services.quote.domain.products.rating.grid import Place, grid_of
from services.quote.domain.products.ratio import Ratio, ratio_text
from services.quote.domain.products.rules import FactValue
from services.quote.domain.products.tariff import RatedBand

KNOWN_MAX = 20_000
"""Entries remembered by one look-up; a fact of endless values must not fill the memory."""

Values: TypeAlias = tuple[FactValue | None, ...]


class Entry(NamedTuple):
    """The ratio that facts lead to, as text, and where it comes from in words and as a path below the tariff."""

    numerator: int
    denominator: int
    value: str
    origin: str
    row: str


class NoRate(Exception):
    """The tariff has no entry for a fact; never priced at zero instead. `path` says where, if that is known."""

    def __init__(self, missing: str, path: str | None = None) -> None:
        super().__init__(missing)
        self.path = path


class Lookup:
    """Entries by the values of some facts; `find` searches, and is asked once for each combination of values."""

    __slots__ = ("_find", "_known", "_values", "facts")

    def __init__(self, facts: Sequence[str], find: Callable[[Values], Entry], *, optional: bool = False) -> None:
        self.facts = tuple(facts)
        self._find = find
        self._known: dict[Any, Entry] = {}
        self._values: Callable[[Mapping[str, FactValue]], Any]
        if not facts:
            self._values = lambda _: ()
        elif optional:
            self._values = lambda told: tuple([told.get(name) for name in self.facts])
        else:
            # One fact is its own key, several make a tuple; either way it is done in C.
            self._values = itemgetter(*self.facts)

    def __call__(self, facts: Mapping[str, FactValue]) -> Entry:
        """The entry. Raises NoRate where there is none, or a fact was not told."""
        try:
            values = self._values(facts)
            entry = self._known.get(values)
        except KeyError as unknown:
            raise NoRate(f"{unknown.args[0]} not told") from None
        return self._learn(values) if entry is None else entry

    def _learn(self, values: Any) -> Entry:
        entry = self._find(values if isinstance(values, tuple) else (values,))
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[values] = entry
        return entry


def flat(ratio: Ratio, origin: str, row: str) -> Lookup:
    """The same for everybody."""
    entry = Entry(ratio.numerator, ratio.denominator, ratio.text, origin, row)
    return Lookup((), lambda _: entry)


def by_band(fact: str, bands: Sequence[RatedBand], origin: str, row: str) -> Lookup:
    """The ratio of the band that a number lies in; bands are in order and do not overlap."""
    starts = [band.at_least for band in bands]

    def find(values: Values) -> Entry:
        (value,) = values
        place = bisect_right(starts, value) - 1 if isinstance(value, int) else -1
        if place < 0 or not isinstance(value, int) or value > bands[place].at_most:
            raise NoRate(f"{fact} {value}")
        ratio = bands[place].ratio
        return Entry(ratio.numerator, ratio.denominator, ratio.text, f"{origin}, {fact} {value}", f"{row}.{place}")

    return Lookup((fact,), find)


def by_value(fact: str, ratios: Mapping[str, Ratio], origin: str, row: str) -> Lookup:
    """The ratio of a category."""

    def find(values: Values) -> Entry:
        value = str(values[0])
        ratio = ratios.get(value)
        if ratio is None:
            raise NoRate(f"{fact} {value}")
        return Entry(ratio.numerator, ratio.denominator, ratio.text, f"{origin}, {fact} {value}", f"{row}.{value}")

    return Lookup((fact,), find)


def by_percent(fact: str, origin: str, row: str) -> Lookup:
    """The fact itself, in hundredths."""

    def find(values: Values) -> Entry:
        (percent,) = values
        # A coefficient of nothing would be a price of nothing.
        if not isinstance(percent, int) or percent <= 0:
            raise NoRate(f"{fact} {percent}")
        return Entry(percent, 100, f"{percent} %", f"{origin}, {fact} {percent}", row)

    return Lookup((fact,), find)


def by_count(fact: str, origin: str, row: str) -> Lookup:
    """The fact itself."""

    def find(values: Values) -> Entry:
        (count,) = values
        # Nothing to count would be a price of nothing.
        if not isinstance(count, int) or count <= 0:
            raise NoRate(f"{fact} {count}")
        return Entry(count, 1, str(count), f"{origin}, {fact} {count}", row)

    return Lookup((fact,), find)


def by_table(table: RateTable, origin: str, row: str) -> Lookup:
    """What a table gives; raises ValueError where the table cannot be read."""
    grid = grid_of(table)
    ratios = [Ratio.or_zero(cells[-1]) for cells in table.rows]
    facts = [column.fact for column in table.columns]
    interpolated = next((place for place, column in enumerate(table.columns) if column.match == "point"), None)
    segmented = [place for place in range(len(facts)) if place != interpolated]
    axes = list(zip(segmented, grid.axes, strict=True))
    curves: dict[Place, list[int]] = {
        cell: sorted(rows, key=lambda place: grid.points[place]) for cell, rows in grid.rows.items() if grid.points
    }

    def find(values: Values) -> Entry:
        told = ", ".join(f"{fact} {value}" for fact, value in zip(facts, values, strict=True))
        cell: list[int] = []
        for place, axis in axes:
            segment = axis.place(values[place])
            if segment is None:
                raise NoRate(f"{facts[place]} {values[place]}")
            cell.append(segment)
        found = tuple(cell)
        if found not in grid.rows:
            raise NoRate(told)
        if interpolated is None:
            first = grid.rows[found][0]
            ratio = ratios[first]
            return Entry(ratio.numerator, ratio.denominator, ratio.text, f"{origin}, {told}", f"{row}.{first}")
        return _between(curves[found], grid.points, ratios, values[interpolated], (f"{origin}, {told}", row, told))

    return Lookup(facts, find)


def _between(
    curve: Sequence[int], points: Sequence[int], ratios: Sequence[Ratio], value: object, words: tuple[str, str, str]
) -> Entry:
    """The ratio at a point, or on the straight line between the two next to it."""
    origin, row, told = words
    if not isinstance(value, int) or not points[curve[0]] <= value <= points[curve[-1]]:
        raise NoRate(told)
    after = bisect_right(curve, value, key=lambda place: points[place])
    low = curve[after - 1]
    start = ratios[low]
    if points[low] == value:
        return Entry(start.numerator, start.denominator, start.text, origin, f"{row}.{low}")
    high = curve[after]
    end = ratios[high]
    above, below = value - points[low], points[high] - value
    numerator = start.numerator * end.denominator * below + end.numerator * start.denominator * above
    denominator = start.denominator * end.denominator * (above + below)
    between = f"{origin} (between {points[low]} and {points[high]})"
    return Entry(numerator, denominator, ratio_text(numerator, denominator), between, f"{row}.{low}")
