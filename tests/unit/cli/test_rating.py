"""How a working is shown: what it is a step of where it changes, and the sign of each step."""

from services.cli.rating import working_rows


def test_a_working_names_coverage_and_subject_where_they_change() -> None:
    steps = [
        {"coverage": "A", "subject": "risk.insureds.0", "value": "200", "origin": "rate", "row": "rates.A"},
        {"coverage": "A", "subject": "risk.insureds.0", "value": "1.04", "origin": "factor"},
        {"coverage": "A", "subject": "risk.insureds.0", "value": "25 %", "origin": "loading", "kind": "loading"},
        {"coverage": "A", "subject": "risk.insureds.1", "value": "145", "origin": "rate"},
        {"coverage": "*", "subject": "", "value": "5 %", "origin": "discount", "kind": "discount"},
        {"coverage": "*", "subject": "", "value": "7279", "origin": "VAT", "kind": "tax"},
    ]
    assert list(working_rows(steps, "CNY")) == [
        ("A", "insureds.0", "", "200", "", "rate", "rates.A"),
        ("", "", "x", "1.04", "2.08", "factor", ""),
        ("", "", "+", "25 %", "", "loading", ""),
        ("A", "insureds.1", "", "145", "1.45", "rate", ""),
        ("order", "all", "-", "5 %", "", "discount", ""),
        ("", "", "of which", "7279", "", "VAT", ""),
    ]


def test_what_is_multiplied_comes_to_an_amount_however_a_factor_is_written() -> None:
    values = ("48700", "125 %", "19/20", "0.98")
    steps = [{"coverage": "Own", "subject": "risk", "value": value, "origin": "factor"} for value in values]
    assert [row[4] for row in working_rows(steps, "CNY")] == ["", "", "", "566.75"]


def test_steps_of_several_subjects_told_once_come_to_no_amount() -> None:
    steps = [{"coverage": "A", "subject": "7 x, first risk.members.0", "value": "200", "origin": "rate"}]
    assert [row[4] for row in working_rows(steps, "CNY")] == [""]
