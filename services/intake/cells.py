"""From the text of cells to values: exact amounts, dates, instants, whole numbers, replaced words."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeAlias

from contracts.vocabulary.money import minor_digits
from services.intake.contract_fields import Conversion
from services.intake.faults import shown
from services.intake.mapping import PLACEHOLDER, Scalar

Cells: TypeAlias = Sequence[str]
Read: TypeAlias = Callable[[Cells], Any]
"""Reads one value from a row: None leaves the field out. Raises CellFault."""

Convert: TypeAlias = Callable[[str, Cells], Any]

DIGITS_MAX = 15
_REMEMBERED = 4096
_INTEGER = re.compile(rf"-?[0-9]{{1,{DIGITS_MAX}}}")
_DECIMAL = re.compile(rf"(-?)([0-9]{{1,{DIGITS_MAX}}})(?:[.]([0-9]{{1,{DIGITS_MAX}}}))?")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BOOLEANS = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}


class CellFault(Exception):
    """A cell that cannot become the value that is wanted."""


@lru_cache(_REMEMBERED)
def integer(text: str) -> int:
    """A whole number, in ASCII digits."""
    if not _INTEGER.fullmatch(text):
        raise CellFault(f"{shown(text)} is not a whole number")
    return int(text)


@lru_cache(_REMEMBERED)
def minor(text: str, digits: int, mark: str) -> int:
    """A decimal amount in minor units, exactly.

    More decimals than the currency has are refused even where they are zeros: `15.000` is more often
    fifteen thousand, written with a point, than fifteen.
    """
    plain = text.replace(mark, ".") if mark != "." and "." not in text else text
    found = _DECIMAL.fullmatch(plain) if mark == "." or "." not in text else None
    if found is None:
        raise CellFault(f"{shown(text)} is not an amount such as 1234{mark}50")
    sign, whole, decimals = found[1], found[2], found[3] or ""
    if len(decimals) > digits:
        raise CellFault(f"{shown(text)} has more than {digits} decimals")
    amount = int(whole + decimals.ljust(digits, "0"))
    return -amount if sign else amount


@lru_cache(_REMEMBERED)
def iso_date(text: str, date_format: str | None) -> str:
    """A date, as ISO text."""
    try:
        if date_format is not None:
            # A date has no zone, so the naive moment that strptime makes does no harm.
            return datetime.strptime(text, date_format).date().isoformat()  # noqa: DTZ007
        if _ISO_DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise CellFault(f"{shown(text)} is not a date of the form {date_format or 'YYYY-MM-DD'}")


@lru_cache(_REMEMBERED)
def instant(text: str) -> str:
    """A moment with its time zone, as ISO text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CellFault(f"{shown(text)} is not a moment of the form YYYY-MM-DDTHH:MM:SSZ")
    return moment.isoformat()


def boolean(text: str) -> bool:
    """Yes or no."""
    found = _BOOLEANS.get(text.lower())
    if found is None:
        raise CellFault(f"{shown(text)} is neither true nor false")
    return found


def converter(
    conversion: Conversion, digits_of: Callable[[Cells], int], mark: str, date_format: str | None = None
) -> Convert:
    """The function from a cell's text (and its row, for the currency's decimals) to a value."""
    match conversion:
        case Conversion.TEXT:
            return lambda text, _: text
        case Conversion.INTEGER:
            return lambda text, _: integer(text.strip())
        case Conversion.MINOR:
            return lambda text, cells: minor(text.strip(), digits_of(cells), mark)
        case Conversion.DATE:
            return lambda text, _: iso_date(text.strip(), date_format)
        case Conversion.INSTANT:
            return lambda text, _: instant(text.strip())
        case Conversion.BOOLEAN:
            return lambda text, _: boolean(text.strip())


def reader(scalar: Scalar, convert: Convert, places: Mapping[str, int]) -> Read:
    """The function that reads this value from a row whose columns stand at `places`."""
    text_of, origin = _text_reader(scalar, places)
    replacements = scalar.replacements

    def read(cells: Cells) -> Any:
        text = text_of(cells)
        if text is None:
            if scalar.optional:
                return None
            raise CellFault(f"{origin}: is empty")
        if replacements is not None:
            text = replacements.get(text)
            if text is None:
                known = ", ".join(list(replacements)[:20])
                raise CellFault(f"{origin}: {shown(text_of(cells))} is not one of {known}")
        try:
            return convert(text, cells)
        except CellFault as fault:
            raise CellFault(f"{origin}: {fault}") from None

    return read


def digits_reader(currency: Scalar | None, places: Mapping[str, int]) -> Callable[[Cells], int]:
    """The function that tells how many decimals the row's currency has; two where it cannot be read."""
    if currency is None:
        return lambda _: minor_digits("")
    if currency.value is not None and currency.replacements is None:
        fixed = minor_digits(currency.value)
        return lambda _: fixed
    read = reader(currency, lambda text, _: text, places)

    def digits(cells: Cells) -> int:
        try:
            return minor_digits(read(cells) or "")
        except CellFault:
            # The currency's own fault is reported with its own field.
            return minor_digits("")

    return digits


def _text_reader(scalar: Scalar, places: Mapping[str, int]) -> tuple[Callable[[Cells], str | None], str]:
    if scalar.value is not None:
        fixed = scalar.value
        return (lambda _: fixed), "value"
    if scalar.column is not None:
        place = places[scalar.column]

        def column(cells: Cells) -> str | None:
            text = cells[place]
            return text if text and not text.isspace() else None

        return column, f"column {scalar.column}"
    return _template_reader(scalar.template or "", places), f"template {scalar.template}"


def _template_reader(template: str, places: Mapping[str, int]) -> Callable[[Cells], str | None]:
    # Splitting by a pattern with one group alternates fixed text and column names.
    parts = PLACEHOLDER.split(template)
    fixed, columns = parts[::2], [places[name] for name in parts[1::2]]

    def text(cells: Cells) -> str | None:
        made = fixed[0]
        for place, following in zip(columns, fixed[1:], strict=True):
            cell = cells[place].strip()
            if not cell:
                return None
            made += cell + following
        return made

    return text
