"""What a channel may say about a group and about answers, and how it hears what is wrong."""

import json
from datetime import date
from typing import Any

import pytest

from contracts.channel.v1 import OrderPlaced
from contracts.vocabulary.lines.group import GroupRisk
from services.quote.channel_form import Malformed, read_message
from tests.support.builders import DAUGHTER, DECLARATION, POLICYHOLDER, STAFF, group_order, member, plus_order


def faults(order: dict[str, Any]) -> list[tuple[str, str]]:
    found = read_message(json.dumps(order).encode())
    assert isinstance(found, Malformed)
    return [(fault.path, fault.message) for fault in found.faults]


def test_a_census_may_have_members_without_names_and_birth_dates() -> None:
    late = member(6, name=None, joins="2026-05-01")
    found = read_message(json.dumps(group_order(*STAFF, late, DAUGHTER)).encode())
    assert isinstance(found, OrderPlaced)
    assert isinstance(found.risk, GroupRisk)
    told = [(each.name, each.joins) for each in found.risk.members[-2:]]
    assert told == [(None, date(2026, 5, 1)), ("Li Na", None)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**member(6), "age": None}, "give either birth_date or age"),
        ({**DAUGHTER, "age": 10}, "give either birth_date or age"),
    ],
)
def test_a_member_is_of_an_age_told_in_one_way(row: dict[str, Any], said: str) -> None:
    ((path, message),) = faults(group_order(*STAFF, row))
    assert (path, said in message) == ("risk.members.3", True)


def test_a_member_stands_in_the_census_once() -> None:
    ((path, message),) = faults(group_order(*STAFF, STAFF[0]))
    assert (path, "M3 comes again" in message) == ("risk", True)


def test_an_answer_is_a_truth_a_number_or_a_text() -> None:
    person = {**POLICYHOLDER, "disclosures": {**DECLARATION, "hospital_days": 1.5, "medication": None, "Weight": 1}}
    assert [path for path, _ in faults(plus_order(person))] == [
        "risk.insureds.0.disclosures.medication",
        "risk.insureds.0.disclosures.hospital_days",
        "risk.insureds.0.disclosures.Weight",
    ]
    assert (
        "must be true, false, a whole number or a text"
        in dict(faults(plus_order(person)))["risk.insureds.0.disclosures.hospital_days"]
    )
