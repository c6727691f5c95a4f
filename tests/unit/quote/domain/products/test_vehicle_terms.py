"""What a car is worth today, coverages by seat, and what does not fit in a document that speaks of either."""

from typing import Any

import pytest

from services.quote.domain.products.reading import read_document
from services.quote.domain.products.vehicle_terms import VehicleTerms
from tests.unit.quote.domain.products.documents import Edit, content, edited, misfits

TERMS = VehicleTerms.model_validate(
    {"depreciation_percent_a_month": "0.6", "least_percent": "20", "coverages": ["VehicleDamage"]}
)


@pytest.mark.parametrize(
    ("facts", "value_minor"),
    [
        ({"vehicle_value_minor": 10_000_000, "vehicle_age_months": 0}, 10_000_000),
        ({"vehicle_value_minor": 10_000_000, "vehicle_age_months": 1}, 9_940_000),
        ({"vehicle_value_minor": 10_000_000, "vehicle_age_months": 133}, 2_020_000),
        ({"vehicle_value_minor": 10_000_000, "vehicle_age_months": 134}, 2_000_000),
        ({"vehicle_value_minor": 10_000_001, "vehicle_age_months": 12, "vehicle_age": 5}, 9_280_001),
        ({"vehicle_value_minor": 10_000_000, "vehicle_age": 5}, 6_400_000),
        ({"vehicle_age_months": 12}, None),
    ],
)
def test_a_car_loses_value_by_the_month(facts: dict[str, Any], value_minor: int | None) -> None:
    assert TERMS.present_value_minor(facts) == value_minor


def seats_not_counted(document: dict[str, Any]) -> None:
    tariff = document["pricing"]["tariff"]
    tariff["factors"] = [factor for factor in tariff["factors"] if factor["kind"] != "count"]


def glass_by_seat(document: dict[str, Any]) -> None:
    glass = next(coverage for coverage in document["coverages"] if coverage["code"] == "Glass")
    glass["sum_insured_for"] = "seat"


@pytest.mark.parametrize(
    ("edit", "path", "message"),
    [
        (lambda document: document["vehicle"].update(coverages=["Flood"]), "vehicle.coverages", "not in the plan"),
        (lambda document: document["vehicle"].update(coverages=["Glass"]), "vehicle.coverages", "no sum insured"),
        (
            lambda document: document["vehicle"].update(least_percent="101"),
            "vehicle.least_percent",
            "keep it at 100 percent",
        ),
        (seats_not_counted, "coverages.4.sum_insured_for", "add a factor of kind count of passenger_seats"),
        (glass_by_seat, "coverages.5.sum_insured_for", "has no sum insured"),
    ],
)
def test_terms_that_do_not_fit_are_told(edit: Edit, path: str, message: str) -> None:
    found = [said for where, said in misfits(edited("motor-comprehensive", edit)) if where == path]
    assert any(message in said for said in found), found


def test_another_line_has_neither_vehicle_nor_seats() -> None:
    def edit(document: dict[str, Any]) -> None:
        document["vehicle"] = content("motor-comprehensive")["vehicle"]
        document["coverages"][0]["sum_insured_for"] = "seat"

    found = dict(misfits(edited("health-basic", edit)))
    assert "tell no vehicle's value" in found["vehicle"]
    assert "tell no seats" in found["coverages.0.sum_insured_for"]


def test_a_document_without_terms_of_a_car_stays_valid() -> None:
    assert read_document(content("motor-private")).vehicle is None


def test_a_fact_that_is_no_number_cannot_be_counted() -> None:
    def edit(document: dict[str, Any]) -> None:
        document["pricing"]["tariff"]["factors"][0]["fact"] = "usage"

    assert ("pricing.tariff.factors.0.fact", "usage is no number; use it in a factor of kind value") in misfits(
        edited("motor-comprehensive", edit)
    )
