"""Exact ratios: rates and factors as decimal text, multiplied as whole numbers and rounded once."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import gcd, lcm
from typing import Annotated, TypeVar

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from contracts.vocabulary.money import divide_half_up

_PATTERN = r"^[0-9]{1,9}(\.[0-9]{1,8})?$"
_DECIMAL = re.compile(_PATTERN)
_PLACES_SHOWN_MAX = 12

Name = TypeVar("Name")


@dataclass(frozen=True, slots=True)
class Ratio:
    """A decimal number as `numerator / denominator`, with the text that it was written as."""

    numerator: int
    denominator: int
    text: str

    @staticmethod
    def of(value: object) -> "Ratio":
        """The ratio of a text such as `"1.25"`. Raises ValueError where it is none, or is zero."""
        found = Ratio.or_zero(value)
        if found.numerator == 0:
            raise ValueError("must be above zero; leave out what is not rated")
        return found

    @staticmethod
    def or_zero(value: object) -> "Ratio":
        """As `of`, but zero is a number too: a table of loadings has rows that load nothing."""
        if isinstance(value, Ratio):
            return value
        # A number without quotes has been a binary float on its way here, and may not be what was written.
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise ValueError('must be a decimal number in quotes, such as "1.25"')
        whole, _, places = value.partition(".")
        return Ratio(int(whole + places), 10 ** len(places), value)


RatioText = Annotated[
    Ratio,
    PlainValidator(Ratio.of),
    PlainSerializer(lambda ratio: ratio.text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _PATTERN}),
]


# Not frozen, and never changed: it is made dozens of times for each order, and freezing makes that four times as slow.
@dataclass(slots=True)
class Exact:
    """An amount in minor units that has not been rounded yet."""

    numerator: int
    denominator: int = 1

    def times(self, numerator: int, denominator: int = 1) -> "Exact":
        """The product with a ratio."""
        return Exact(self.numerator * numerator, self.denominator * denominator)

    def rounded_minor(self) -> int:
        """Whole minor units, half up; done once, where the amount is born."""
        return divide_half_up(self.numerator, self.denominator)


def total(parts: Iterable[Exact]) -> Exact:
    """The sum of amounts, exactly."""
    listed = list(parts)
    if len(listed) == 1:
        return listed[0]
    denominator = lcm(*(part.denominator for part in listed))
    return Exact(sum(part.numerator * (denominator // part.denominator) for part in listed), denominator)


def proportions(parts: Mapping[Name, Exact]) -> dict[Name, int]:
    """Whole numbers in the proportion of the amounts, as weights to split by."""
    denominator = lcm(*(part.denominator for part in parts.values()))
    return {name: part.numerator * (denominator // part.denominator) for name, part in parts.items()}


def ratio_text(numerator: int, denominator: int) -> str:
    """A ratio as decimal text where it has few places, as a fraction such as `37/30` where not."""
    shared = gcd(numerator, denominator)
    numerator, denominator = numerator // shared, denominator // shared
    for places in range(_PLACES_SHOWN_MAX + 1):
        if 10**places % denominator == 0:
            whole, part = divmod(numerator * (10**places // denominator), 10**places)
            return f"{whole}.{part:0{places}d}" if places else str(whole)
    return f"{numerator}/{denominator}"
