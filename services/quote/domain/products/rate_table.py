"""Rate tables of a product document: rows that ask about facts, and the ratio that each of them gives."""

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, StringConstraints

from services.quote.domain.products.part import DocumentPart, FactName, PlainText

COLUMNS_MAX = 8
ROWS_MAX = 5_000
ANY = "*"
NUMBER_MAX = 10**15
"""Stands for no end where a band is open."""

Range: TypeAlias = tuple[int, int]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]

_BAND = re.compile(r"(-?[0-9]{1,15})(?:-(-?[0-9]{1,15})|(\+))?")


def _text(value: object) -> object:
    # A band of one number is written without quotes by whoever writes YAML.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Cell = Annotated[PlainText, BeforeValidator(_text, json_schema_input_type=str | int)]


class TableColumn(DocumentPart):
    """A fact that every row asks about, and how.

    `value` compares texts; `band` takes whole numbers from one to another, such as `18-30`, `61+` or `7`; `point` is
    a number between whose rows the ratio is interpolated. `*` in a row holds for everything (never for points).
    """

    fact: FactName
    match: Literal["value", "band", "point"] = "value"


class RateTable(DocumentPart):
    """Rows such as `["18-30", F, "1.90"]`: a cell for each column, and at the end the ratio.

    One row and one only holds for any risk; what no row holds for has no rate.
    """

    columns: Annotated[tuple[TableColumn, ...], Field(min_length=1, max_length=COLUMNS_MAX)]
    rows: Annotated[tuple[tuple[Cell, ...], ...], Field(min_length=1, max_length=ROWS_MAX)]


def band_of(cell: str) -> Range:
    """First and last number of a band, both included. Raises ValueError where the cell is no band."""
    if cell == ANY:
        return -NUMBER_MAX, NUMBER_MAX
    found = _BAND.fullmatch(cell)
    if found is None:
        raise ValueError('must be a band such as "18-30", "61+", "7" or "*"')
    low, high, is_open = found.groups()
    return int(low), NUMBER_MAX if is_open else int(high if high is not None else low)


def point_of(cell: str) -> int:
    """The whole number of a point. Raises ValueError where the cell is none."""
    low, high = band_of(cell)
    if low != high:
        raise ValueError("must be one whole number; the ratio between two points is interpolated")
    return low


def band_text(low: int, high: int) -> str:
    """A band as a person reads it."""
    if low <= -NUMBER_MAX:
        return "any number" if high >= NUMBER_MAX else f"up to {high}"
    if high >= NUMBER_MAX:
        return f"{low} and above"
    return str(low) if low == high else f"{low} to {high}"
