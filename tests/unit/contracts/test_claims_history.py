"""What a channel may say about the history of a car, and what contradicts itself."""

import json
from typing import Any

import pytest

from contracts.channel.v1 import OrderPlaced
from services.quote.channel_form import Malformed, read_message
from tests.support.cars import car_order, car_risk


def read(history: dict[str, Any]) -> OrderPlaced | Malformed:
    found = read_message(json.dumps(car_order(risk=car_risk(history=history))).encode())
    assert isinstance(found, OrderPlaced | Malformed)
    return found


@pytest.mark.parametrize(
    "history",
    [
        {},
        {"claims_in_three_years": 1, "years_insured": 3, "gap_months": 0, "last_level": -2, "transferred": False},
        {"new_car": True, "years_insured": 0, "clean_years": 13, "last_coefficient": 50},
        {"last_coefficient": 350, "clean_years": 0, "full_fault_claims": 1, "half_fault_claims": 2},
    ],
)
def test_a_history_may_be_told_in_part(history: dict[str, Any]) -> None:
    found = read(history)
    assert isinstance(found, OrderPlaced)
    assert found.risk.model_dump()["claims_history"] | history == found.risk.model_dump()["claims_history"]


@pytest.mark.parametrize(
    ("history", "path", "said"),
    [
        ({"new_car": True, "years_insured": 2}, "", "leave out years_insured or new_car"),
        ({"new_car": True, "transferred": True, "last_level": -1}, "", "leave out last_level, transferred or new_car"),
        ({"clean_years": 1, "full_fault_claims": 1}, "", "a year with a claim at fault is no clean one"),
        ({"clean_years": 2, "half_fault_claims": 1}, "", "a year with a claim at fault is no clean one"),
        ({"last_coefficient": 49}, ".last_coefficient", "50"),
        ({"claims_in_three_years": -1}, ".claims_in_three_years", "0"),
        ({"claims": 1}, ".claims", "claims"),
    ],
)
def test_a_history_agrees_with_itself(history: dict[str, Any], path: str, said: str) -> None:
    found = read(history)
    assert isinstance(found, Malformed)
    ((where, message),) = [(fault.path, fault.message) for fault in found.faults]
    assert (where, said in message) == (f"risk.claims_history{path}", True), message
