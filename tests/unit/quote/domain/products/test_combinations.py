"""Which choices of coverages a plan allows, found by search and held against trying every choice."""

from itertools import combinations as subsets
from random import Random

import pytest

from services.quote.domain.products.combinations import Choices, TooIntricate, is_met, ungrounded
from services.quote.domain.products.coverage import Combination, PlannedCoverage

CODES = "ABCDEF"


def planned(code: str, *, mandatory: bool = False, rider_on: tuple[str, ...] = ()) -> PlannedCoverage:
    title = {"en": code, "zh": code}
    return PlannedCoverage.model_validate(
        {"code": code, "title": title, "class_of_business": "x", "mandatory": mandatory, "rider_on": rider_on}
    )


def drawn(random: Random) -> tuple[list[PlannedCoverage], list[Combination]]:
    coverages = [
        planned(
            code,
            mandatory=random.random() < 0.15,
            rider_on=tuple(random.sample(CODES.replace(code, ""), 2)) if random.random() < 0.4 else (),
        )
        for code in CODES
    ]
    rules = [
        Combination(
            kind=random.choice(("at-least", "at-most", "not-together")),
            of=tuple(random.sample(CODES, random.randint(2, 4))),
            count=random.randint(1, 3),
        )
        for _ in range(random.randint(1, 4))
    ]
    return coverages, rules


def allowed(coverages: list[PlannedCoverage], rules: list[Combination]) -> list[set[str]]:
    """Every choice that is allowed, by trying all of them."""
    found = []
    for size in range(len(CODES) + 1):
        for each in subsets(CODES, size):
            bought = set(each)
            mandatory = all(cover.code in bought for cover in coverages if cover.mandatory)
            based = all(bought & set(cover.rider_on) for cover in coverages if cover.code in bought and cover.rider_on)
            if mandatory and based and all(is_met(rule, bought) for rule in rules):
                found.append(bought)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_the_search_finds_what_trying_everything_finds(seed: int) -> None:
    coverages, rules = drawn(Random(seed))
    choices, possible = Choices(coverages, rules), allowed(coverages, rules)
    assert choices.exist() == bool(possible)
    for code in CODES:
        assert choices.exist((code,)) == any(code in bought for bought in possible), code


def test_a_plan_that_takes_too_long_to_search_is_said_to_be() -> None:
    names = [f"C{number}" for number in range(40)]
    rules = [Combination(kind="not-together", of=pair) for pair in subsets(names, 2)]
    rules += [Combination(kind="at-least", of=tuple(names[::2]), count=2)]
    rules += [Combination(kind="at-least", of=tuple(names[place::7]), count=1) for place in range(7)]
    with pytest.raises(TooIntricate):
        Choices(
            [planned(name) for name in names], [*rules[-8:], Combination(kind="at-most", of=tuple(names), count=6)]
        ).exist()


def test_a_chain_of_riders_stands_on_its_base() -> None:
    chain = [
        planned("A"),
        planned("B", rider_on=("A",)),
        planned("C", rider_on=("B", "D")),
        planned("D", rider_on=("C",)),
    ]
    assert ungrounded(chain) == []
    island = [planned("C", rider_on=("D",)), planned("D", rider_on=("C",))]
    assert ungrounded([*chain[:2], *island]) == ["C", "D"]
