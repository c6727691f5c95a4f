"""How a working and a group's census are shown: what a step is of where it changes, its sign, heads and rates."""

import pytest

from services.cli.rating import show_census, working_rows


def test_a_working_names_coverage_and_subject_where_they_change() -> None:
    steps = [
        {"coverage": "A", "subject": "risk.insureds.0", "value": "2.65", "origin": "rate", "row": "rates.A"},
        {"coverage": "A", "subject": "risk.insureds.0", "value": "1.04", "origin": "factor"},
        {"coverage": "A", "subject": "risk.insureds.0", "value": "25 %", "origin": "loading", "kind": "loading"},
        {"coverage": "A", "subject": "risk.insureds.1", "value": "1.45", "origin": "rate"},
        {"coverage": "*", "subject": "", "value": "5 %", "origin": "discount", "kind": "discount"},
        {"coverage": "*", "subject": "", "value": "7279", "origin": "VAT", "kind": "tax"},
    ]
    assert list(working_rows(steps)) == [
        ("A", "insureds.0", "", "2.65", "rate", "rates.A"),
        ("", "", "x", "1.04", "factor", ""),
        ("", "", "+", "25 %", "loading", ""),
        ("A", "insureds.1", "", "1.45", "rate", ""),
        ("order", "all", "-", "5 %", "discount", ""),
        ("", "", "of which", "7279", "VAT", ""),
    ]


def test_a_census_shows_heads_by_class_and_band_and_rates_per_head(capsys: pytest.CaptureFixture[str]) -> None:
    rate = {"per_head_minor": 35_682, "heads": 6, "premium_minor": 214_093}
    cells = [
        {"cover_class": "A", "band": "31 to 40", "heads": 2, "joiners": 0},
        {"cover_class": "B", "band": "18 to 30", "heads": 3, "joiners": 1},
    ]
    show_census({"cells": cells, "group": rate, "classes": {"B": rate}}, "CNY")
    lines = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["B", "18", "to", "30", "3", "1"] in lines
    assert ["total", "5", "1"] in lines
    assert ["whole", "group", "6", "2,140.93", "356.82"] in lines
    show_census({"cells": cells, "group": None, "classes": {}}, "CNY")
    assert "per head" not in capsys.readouterr().out
