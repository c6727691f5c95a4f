"""Which facts the risks of each line yield."""

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter

from contracts.vocabulary.lines import InsuredRisk
from services.quote.domain.products import RULES_BY_LINE, subjects_of
from services.quote.domain.products.disclosures import declared
from services.quote.domain.products.rules import Subject
from tests.support.builders import CHILD, MOTOR_RISK, POLICYHOLDER, group_order, plus_order
from tests.support.cars import car_risk

EFFECTIVE = date(2026, 1, 1)
FULL_CAR = car_risk(
    history=dict.fromkeys(("claims_in_three_years", "years_insured", "gap_months", "last_level", "clean_years"), 1)
    | {"transferred": True, "new_car": False, "last_coefficient": 90, "full_fault_claims": 0, "half_fault_claims": 0},
    drivers=[{"birth_date": "1980-01-02", "licensed_on": "2000-06-01"}],
)
RISK: TypeAdapter[InsuredRisk] = TypeAdapter(InsuredRisk)


def subjects(risk: dict[str, Any]) -> tuple[Subject, ...]:
    return subjects_of(RISK.validate_python(risk), EFFECTIVE)


def test_a_person_has_age_family_and_what_was_told() -> None:
    parent, child = subjects(plus_order(POLICYHOLDER, CHILD)["risk"])
    assert parent.facts == {
        "age": 35,
        "age_days": 13_013,
        "gender": "F",
        "smoker": "no",
        "insureds": 2,
        "relation": "self",
        "social_insurance": "yes",
    }
    assert (child.path, child.facts["age"], child.facts["relation"]) == ("risk.insureds.1", 5, "child")


def test_what_was_not_told_of_a_person_is_no_fact() -> None:
    (person,) = subjects({"line": "health", "insureds": [{"birth_date": "1990-05-17", "gender": "F"}]})
    assert set(person.facts) == {"age", "age_days", "gender", "smoker", "insureds"}


def test_answers_become_facts_of_the_person_and_those_of_the_policyholder_facts_of_all() -> None:
    parent, child = declared(subjects(plus_order(POLICYHOLDER, CHILD)["risk"]), {"declined_before": True})
    assert parent.facts["disclosure_occupation_class"] == "office"
    assert (parent.facts["disclosure_hospital_days"], parent.facts["disclosure_medication"]) == (0, "no")
    assert (child.facts["disclosure_occupation_class"], child.facts["disclosure_declined_before"]) == ("none", "yes")


def test_a_member_has_the_facts_of_the_row_and_of_the_employer() -> None:
    first, *_, last = subjects(group_order()["risk"])
    assert first.facts == {
        "age": 35,
        "gender": "F",
        "cover_class": "A",
        "relation": "self",
        "headcount": 6,
        "industry": "office",
    }
    assert (last.facts["age"], last.facts["relation"]) == (10, "child")


def test_a_car_has_the_facts_of_all_its_drivers() -> None:
    drivers = [
        {"birth_date": "1980-01-02", "gender": "F", "licensed_on": "2000-06-01"},
        {"birth_date": "2006-01-01", "licensed_on": "2024-01-02", "name": "Son"},
    ]
    vehicle = {"plate_no": "沪A12345", "vin": "LSVAA4182E2123456", "seats": 5, "value_minor": 15_000_000}
    (car,) = subjects({**MOTOR_RISK, "drivers": drivers, "vehicle": vehicle})
    # He is 20 on the first day, and has had his licence for one full year.
    told = {name: car.facts[name] for name in ("drivers", "youngest_driver_age", "least_years_licensed", "seats")}
    assert told == {"drivers": 2, "youngest_driver_age": 20, "least_years_licensed": 1, "seats": 5}


def test_a_licence_that_was_not_told_of_one_driver_is_told_of_none() -> None:
    drivers = [{"birth_date": "1980-01-02", "licensed_on": "2000-06-01"}, {"birth_date": "2006-01-01"}]
    (car,) = subjects({**MOTOR_RISK, "drivers": drivers})
    assert "least_years_licensed" not in car.facts


def test_a_car_brings_its_history_its_age_and_its_seats() -> None:
    history = {"claims_in_three_years": 1, "years_insured": 3, "last_level": -1, "gap_months": 0, "transferred": False}
    (car,) = subjects(car_risk(history=history, car={"seats": 7}))
    told = car.facts
    assert {name: told[name] for name in history} == {**history, "transferred": "no"}
    assert (told["seats"], told["passenger_seats"]) == (7, 6)
    assert (told["vehicle_age_months"], told["vehicle_value_minor"]) == (18, 36_000_000)


def test_a_new_car_has_no_years_and_no_claims_and_nothing_else_is_guessed() -> None:
    (car,) = subjects(car_risk(history={"new_car": True}, vehicle=None))
    assert {name: car.facts[name] for name in ("new_car", "claims_in_three_years", "years_insured")} == {
        "new_car": "yes",
        "claims_in_three_years": 0,
        "years_insured": 0,
    }
    untold = {"clean_years", "full_fault_claims", "last_coefficient", "gap_months", "transferred", "passenger_seats"}
    assert untold.isdisjoint(car.facts)


def test_the_facts_of_the_real_feeds_car_are_as_before() -> None:
    (car,) = subjects(MOTOR_RISK)
    assert dict(car.facts) == {name: value for name, value in MOTOR_RISK.items() if name != "line"}


@pytest.mark.parametrize("risk", [plus_order(POLICYHOLDER)["risk"], group_order()["risk"], MOTOR_RISK, FULL_CAR])
def test_every_fact_is_declared_by_its_line(risk: dict[str, Any]) -> None:
    rules = RULES_BY_LINE[RISK.validate_python(risk).line]
    for each in subjects(risk):
        assert set(each.facts) <= set(rules.facts)
        assert {name for name, value in each.facts.items() if isinstance(value, int)} <= {
            name for name, fact in rules.facts.items() if fact.numeric
        }
