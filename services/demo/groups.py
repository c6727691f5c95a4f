"""Draws employers with a census, and quotes the group product for them."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from services.demo.risks import Quoted, quoted_by_tariff, shipped

_INDUSTRIES = ("office", "office", "retail", "manufacturing", "logistics")
_SURNAMES = ("Wang", "Li", "Zhang", "Liu", "Chen", "Yang", "Zhao", "Huang")
_EMPLOYEE_AGES = (19, 63)
_CHILD_AGES = (1, 17)
_EMPLOYEES = (6, 60)
_JOINERS_MAX = 4
_DAYS_UNTIL_JOINING = (15, 250)
_ADDED = {"Outpatient": 60, "Accident": 70, "CriticalIllness": 35, "Maternity": 25}


def group_quote(random: Random, effective: date) -> Quoted:
    """An employer, its census in the product's classes with those who join later, and the coverages that it chose."""
    number = random.randrange(10_000)
    risk = {
        "line": "group",
        "employer": {
            "name": f"{random.choice(_SURNAMES)} {number:04d} Trading",
            "registration_no": f"91310000MA1{number:07d}",
            "industry": random.choice(_INDUSTRIES),
        },
        "members": [*_members(random, effective, random.randint(*_EMPLOYEES)), *_announced(random, effective)],
    }
    chosen: dict[str, int | None] = {"Inpatient": None}
    chosen |= {code: None for code, percent in _ADDED.items() if random.randrange(100) < percent}
    return quoted_by_tariff(shipped("group-medical"), effective, risk, chosen, {"at_work": True})


def _members(random: Random, effective: date, employees: int) -> Iterator[dict[str, Any]]:
    for number in range(1, employees + 1):
        # The first one is of the class that has every coverage, so that each one chosen insures somebody.
        cover_class = "A" if number == 1 or random.random() < 0.1 else "B"
        employee_no = f"E{number:03d}"
        yield _member(random, effective, employee_no, _EMPLOYEE_AGES, cover_class)
        if random.random() < 0.2:
            relation = random.choice(("spouse", "child"))
            ages = _CHILD_AGES if relation == "child" else _EMPLOYEE_AGES
            yield _member(random, effective, f"{employee_no}-1", ages, "C") | {"relation": relation}


def _announced(random: Random, effective: date) -> Iterator[dict[str, Any]]:
    """Those whom the employer takes on in the year: it knows an age and a class, and names them when they come."""
    for number in range(1, random.randint(0, _JOINERS_MAX) + 1):
        joins = effective + timedelta(days=random.randint(*_DAYS_UNTIL_JOINING))
        yield {
            "member_no": f"N{number:03d}",
            "age": random.randint(*_EMPLOYEE_AGES),
            "gender": random.choice("FM"),
            "cover_class": "B",
            "joins": joins.isoformat(),
        }


def _member(random: Random, effective: date, number: str, ages: tuple[int, int], cover_class: str) -> dict[str, Any]:
    age = random.randint(*ages)
    member: dict[str, Any] = {
        "member_no": number,
        "gender": random.choice("FM"),
        "cover_class": cover_class,
        "name": f"{random.choice(_SURNAMES)} {number}",
    }
    # An employer knows some of its people by age alone when it asks.
    if random.random() < 0.3:
        return member | {"age": age}
    birth_date = effective - timedelta(days=age * 366 + random.randrange(300))
    return member | {"birth_date": birth_date.isoformat()}
