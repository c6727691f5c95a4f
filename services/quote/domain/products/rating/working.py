"""Keeps the working of a price within what one event may hold."""

from collections import Counter
from collections.abc import Sequence

from services.quote.domain.products.tariff import RatedStep

CHARACTERS_MAX = 150_000
"""A character is up to three bytes, and an event holds 512 kB at most."""

_ALWAYS_SHORT_STEPS = 64
_FIELD_NAMES_CHARACTERS = 70
_ORIGIN_CHARACTERS_MAX = 120


def folded(steps: Sequence[RatedStep]) -> tuple[RatedStep, ...]:
    """The steps; where they are too many for an event, equal ones of several subjects once, with how many they are.

    What is told of a fact may differ between subjects whose entry is the same: the first one's is kept.
    """
    if len(steps) <= _ALWAYS_SHORT_STEPS or _characters(steps) <= CHARACTERS_MAX:
        return tuple(steps)
    firsts: dict[tuple[str, ...], RatedStep] = {}
    count: Counter[tuple[str, ...]] = Counter()
    for step in steps:
        # An entry of the tariff is known by its place; what has none, by all that it says.
        key = (step.coverage, step.value, step.row or step.origin, step.kind)
        firsts.setdefault(key, step)
        count[key] += 1
    return tuple(_folded(step, count[key]) for key, step in firsts.items())


def _folded(step: RatedStep, times: int) -> RatedStep:
    subject = f"{times} x, first {step.subject}" if times > 1 else step.subject
    return RatedStep(step.coverage, subject, step.value, step.origin[:_ORIGIN_CHARACTERS_MAX], step.row, step.kind)


def _characters(steps: Sequence[RatedStep]) -> int:
    told = sum(
        len(step.coverage) + len(step.subject) + len(step.value) + len(step.origin) + len(step.row) for step in steps
    )
    return told + len(steps) * _FIELD_NAMES_CHARACTERS
