"""Exact ratios: rates and factors as decimal text, multiplied as whole numbers and rounded once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import lcm
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from contracts.vocabulary.money import divide_half_up

_PATTERN = r"^[0-9]{1,9}(\.[0-9]{1,8})?$"
_DECIMAL = re.compile(_PATTERN)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A decimal number above zero as `numerator / denominator`, with the text that it was written as."""

    numerator: int
    denominator: int
    text: str

    @staticmethod
    def of(value: object) -> "Ratio":
        """The ratio of a text such as `"1.25"`. Raises ValueError where it is none, or is zero."""
        if isinstance(value, Ratio):
            return value
        # A number without quotes has been a binary float on its way here, and may not be what was written.
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise ValueError('must be a decimal number in quotes, such as "1.25"')
        whole, _, places = value.partition(".")
        numerator = int(whole + places)
        if numerator == 0:
            raise ValueError("must be above zero; leave out what is not rated")
        return Ratio(numerator, 10 ** len(places), value)


RatioText = Annotated[
    Ratio,
    PlainValidator(Ratio.of),
    PlainSerializer(lambda ratio: ratio.text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _PATTERN}),
]

PER_MILLE = Ratio(1, 1000, "0.001")


@dataclass(frozen=True, slots=True)
class Exact:
    """An amount in minor units that has not been rounded yet."""

    numerator: int
    denominator: int = 1

    def times(self, ratio: Ratio) -> "Exact":
        """The product."""
        return Exact(self.numerator * ratio.numerator, self.denominator * ratio.denominator)

    def rounded_minor(self) -> int:
        """Whole minor units, half up; done once, where the amount is born."""
        return divide_half_up(self.numerator, self.denominator)


def product(amount_minor: int, ratios: Iterable[Ratio]) -> Exact:
    """An amount times all ratios, exactly."""
    exact = Exact(amount_minor)
    for ratio in ratios:
        exact = exact.times(ratio)
    return exact


def total(parts: Iterable[Exact]) -> Exact:
    """The sum of amounts, exactly."""
    listed = list(parts)
    denominator = lcm(*(part.denominator for part in listed))
    return Exact(sum(part.numerator * (denominator // part.denominator) for part in listed), denominator)
