"""What the factors of a working come to, since a reader of a price does not multiply."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from contracts.vocabulary.money import divide_half_up, format_minor

_EVERY = "*"
_FOLDED = " x, first "


def multiplied(steps: Sequence[Mapping[str, str]], currency: str) -> list[str]:
    """For each step what it and all before it come to; empty but for the last one that is multiplied.

    Nothing at all where steps of several subjects were told once, since they are not the factors of one price any more.
    """
    told = [""] * len(steps)
    if any(_FOLDED in step["subject"] for step in steps):
        return told
    products: dict[tuple[str, str], tuple[int, Fraction]] = {}
    for number, step in enumerate(steps):
        place = (step["coverage"], step["subject"])
        if step["coverage"] != _EVERY and not step.get("kind"):
            _, before = products.get(place, (number, Fraction(1)))
            products[place] = (number, before * _fraction(step["value"]))
    for number, price in products.values():
        told[number] = format_minor(divide_half_up(price.numerator, price.denominator), currency)
    return told


def _fraction(value: str) -> Fraction:
    percent = value.removesuffix(" %")
    return Fraction(percent) if percent == value else Fraction(percent) / 100
