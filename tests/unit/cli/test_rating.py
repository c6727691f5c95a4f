"""How a working is shown: what it is a step of where it changes, and the sign of each step."""

from services.cli.rating import working_rows


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
