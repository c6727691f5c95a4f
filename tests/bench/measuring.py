"""What a row of the benchmark is: two sides measured in turns, medians, the spread, and what was wanted."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeAlias

from infra.servers import Servers

Side: TypeAlias = Callable[[], Awaitable[float]]
"""Does the work once and returns its rate or its cost."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every row is given. `folder` is scratch space that goes with the run; `say` tells who waits."""

    servers: Servers
    folder: Path
    quick: bool
    say: Callable[[str], None]

    @property
    def repetitions(self) -> int:
        """How often each side is measured."""
        return 2 if self.quick else 5


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `reach` is the share of what was wanted that was reached; None: nothing was wanted."""

    name: str
    against: str
    wanted: str
    measured: str
    ratio: str
    reach: float | None

    @property
    def verdict(self) -> str:
        """met, missed, or nothing where the line is there to be looked at."""
        if self.reach is None:
            return ""
        return "met" if self.reach >= 1 else "missed"


async def in_turns(ours: Side, theirs: Side, times: int) -> tuple[list[float], list[float]]:
    """Both sides, one after the other, so that what else the machine does meets both; the first one changes."""
    mine: list[float] = []
    other: list[float] = []
    for turn in range(times):
        sides = ((ours, mine), (theirs, other))
        for side, found in sides if turn % 2 == 0 else reversed(sides):
            found.append(await side())
    return mine, other


def rate_row(
    name: str, against: str, unit: str, ours: Sequence[float], theirs: Sequence[float], *, at_least: float | None
) -> Row:
    """A row of two rates (more is better): the median of the ratios, each of one turn."""
    ratios = _ratios(ours, theirs)
    return Row(
        name,
        against,
        "" if at_least is None else f"at least {at_least:g} x",
        f"{median(ours):,.0f} against {median(theirs):,.0f} {unit}",
        _with_spread(ratios),
        None if at_least is None else median(ratios) / at_least,
    )


def cost_row(
    name: str, against: str, unit: str, ours: Sequence[float], theirs: Sequence[float], *, at_most: float
) -> Row:
    """A row of two costs (less is better): ours may be `at_most` times theirs."""
    ratios = _ratios(ours, theirs)
    return Row(
        name,
        against,
        f"at most {at_most:g} x",
        f"{median(ours):,.1f} against {median(theirs):,.1f} {unit}",
        _with_spread(ratios),
        at_most / median(ratios),
    )


def least_row(name: str, unit: str, found: Sequence[float], *, wanted: str, at_least: float) -> Row:
    """A row of one rate by itself, whose median is to reach `at_least`."""
    rate = median(found)
    measured = f"{rate:,.0f} {unit} ({min(found):,.0f} to {max(found):,.0f})"
    return Row(name, "-", wanted, measured, f"{rate / at_least:.2f} of it", rate / at_least)


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def _with_spread(ratios: Sequence[float]) -> str:
    return f"{median(ratios):.2f} x ({min(ratios):.2f} to {max(ratios):.2f})"
