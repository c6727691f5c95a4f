"""Whether coverages may be bought with each other, and whether anybody could ever buy them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.quote.domain.products.coverage import Combination, PlannedCoverage

TRIALS_MAX = 20_000
"""A search that takes longer is a plan that no buyer would understand either."""


class TooIntricate(Exception):
    """Whether the plan can be bought was not found out within TRIALS_MAX trials."""


def is_met(combination: Combination, bought: Collection[str]) -> bool:
    """Whether a choice of coverages is one that the combination allows."""
    chosen = sum(code in bought for code in combination.of)
    match combination.kind:
        case "at-least":
            return chosen >= combination.count
        case "at-most":
            return chosen <= combination.count
        case "not-together":
            return chosen <= 1


def sentence(combination: Combination) -> str:
    """What the combination demands."""
    named = ", ".join(combination.of)
    match combination.kind:
        case "at-least":
            return f"at least {combination.count} of {named} must be bought"
        case "at-most":
            return f"at most {combination.count} of {named} may be bought"
        case "not-together":
            return f"{named} are not sold together"


def ungrounded(coverages: Sequence[PlannedCoverage]) -> list[str]:
    """Riders that no coverage stands under in the end, because they only name each other."""
    grounded = {coverage.code for coverage in coverages if not coverage.rider_on}
    riders = [coverage for coverage in coverages if coverage.rider_on]
    while True:
        more = [rider.code for rider in riders if rider.code not in grounded and grounded.intersection(rider.rider_on)]
        if not more:
            return [rider.code for rider in riders if rider.code not in grounded]
        grounded.update(more)


@dataclass(slots=True)
class Choices:
    """All ways to choose coverages: mandatory ones always, riders with a base, every combination met."""

    coverages: Sequence[PlannedCoverage]
    combinations: Sequence[Combination]
    trials: int = 0

    def exist(self, wanted: Collection[str] = ()) -> bool:
        """Whether there is a choice with all of `wanted`. Raises TooIntricate."""
        self.trials = 0
        taken = {coverage.code: True for coverage in self.coverages if coverage.mandatory}
        return self._search(taken | dict.fromkeys(wanted, True))

    def _search(self, taken: Mapping[str, bool]) -> bool:
        self.trials += 1
        if self.trials > TRIALS_MAX:
            raise TooIntricate
        broken = self._undecided(taken)
        if broken is None:
            return True
        for code in broken:
            if code in taken:
                continue
            if self._search({**taken, code: True}):
                return True
            # With this one bought there is no way, so what follows is searched without it.
            taken = {**taken, code: False}
        return False

    def _undecided(self, taken: Mapping[str, bool]) -> Sequence[str] | None:
        """The coverages of a demand that is not met yet, or of one that cannot be met any more; None where all is well.

        Coverages that nothing demands are left out of the choice, so upper limits are only ever broken for good.
        """
        bought = {code for code, is_taken in taken.items() if is_taken}
        if any(each.kind != "at-least" and not is_met(each, bought) for each in self.combinations):
            return ()
        return next(self._unmet(bought), None)

    def _unmet(self, bought: Collection[str]) -> Iterator[Sequence[str]]:
        for coverage in self.coverages:
            if coverage.code in bought and coverage.rider_on and not set(coverage.rider_on) & set(bought):
                yield coverage.rider_on
        for each in self.combinations:
            if each.kind == "at-least" and not is_met(each, bought):
                yield each.of
