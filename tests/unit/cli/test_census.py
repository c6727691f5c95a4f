"""How a change of a census is told: a row for each member, and who owes what."""

from typing import Any

import pytest

from services.cli.census import item_rows, told_sum


def item(kind: str, number: str, amount_minor: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "member_no": number,
        "cover_class": "B",
        "premium_minor": 36_000,
        "amount_minor": amount_minor,
        "origin": "264 of 365 days",
    }


def test_each_member_is_a_row() -> None:
    items = [item("joins", "M9", 26_038), item("replaced", "M1", 0)]
    assert list(item_rows(items, "CNY")) == [
        ("M9", "joins", "B", "360.00", "260.38", "264 of 365 days"),
        ("M1", "is replaced", "B", "360.00", "0.00", "264 of 365 days"),
    ]


@pytest.mark.parametrize(
    ("joiners_minor", "leavers_minor", "said"),
    [
        (78_114, 86_794, "joiners 781.14, leavers 867.94: the employer is given back 86.80 CNY"),
        (26_038, 0, "joiners 260.38, leavers 0.00: the employer owes 260.38 CNY"),
        (0, 0, "joiners 0.00, leavers 0.00: nothing is owed"),
    ],
)
def test_who_owes_what_is_said(joiners_minor: int, leavers_minor: int, said: str) -> None:
    found = {
        "currency": "CNY",
        "joiners_minor": joiners_minor,
        "leavers_minor": leavers_minor,
        "amount_minor": joiners_minor - leavers_minor,
    }
    assert told_sum(found) == said
