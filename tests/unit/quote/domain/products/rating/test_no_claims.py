"""No-claims level and bonus-malus: the worked figures, and both as factors of a tariff."""

from typing import Any

import pytest

from services.quote.domain.products.rating.no_claims import bonus_malus_after, no_claims_level
from services.quote.domain.products.rating.plan import RatingPlan
from services.quote.domain.products.rating.price import rate
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.tariff import NoClaimsScale, Tariff

SCALE = NoClaimsScale()
LEVELS = {
    "-4": "0.5",
    "-3": "0.6",
    "-2": "0.7",
    "-1": "0.8",
    "0": "1.0",
    "1": "1.2",
    "2": "1.4",
    "3": "1.6",
    "4": "1.8",
    "5": "2.0",
}


def plan(*factors: dict[str, Any]) -> RatingPlan:
    """Base 4,000.00, the insurer's own factor 0.92, and what is given."""
    own = {"kind": "value", "name": "own", "fact": "usage", "values": {"private": "0.92"}}
    rates = {"Own": {"basis": "minor", "amount": "400000"}}
    return RatingPlan.of(Tariff.model_validate({"rates": rates, "factors": [*factors, own]}))


NCD = plan(
    {
        "kind": "no-claims",
        "name": "NCD",
        "claims": "claims",
        "years": "years",
        "gap_months": "gap",
        "transferred": "transferred",
        "last_level": "last_level",
        "levels": LEVELS,
    }
)


@pytest.mark.parametrize(
    ("years", "claims", "level", "premium_minor"),
    [
        (0, 0, 0, 368_000),
        (1, 0, -1, 294_400),
        (3, 1, -2, 257_600),
        (4, 0, -4, 184_000),
        (1, 3, 2, 515_200),
    ],
    ids=["a new car", "one clean year", "three years, one claim", "four clean years", "one year, three claims"],
)
def test_the_chinese_scale_gives_the_worked_figures(years: int, claims: int, level: int, premium_minor: int) -> None:
    # Worked figure W20, base 4,000.00 and own factor 0.92.
    assert no_claims_level(SCALE, claims, years) == level
    facts: dict[str, Any] = {"years": years, "claims": claims, "usage": "private"}
    assert rate(NCD, [("Own", None)], [Subject("risk", facts)]).premiums == {"Own": premium_minor}


@pytest.mark.parametrize(
    ("gap_months", "transferred", "level"),
    [(4, False, -2), (7, False, 0), (0, True, 0), (2, False, -3), (3, False, -2), (6, False, -2)],
)
def test_after_a_gap_the_level_only_rises_and_then_begins_anew(gap_months: int, transferred: bool, level: int) -> None:
    # Worked figure W20b: last level -2, computed -3.
    found = no_claims_level(SCALE, 0, 3, gap_months=gap_months, transferred=transferred, last_level=-2)
    assert found == level


def test_gap_and_owner_are_facts_of_the_tariff() -> None:
    facts: dict[str, Any] = {"years": 3, "claims": 0, "usage": "private", "gap": 4, "last_level": -2}
    (price,) = rate(NCD, [("Own", None)], [Subject("risk", facts)]).premiums.values()
    assert price == 257_600
    (price,) = rate(NCD, [("Own", None)], [Subject("risk", {**facts, "transferred": "yes"})]).premiums.values()
    assert price == 368_000


def test_the_working_tells_the_level_and_what_led_to_it() -> None:
    facts: dict[str, Any] = {"years": 3, "claims": 1, "usage": "private"}
    step = rate(NCD, [("Own", None)], [Subject("risk", facts)]).steps[1]
    assert (step.value, step.row) == ("0.7", "factors.0.levels.-2")
    assert step.origin == "factor NCD, claims 1, years 3: claims 1 less years 3, level -2"


def test_a_history_that_was_not_told_has_no_price() -> None:
    (fault,) = rate(NCD, [("Own", None)], [Subject("risk", {"usage": "private", "years": 1})]).faults
    assert "claims and years" in fault.message


def test_the_level_has_a_ceiling() -> None:
    assert no_claims_level(SCALE, 9, 1) == 5


def test_thirteen_clean_years_bring_the_french_coefficient_to_its_floor() -> None:
    # Worked figure W20c.
    years = [100]
    while len(years) < 14:
        years.append(bonus_malus_after(years[-1]))
    assert years == [100, 95, 90, 85, 80, 76, 72, 68, 64, 60, 57, 54, 51, 50]
    assert bonus_malus_after(50) == 50


@pytest.mark.parametrize(
    ("before", "full_fault", "half_fault", "after"),
    [(60, 2, 0, 93), (60, 3, 0, 117), (60, 0, 1, 67), (340, 1, 0, 350), (60, 1, 1, 84)],
)
def test_claims_raise_the_french_coefficient(before: int, full_fault: int, half_fault: int, after: int) -> None:
    assert bonus_malus_after(before, full_fault, half_fault) == after


def test_bonus_malus_is_a_factor_of_a_tariff() -> None:
    factor = {"kind": "bonus-malus", "name": "CRM", "coefficient": "bonus_malus", "full_fault": "claims"}
    facts: dict[str, Any] = {"bonus_malus": 60, "claims": 2, "usage": "private"}
    found = rate(plan(factor), [("Own", None)], [Subject("risk", facts)])
    assert found.premiums == {"Own": 342_240}
    assert found.steps[1].origin == "factor CRM, bonus_malus 60, claims 2: coefficient 93"
