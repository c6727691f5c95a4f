"""Loadings, discounts, short terms, least premiums and tax: the worked figures, and the order in which they come."""

from datetime import date
from typing import Any

import pytest

from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.time import add_months
from services.kernel.codec import EVENT_BYTES_MAX
from services.quote.domain.products.rating.adjusting import Term
from services.quote.domain.products.rating.imposed import ImposedLoading
from services.quote.domain.products.rating.plan import RatingPlan
from services.quote.domain.products.rating.price import Rating, rate
from services.quote.domain.products.ratio import Ratio
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.tariff import RatedStep, Tariff
from tests.support.deep_health import deep_health_content

MONTHS_BEGUN = {
    "method": "months-begun",
    "percents": ["10", "20", "30", "40", "50", "60", "70", "80", "85", "90", "95", "100"],
}
ONE = (Subject("risk.0", {"smoker": "no"}),)
TWO = (*ONE, Subject("risk.1", {"smoker": "yes"}))


def rated(
    *subjects: Subject,
    bought: tuple[str, ...] = ("A",),
    term: Term | None = None,
    imposed: tuple[ImposedLoading, ...] = (),
    **parts: Any,
) -> Rating:
    """The price of coverages A (1,200.00) and B (100.00), with further parts of the tariff."""
    rates = {"A": {"basis": "minor", "amount": "120000"}, "B": {"basis": "minor", "amount": "10000"}}
    plan = RatingPlan.of(Tariff.model_validate({"rates": rates, **parts}))
    return rate(plan, [(code, None) for code in bought], subjects or ONE, term=term, imposed=imposed)


def term(effective: date, expiry: date) -> Term:
    return Term(effective, expiry, add_months(effective, 12))


def steps(found: Rating, kind: str) -> list[tuple[str, str, str]]:
    return [(step.coverage, step.subject, step.value) for step in found.steps if step.kind == kind]


SUMMER = term(date(2026, 3, 15), date(2026, 6, 20))


def test_a_short_term_by_day_costs_its_days() -> None:
    # Worked figure W2: 1,200 x 97/365.
    found = rated(term=SUMMER, short_period={"method": "by-day"})
    assert found.premiums == {"A": 31_890}
    assert steps(found, "short-period") == [("*", "", "97/365")]


def test_a_short_term_by_table_costs_the_months_that_it_begins() -> None:
    # Worked figure W2: 4 months begun, 40 %.
    found = rated(term=SUMMER, short_period=MONTHS_BEGUN)
    assert found.premiums == {"A": 48_000}
    assert found.steps[-1].origin == "short term by months begun: 4, 40 %"


def test_a_leap_term_has_366_days() -> None:
    # Worked figure W2b: 1,200 x 29/366.
    leap = term(date(2028, 2, 1), date(2028, 3, 1))
    assert rated(term=leap, short_period={"method": "by-day"}).premiums == {"A": 9_508}


@pytest.mark.parametrize(("expiry", "premium_minor"), [(date(2026, 2, 28), 12_000), (date(2026, 3, 1), 24_000)])
def test_a_month_from_the_31st_ends_with_february(expiry: date, premium_minor: int) -> None:
    # Worked figure W8b: 10 % and 20 %.
    found = rated(term=term(date(2026, 1, 31), expiry), short_period=MONTHS_BEGUN)
    assert found.premiums == {"A": premium_minor}


def test_a_whole_term_is_not_short() -> None:
    whole = term(date(2026, 3, 15), date(2027, 3, 15))
    assert rated(term=whole).premiums == {"A": 120_000}


@pytest.mark.parametrize("short_period", [None, {"method": "months-begun", "percents": ["10", "20", "30"]}])
def test_a_short_term_without_a_share_has_no_price(short_period: Any) -> None:
    (fault,) = rated(term=SUMMER, short_period=short_period).faults
    assert (fault.code, fault.path) == (FaultCode.NO_RATE, "expiry")


def test_a_tax_inside_the_premium_is_told_and_changes_nothing() -> None:
    # Worked figure W12: 1,286.00 / 1.06.
    found = rated(rates={"A": {"basis": "minor", "amount": "128600"}}, tax={"name": "VAT", "percent": "6"})
    assert found.premiums == {"A": 128_600}
    assert steps(found, "tax") == [("*", "", "121321"), ("*", "", "7279")]


def test_percent_loadings_are_of_the_premium_before_loadings() -> None:
    loadings = [{"name": "work", "percent": "25"}, {"name": "fee", "amount_minor": 500}, {"name": "b", "percent": "10"}]
    found = rated(loadings=loadings)
    assert found.premiums == {"A": 120_000 + 30_000 + 500 + 12_000}
    assert steps(found, "loading") == [("A", "risk.0", "25 %"), ("A", "risk.0", "500"), ("A", "risk.0", "10 %")]


def test_a_loading_may_come_from_a_table_and_loads_nobody_whose_row_is_zero() -> None:
    table = {"columns": [{"fact": "smoker"}], "rows": [["no", "0"], ["yes", "35"]]}
    loading = {"name": "smoker", "percent_table": "smoker", "coverages": ["A"]}
    found = rated(*TWO, bought=("A", "B"), tables={"smoker": table}, loadings=[loading])
    assert found.premiums == {"A": 120_000 + 162_000, "B": 20_000}
    assert [(step.subject, step.row) for step in found.steps if step.kind] == [("risk.1", "tables.smoker.rows.1")]


def test_underwriting_may_load_one_subject_of_one_order() -> None:
    imposed = ImposedLoading(name="diabetes", percent=Ratio.of("50"), coverages=("A",), subject="risk.1")
    found = rated(*TWO, bought=("A", "B"), imposed=(imposed, ImposedLoading(name="report", amount_minor=100)))
    # The amount once, shared by 1,200.00 + 1,800.00 + 200.00: 93.75 and 6.25
    assert found.premiums == {"A": 300_094, "B": 20_006}
    assert "loading diabetes, by underwriting" in {step.origin for step in found.steps}


FAMILY = {
    "kind": "family",
    "name": "family",
    "steps": [{"at_least": 2, "percent": "5"}, {"at_least": 4, "percent": "8"}],
}
VOLUME = {"kind": "volume", "name": "volume", "steps": [{"at_least": 228_000, "percent": "10"}]}


@pytest.mark.parametrize(("heads", "premium_minor"), [(1, 120_000), (2, 228_000), (3, 342_000), (4, 441_600)])
def test_a_family_pays_less_by_how_many_it_is(heads: int, premium_minor: int) -> None:
    assert rated(*(ONE * heads), discounts=[FAMILY]).premiums == {"A": premium_minor}


def test_volume_is_looked_at_after_the_discounts_before_it() -> None:
    assert rated(*TWO, discounts=[FAMILY, VOLUME]).premiums == {"A": 205_200}
    assert rated(*TWO, discounts=[VOLUME, FAMILY]).premiums == {"A": 205_200}
    assert rated(*TWO, discounts=[FAMILY, {**VOLUME, "steps": [{"at_least": 228_001, "percent": "10"}]}]).premiums == {
        "A": 228_000
    }


def test_a_discount_of_one_coverage_leaves_the_others_alone() -> None:
    found = rated(*TWO, bought=("A", "B"), discounts=[{**FAMILY, "coverages": ["B"]}])
    assert found.premiums == {"A": 240_000, "B": 19_000}
    assert steps(found, "discount") == [("B", "", "5 %")]


def test_nobody_costs_less_than_the_least_premium_of_a_subject() -> None:
    # A and B share what is missing by their prices; for a headcount it counts for each head.
    found = rated(*ONE, bought=("A", "B"), minimum={"per_subject_minor": 260_000})
    assert found.premiums == {"A": 240_000, "B": 20_000}
    assert steps(found, "minimum") == [("*", "risk.0", "260000")]
    group = Subject("risk", {}, count=10)
    assert rated(group, minimum={"per_subject_minor": 130_000}).premiums == {"A": 1_300_000}


def test_coverage_and_order_have_least_premiums() -> None:
    assert rated(bought=("A", "B"), minimum={"per_coverage_minor": {"B": 12_000}}).premiums == {
        "A": 120_000,
        "B": 12_000,
    }
    found = rated(bought=("A", "B"), minimum={"per_order_minor": 260_001})
    assert found.premiums == {"A": 240_001, "B": 20_000}
    assert steps(found, "minimum") == [("*", "", "260001")]


def test_a_short_term_costs_the_least_premium_too() -> None:
    found = rated(term=SUMMER, short_period={"method": "by-day"}, minimum={"per_coverage_minor": {"A": 40_000}})
    assert found.premiums == {"A": 40_000}


def test_a_headcount_multiplies_before_the_one_rounding() -> None:
    rates = {"A": {"basis": "minor", "amount": "0.4"}}
    assert rated(Subject("risk", {}, count=3), rates=rates).premiums == {"A": 1}


def test_facts_of_the_order_are_facts_of_a_tariff() -> None:
    rows = [["1", "1"], ["2+", "0.9"]]
    table = {"columns": [{"fact": "coverage_count", "match": "band"}], "rows": rows}
    factor = {"kind": "table", "name": "package", "table": "package"}
    parts: dict[str, Any] = {"tables": {"package": table}, "factors": [factor]}
    assert rated(**parts).premiums == {"A": 120_000}
    assert rated(bought=("A", "B"), **parts).premiums == {"A": 108_000, "B": 9_000}


def test_the_working_of_the_largest_order_fits_into_an_event() -> None:
    plan = RatingPlan.of(Tariff.model_validate(deep_health_content()["pricing"]["tariff"]))
    persons = [
        Subject(f"risk.insureds.{age}", {"age": age, "gender": "FM"[age % 2], "smoker": "yes"}) for age in range(50)
    ]
    bought = [(code, 1_000_000) for code in ("Inpatient", "Outpatient", "Maternity", "Accident")]
    found = rate(plan, bought, persons, frequency="annual")
    assert not found.faults
    assert len(str(found.steps)) < EVENT_BYTES_MAX
    assert len(found.steps) < 50 * len(bought) * 8


def test_a_working_of_a_thousand_heads_is_folded_to_what_an_event_may_hold() -> None:
    factors = [{"kind": "value", "name": "smoker", "fact": "smoker", "values": {"yes": "1.5", "no": "1"}}]
    found = rated(*(TWO * 700), factors=factors)
    assert found.premiums == {"A": 700 * 300_000}
    assert found.steps == (
        RatedStep("A", "1400 x, first risk.0", "120000", "minor rate of A", "rates.A.amount"),
        RatedStep("A", "700 x, first risk.0", "1", "factor smoker, smoker no", "factors.0.values.no"),
        RatedStep("A", "700 x, first risk.1", "1.5", "factor smoker, smoker yes", "factors.0.values.yes"),
    )
