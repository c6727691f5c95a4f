"""A rate table cut into cells: the ranges and categories between which its rows differ, and the rows for each."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TypeAlias

from services.quote.domain.products.rate_table import ANY, Range, RateTable, band_of, band_text, point_of

Place: TypeAlias = tuple[int, ...]
"""One segment of each column that is not interpolated."""

CELLS_MAX = 100_000
OTHER = "any other"


class TooManyCells(ValueError):
    """The rows of a table cut its columns into more cells than can be looked up."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One column: its segments, which of them each row holds for, and where a value lies.

    The segment after the categories named, where there is one, is for all others.
    """

    fact: str
    names: tuple[str, ...]
    ranges: tuple[Range, ...]
    held: tuple[range | tuple[int, ...], ...]
    place: Callable[[object], int | None]


@dataclass(frozen=True, slots=True)
class Grid:
    """`rows` by cell; several rows of one cell are an overlap, unless `points` tells them apart."""

    axes: tuple[Axis, ...]
    rows: Mapping[Place, tuple[int, ...]]
    interpolated: str | None
    points: tuple[int, ...]


def grid_of(table: RateTable, cuts: Mapping[str, Range] | None = None) -> Grid:
    """The cells of a table; `cuts` are further ranges of facts whose ends are to be ends of segments.

    Raises ValueError where a cell cannot be read, TooManyCells where there are too many.
    """
    axes: list[Axis] = []
    interpolated: str | None = None
    points: tuple[int, ...] = ()
    for place, column in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        if column.match == "point":
            interpolated, points = column.fact, tuple(point_of(cell) for cell in cells)
        elif column.match == "band":
            axes.append(_bands(column.fact, [band_of(cell) for cell in cells], (cuts or {}).get(column.fact)))
        else:
            axes.append(_categories(column.fact, cells))
    found: dict[Place, tuple[int, ...]] = {}
    visited = 0
    for row in range(len(table.rows)):
        for cell in product(*(axis.held[row] for axis in axes)):
            found[cell] = (*found.get(cell, ()), row)
            visited += 1
            if visited > CELLS_MAX:
                raise TooManyCells(f"the rows cut the columns into more than {CELLS_MAX} cells; split the table")
    return Grid(tuple(axes), found, interpolated, points)


def _bands(fact: str, bands: Sequence[Range], cut: Range | None) -> Axis:
    ends = {low for low, _ in bands} | {high + 1 for _, high in bands}
    if cut is not None:
        ends |= {cut[0], cut[1] + 1}
    starts = sorted(ends)
    ranges = tuple((low, until - 1) for low, until in pairwise(starts))
    index = {start: place for place, start in enumerate(starts)}

    def place(value: object) -> int | None:
        if not isinstance(value, int):
            return None
        found = bisect_right(starts, value) - 1
        return found if 0 <= found < len(ranges) else None

    held = tuple(range(index[low], index[high + 1]) for low, high in bands)
    return Axis(fact, tuple(band_text(low, high) for low, high in ranges), ranges, held, place)


def _categories(fact: str, cells: Iterable[str]) -> Axis:
    listed = list(cells)
    index = {name: place for place, name in enumerate(dict.fromkeys(cell for cell in listed if cell != ANY))}
    names = tuple(index)
    # A row for everything holds for categories that no other row names, too.
    if ANY in listed:
        names = (*names, OTHER if index else "any")
    other = len(index) if ANY in listed else None

    def place(value: object) -> int | None:
        return other if value is None and other is not None else index.get(str(value), other)

    everything = tuple(range(len(names)))
    held = tuple(everything if cell == ANY else (index[cell],) for cell in listed)
    return Axis(fact, names, (), held, place)
