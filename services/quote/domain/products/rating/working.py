"""Keeps the working of a price within what one event may hold."""

from collections import Counter
from collections.abc import Sequence

from services.quote.domain.products.tariff import RatedStep

STEPS_MAX = 2_000
"""About 300 kB of an event, whose limit is 512."""


def folded(steps: Sequence[RatedStep]) -> tuple[RatedStep, ...]:
    """The steps; above STEPS_MAX those that are the same for several subjects once, with how many they are for.

    What is told of a fact may differ between subjects whose entry is the same: the first one's is kept.
    """
    if len(steps) <= STEPS_MAX:
        return tuple(steps)
    firsts: dict[tuple[str, ...], RatedStep] = {}
    count: Counter[tuple[str, ...]] = Counter()
    for step in steps:
        # An entry of the tariff is known by its place; what has none, by all that it says.
        place = step.row or step.origin
        key = (step.coverage, step.value, place, step.kind)
        firsts.setdefault(key, step)
        count[key] += 1
    return tuple(
        RatedStep(step.coverage, f"{count[key]} x, first {step.subject}", step.value, step.origin, step.row, step.kind)
        if count[key] > 1
        else step
        for key, step in firsts.items()
    )
