"""Whether the rows of a rate table hold for every risk exactly once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product

from contracts.vocabulary.faults import Fault, FaultCode
from services.quote.domain.products.rate_table import (
    ANY,
    NUMBER_MAX,
    Range,
    RateTable,
    TableColumn,
    band_of,
    band_text,
    point_of,
)
from services.quote.domain.products.rating.grid import CELLS_MAX, OTHER, Grid, Place, TooManyCells, grid_of
from services.quote.domain.products.ratio import Ratio
from services.quote.domain.products.rules import Fact

LISTED_MAX = 5
"""Gaps of one table that are told one by one; a wrong column makes hundreds."""


@dataclass(frozen=True, slots=True)
class Known:
    """The facts that a document may build on, and the numbers that its underwriting accepts."""

    facts: Mapping[str, Fact]
    accepted: Mapping[str, Range]

    def misfits(self, path: str, name: str, *, numeric: bool) -> Iterator[Fault]:
        """What is wrong with building on a fact."""
        known = self.facts.get(name)
        if known is None:
            yield _fault(path, f"{name} is no fact of this line; its facts are {', '.join(self.facts)}")
        elif numeric and not known.numeric:
            yield _fault(path, f"{name} is no number; use it in a factor of kind value")

    def never_told(self, name: str, value: str) -> bool:
        """Whether no order can tell this value of a category."""
        known = self.facts.get(name)
        return known is not None and bool(known.values) and value not in known.values

    def all_told(self, name: str, values: Iterable[str]) -> bool:
        """Whether these are all the values that a category can have."""
        known = self.facts.get(name)
        return known is not None and bool(known.values) and set(known.values) <= set(values)

    def unreachable(self, name: str, value: str) -> str:
        """Says that it is never told, and what is."""
        return f"can never be reached: {name} is one of {', '.join(self.facts[name].values)}, never {value}"


def table_misfits(path: str, table: RateTable, known: Known, *, may_be_zero: bool) -> Iterator[Fault]:
    """Everything that is wrong with a table: unreadable cells first, since the rest cannot be judged before."""
    faults = [*_column_misfits(path, table, known), *_cell_misfits(path, table, may_be_zero=may_be_zero)]
    if faults:
        yield from faults
        return
    yield from _unreachable_rows(path, table, known)
    try:
        grid = grid_of(table, known.accepted)
    except TooManyCells as error:
        yield _fault(path, str(error))
        return
    yield from _overlaps(path, grid)
    yield from _gaps(path, grid, known)
    if grid.interpolated is not None:
        yield from _curve_ends(path, grid, known)


def _fault(path: str, message: str) -> Fault:
    return Fault(code=FaultCode.INVALID_FIELD, path=path, message=message)


def _column_misfits(path: str, table: RateTable, known: Known) -> Iterator[Fault]:
    facts = [column.fact for column in table.columns]
    for place, column in enumerate(table.columns):
        where = f"{path}.columns.{place}"
        yield from known.misfits(f"{where}.fact", column.fact, numeric=column.match != "value")
        if column.fact in facts[:place]:
            yield _fault(f"{where}.fact", f"{column.fact} is asked twice; keep one column")
        if column.match == "point" and any(other.match == "point" for other in table.columns[:place]):
            yield _fault(f"{where}.match", "one column of a table can be interpolated; make this one a band")


def _cell_misfits(path: str, table: RateTable, *, may_be_zero: bool) -> Iterator[Fault]:
    width = len(table.columns) + 1
    for place, row in enumerate(table.rows):
        if len(row) != width:
            message = f"has {len(row)} cells; give one for each column and the ratio, {width} in all"
            yield _fault(f"{path}.rows.{place}", message)
            continue
        for cell_place, (column, cell) in enumerate(zip(table.columns, row, strict=False)):
            fault = _unreadable(column, cell)
            if fault is not None:
                yield _fault(f"{path}.rows.{place}.{cell_place}", fault)
        try:
            Ratio.or_zero(row[-1]) if may_be_zero else Ratio.of(row[-1])
        except ValueError as error:
            yield _fault(f"{path}.rows.{place}.{width - 1}", str(error))


def _unreadable(column: TableColumn, cell: str) -> str | None:
    if column.match == "value":
        return None
    try:
        if column.match == "point":
            point_of(cell)
            return None
        low, high = band_of(cell)
    except ValueError as error:
        return str(error)
    return f"the band ends at {high}, below its beginning {low}" if high < low else None


def _unreachable_rows(path: str, table: RateTable, known: Known) -> Iterator[Fault]:
    for place, row in enumerate(table.rows):
        for column, cell in zip(table.columns, row, strict=False):
            where = f"{path}.rows.{place}"
            if column.match == "value":
                if cell != ANY and known.never_told(column.fact, cell):
                    yield _fault(where, known.unreachable(column.fact, cell))
            elif column.match == "band":
                low, high = known.accepted.get(column.fact, (-NUMBER_MAX, NUMBER_MAX))
                first, last = band_of(cell)
                if last < low or first > high:
                    accepted = band_text(low, high)
                    yield _fault(where, f"can never be reached: underwriting accepts {column.fact} {accepted}")


def _overlaps(path: str, grid: Grid) -> Iterator[Fault]:
    told: set[tuple[int, int]] = set()
    for place, rows in grid.rows.items():
        seen: dict[int, int] = {}
        for row in rows:
            # Rows of a curve stand side by side at different points.
            point = grid.points[row] if grid.points else 0
            first = seen.setdefault(point, row)
            if first != row and (first, row) not in told:
                told.add((first, row))
                where = _words(grid, place) + (f", {grid.interpolated} {point}" if grid.interpolated else "")
                yield _fault(f"{path}.rows.{row}", f"overlaps row {first}: both hold for {where}; keep one of them")


def _words(grid: Grid, place: Place) -> str:
    said = [f"{axis.fact} {axis.names[segment]}" for axis, segment in zip(grid.axes, place, strict=True)]
    return ", ".join(said) or "everybody"


def _gaps(path: str, grid: Grid, known: Known) -> Iterator[Fault]:
    open_segments: list[list[int]] = []
    count = 1
    for axis in grid.axes:
        low, high = known.accepted.get(axis.fact, (-NUMBER_MAX, NUMBER_MAX))
        inside = [
            segment
            for segment, name in enumerate(axis.names)
            if (axis.ranges[segment][1] >= low and axis.ranges[segment][0] <= high if axis.ranges else True)
            and not (name == OTHER and known.all_told(axis.fact, axis.names))
        ]
        open_segments.append(inside)
        count *= len(inside)
    if count > CELLS_MAX:
        yield _fault(path, f"the rows cut the columns into {count} cells; at most {CELLS_MAX} can be checked, split it")
        return
    missing = [place for place in product(*open_segments) if place not in grid.rows]
    for place in islice(missing, LISTED_MAX):
        yield _fault(f"{path}.rows", f"there is a gap: no row holds for {_words(grid, place)}; add one")
    if len(missing) > LISTED_MAX:
        yield _fault(f"{path}.rows", f"{len(missing) - LISTED_MAX} more gaps are not listed; mend these first")


def _curve_ends(path: str, grid: Grid, known: Known) -> Iterator[Fault]:
    fact = grid.interpolated or ""
    low, high = known.accepted.get(fact, (-NUMBER_MAX, NUMBER_MAX))
    for place, rows in grid.rows.items():
        points = [grid.points[row] for row in rows]
        where = f" for {_words(grid, place)}" if grid.axes else ""
        if -NUMBER_MAX < low < min(points):
            yield _fault(f"{path}.rows", f"{fact} is accepted from {low} on; the first point{where} is {min(points)}")
        if max(points) < high < NUMBER_MAX:
            yield _fault(f"{path}.rows", f"{fact} is accepted up to {high}; the last point{where} is {max(points)}")
