"""Tariffs: bands, factors, what a step says, and no price without a rate."""

from typing import Any

from contracts.vocabulary.faults import FaultCode
from services.quote.domain.products.rating.plan import RatingPlan
from services.quote.domain.products.rating.price import Rating, rate
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.tariff import Tariff

TARIFF = Tariff.model_validate(
    {
        "rates": {
            "Own": {
                "basis": "minor",
                "fact": "driver_age",
                "bands": [
                    {"at_least": 18, "at_most": 29, "ratio": "60000"},
                    {"at_least": 30, "at_most": 99, "ratio": "48700"},
                ],
            },
            "Theft": {
                "basis": "per-mille",
                "fact": "driver_age",
                "bands": [{"at_least": 18, "at_most": 99, "ratio": "2.5"}],
            },
        },
        "factors": [
            {"kind": "value", "name": "usage", "fact": "usage", "coverages": ["Own"], "values": {"trade": "1.25"}},
            {"kind": "percent", "name": "bonus-malus", "fact": "bonus_malus", "coverages": ["Own"]},
            {
                "kind": "band",
                "name": "age of the car",
                "fact": "vehicle_age",
                "coverages": ["Own"],
                "bands": [{"at_least": 0, "at_most": 10, "ratio": "0.98"}],
            },
        ],
    }
)
PLAN = RatingPlan.of(TARIFF)
FACTS: dict[str, Any] = {"driver_age": 30, "usage": "trade", "bonus_malus": 95, "vehicle_age": 10}


def rated(code: str = "Own", sum_insured_minor: int | None = None, **changes: Any) -> Rating:
    return rate(PLAN, [(code, sum_insured_minor)], [Subject("risk", {**FACTS, **changes})])


def test_one_rounding_at_the_end() -> None:
    # Worked figure W1: 487.00 x 1.25 x 0.95 x 0.98 = 566.74625. Rounding at each step would give 566.74.
    assert rated().premiums == {"Own": 56_675}


def test_every_factor_is_listed_with_its_origin() -> None:
    assert [(step.value, step.origin) for step in rated().steps] == [
        ("48700", "minor rate of Own, driver_age 30"),
        ("1.25", "factor usage, usage trade"),
        ("95 %", "factor bonus-malus, bonus_malus 95"),
        ("0.98", "factor age of the car, vehicle_age 10"),
    ]


def test_every_step_names_its_entry_in_the_tariff() -> None:
    assert [step.row for step in rated().steps] == [
        "rates.Own.bands.1",
        "factors.0.values.trade",
        "factors.1",
        "factors.2.bands.0",
    ]


def test_a_coefficient_of_nothing_is_no_price_of_nothing() -> None:
    assert "bonus_malus 0" in rated(bonus_malus=0).faults[0].message


def test_a_rate_that_is_missing_leaves_no_price_at_all() -> None:
    found = rate(PLAN, [("Own", None), ("Fire", None)], [Subject("risk", FACTS)])
    assert (found.premiums, found.steps) == ({}, ())


def test_bands_hold_from_their_first_to_their_last_value() -> None:
    assert rated(driver_age=29).premiums["Own"] > rated(driver_age=30).premiums["Own"]


def test_a_per_mille_rate_is_a_share_of_the_sum_insured() -> None:
    assert rated("Theft", 1_000_000).premiums == {"Theft": 2_500}


def test_a_fact_outside_every_band_is_never_priced() -> None:
    (fault,) = rated(driver_age=17).faults
    assert (fault.code, fault.path) == (FaultCode.NO_RATE, "risk")
    assert "driver_age 17" in fault.message


def test_a_category_without_a_factor_is_never_priced() -> None:
    assert "usage private" in rated(usage="private").faults[0].message


def test_what_was_not_told_is_never_guessed() -> None:
    subject = Subject("risk", {"driver_age": 30, "usage": "trade", "vehicle_age": 1})
    (fault,) = rate(PLAN, [("Own", None)], [subject]).faults
    assert "bonus_malus not told" in fault.message


def test_a_coverage_without_rates_is_never_priced() -> None:
    assert rated("Fire").faults[0].code is FaultCode.NO_RATE


def test_a_per_mille_rate_needs_a_sum_insured() -> None:
    assert rated("Theft", None).faults[0].code is FaultCode.NO_RATE
