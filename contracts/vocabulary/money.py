"""Money: whole minor units of one currency, rounding half up, and splits that always add up.

A contract has exactly one currency, named once on each message; amounts are plain integers whose
names end in `_minor` (cents, fen). There is no float and no implicit rounding anywhere.
"""

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import Field, Strict, StringConstraints

AMOUNT_MINOR_MAX = 10**15
"""Ten trillion of a two-decimal currency: far above any book, far below 2**53 and int8."""

AmountMinor = Annotated[int, Strict(), Field(ge=-AMOUNT_MINOR_MAX, le=AMOUNT_MINOR_MAX)]
PositiveMinor = Annotated[int, Strict(), Field(gt=0, le=AMOUNT_MINOR_MAX)]
NonNegativeMinor = Annotated[int, Strict(), Field(ge=0, le=AMOUNT_MINOR_MAX)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

BASIS_POINTS = 10_000

# ISO 4217 minor-unit digits; currencies not listed have two.
_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3, "TND": 3}

Name = TypeVar("Name")


def divide_half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded to a whole number, halves away from zero.

    The single rounding rule of the system, applied where an amount is born.
    """
    if denominator <= 0:
        raise ValueError("denominator must be positive")
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def split(total_minor: int, weights: Mapping[Name, int]) -> dict[Name, int]:
    """Parts of `total_minor` in proportion to `weights`, by largest remainder; ties to the first named.

    The parts always sum to the total. Weights are non-negative whole numbers, not all zero.
    """
    whole = sum(weights.values())
    if whole <= 0 or min(weights.values()) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    sign = -1 if total_minor < 0 else 1
    amount = abs(total_minor)
    parts: dict[Name, int] = {}
    remainders: list[tuple[int, int, Name]] = []
    for place, (name, weight) in enumerate(weights.items()):
        parts[name], remainder = divmod(amount * weight, whole)
        remainders.append((-remainder, place, name))
    left = amount - sum(parts.values())
    for _, _, name in sorted(remainders)[:left]:
        parts[name] += 1
    return {name: sign * part for name, part in parts.items()}


def split_increase(booked_total_minor: int, increase_minor: int, weights: Mapping[Name, int]) -> dict[Name, int]:
    """What to book for `increase_minor` when `booked_total_minor` has been split already.

    Splits the running total and books the difference, so the parts add up on every item and keep
    the agreed shares over the life of a contract; splitting each item alone drifts.
    """
    before = split(booked_total_minor, weights)
    after = split(booked_total_minor + increase_minor, weights)
    return {name: after[name] - before[name] for name in weights}


def instalments(total_minor: int, count: int) -> tuple[int, ...]:
    """`count` equal instalments; the cents that do not divide are on the first one."""
    if count < 1:
        raise ValueError("count must be at least 1")
    each = total_minor // count
    return (total_minor - each * (count - 1), *(each for _ in range(count - 1)))


def unearned(premium_minor: int, days_left: int, term_days: int) -> int:
    """U(P) = round(P x days left / term): the part of a premium that pays for days to come.

    The one function of endorsement, surrender and ledger; earned premium is what it leaves.
    """
    if not 0 <= days_left <= term_days:
        raise ValueError("days_left must lie between 0 and term_days")
    return divide_half_up(premium_minor * days_left, term_days)


def minor_digits(currency: str) -> int:
    """Decimal places of the currency's minor unit (ISO 4217)."""
    return _DIGITS.get(currency, 2)


def format_minor(amount_minor: int, currency: str) -> str:
    """Human form with thousands separators, such as `22,267,692.50`."""
    digits = minor_digits(currency)
    sign = "-" if amount_minor < 0 else ""
    whole, part = divmod(abs(amount_minor), 10**digits)
    return f"{sign}{whole:,}" + (f".{part:0{digits}d}" if digits else "")
