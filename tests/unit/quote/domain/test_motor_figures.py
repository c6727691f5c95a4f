"""Worked figures of the motor line, each from an order in the channel form through a product document to the price."""

from typing import Any

import pytest

from services.quote.domain.products.reading import read_document
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.trial import Trial, trial
from tests.support.cars import car_order, car_risk
from tests.unit.quote.domain.products.documents import content
from tests.unit.quote.orders import submit

OWN_DAMAGE = {"code": "VehicleDamage", "sum_insured_minor": 1_000_000}


def product(amount: str, *factors: dict[str, Any], **of_tariff: Any) -> ProductVersion:
    """Comprehensive private car with own damage alone, at one rate in minor units, and no rules of underwriting."""
    document = content("motor-comprehensive")
    rates = {"VehicleDamage": {"basis": "minor", "amount": amount}}
    planned = [coverage for coverage in document["coverages"] if coverage["code"] == "VehicleDamage"]
    tariff = {"rates": rates, "factors": list(factors), **of_tariff}
    document |= {"coverages": planned, "plan": {}, "underwriting": [], "disclosures": []}
    document |= {"pricing": {"method": "tariff", "tariff": tariff}}
    return ProductVersion.of(read_document(document))


def tried(version: ProductVersion, **changes: Any) -> Trial:
    order = car_order(OWN_DAMAGE, disclosures=None, **changes)
    return trial(submit(order, product=version), at_our_price=True)


def value_factor(fact: str, value: str, ratio: str) -> dict[str, Any]:
    return {"kind": "value", "name": fact, "fact": fact, "values": {value: ratio}}


def test_one_rounding_at_the_end() -> None:
    # Worked figure W1: 487.00 x 1.25 x 0.95 x 0.98 = 566.74625; rounding at each step would give 566.74.
    factors = (
        value_factor("usage", "private", "1.25"),
        value_factor("fuel", "petrol", "0.95"),
        value_factor("garage", "own garage", "0.98"),
    )
    found = tried(product("48700", *factors))
    assert (found.outcome, found.premium_minor) == ("accepted", 56_675)
    assert [step.value for step in found.working] == ["48700", "1.25", "0.95", "0.98"]


BY_DAY = {"method": "by-day"}
BY_MONTHS = {"method": "months-begun", "percents": [str(percent) for percent in (*range(10, 100, 10), 93, 96, 100)]}


@pytest.mark.parametrize(
    ("scale", "effective", "expiry", "premium_minor", "said"),
    [
        (BY_DAY, "2026-03-15", "2026-06-20", 31_890, "short term by day: 97 of 365 days"),
        (BY_MONTHS, "2026-03-15", "2026-06-20", 48_000, "short term by months begun: 4, 40 %"),
        (BY_DAY, "2028-02-01", "2028-03-01", 9_508, "short term by day: 29 of 366 days"),
    ],
    ids=["by day", "by months begun", "in a leap term"],
)
def test_short_cover_costs_its_days_or_the_months_that_it_begins(
    scale: dict[str, Any], effective: str, expiry: str, premium_minor: int, said: str
) -> None:
    # Worked figures W2 and W2b: yearly 1,200.00.
    version = product("120000", short_period=scale)
    found = tried(version, effective=effective, expiry=expiry)
    assert (found.outcome, found.premium_minor) == ("accepted", premium_minor)
    assert [step.origin for step in found.working if step.kind == "short-period"] == [said]


BONUS_MALUS = product(
    "100000",
    {
        "kind": "bonus-malus",
        "name": "CRM",
        "coefficient": "last_coefficient",
        "full_fault": "full_fault_claims",
        "half_fault": "half_fault_claims",
        "clean_years": "clean_years",
    },
)


def coefficient(**history: int) -> int:
    """The coefficient that an order of yearly 1,000.00 is priced by."""
    found = tried(BONUS_MALUS, risk=car_risk(history={"full_fault_claims": 0, **history}))
    assert found.outcome == "accepted"
    assert found.premium_minor is not None
    return found.premium_minor // 1_000


def test_thirteen_clean_years_bring_the_french_coefficient_to_its_floor() -> None:
    # Worked figure W20c.
    reached = [coefficient(last_coefficient=100, clean_years=years) for years in range(14)]
    assert reached == [100, 95, 90, 85, 80, 76, 72, 68, 64, 60, 57, 54, 51, 50]
    assert coefficient(last_coefficient=100, clean_years=30) == 50


@pytest.mark.parametrize(
    ("history", "reached"),
    [
        ({"full_fault_claims": 2}, 93),
        ({"full_fault_claims": 3}, 117),
        ({"half_fault_claims": 1}, 67),
        ({"full_fault_claims": 8}, 350),
    ],
    ids=["two of full fault", "three", "one of half fault", "the cap"],
)
def test_claims_raise_the_french_coefficient_of_an_order(history: dict[str, int], reached: int) -> None:
    # Worked figure W20c: from 60.
    assert coefficient(last_coefficient=60, **history) == reached


def test_two_clean_years_end_a_malus() -> None:
    assert [coefficient(last_coefficient=200, clean_years=years) for years in range(4)] == [200, 190, 100, 95]


def test_the_working_tells_the_coefficient_and_what_led_to_it() -> None:
    history = {"last_coefficient": 60, "full_fault_claims": 2, "half_fault_claims": 0}
    step = tried(BONUS_MALUS, risk=car_risk(history=history)).working[1]
    told = "last_coefficient 60, full_fault_claims 2, half_fault_claims 0"
    assert (step.value, step.origin) == ("93 %", f"factor CRM, {told}: coefficient 93")


def test_a_coefficient_that_was_not_told_has_no_price() -> None:
    found = tried(BONUS_MALUS, risk=car_risk(history={"full_fault_claims": 0}))
    assert (found.outcome, found.premium_minor) == ("referred", None)


def test_the_documents_limits_are_those_of_the_compulsory_cover() -> None:
    # The limit that worked figure W18b pays property up to; the limits themselves are figures of the document.
    compulsory = content("motor-comprehensive")["coverages"][0]
    limits = {each["code"]: each["limits"]["per_event_minor"] for each in compulsory["benefits"]}
    assert (compulsory["compulsory"], limits["Property"], limits["Medical"], limits["Death"]) == (
        True,
        200_000,
        1_800_000,
        18_000_000,
    )
