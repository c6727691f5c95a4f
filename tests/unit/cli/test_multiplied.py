"""What the factors of a working come to: an amount beside the last of them, and none where there is no one price."""

from services.cli.multiplied import multiplied


def test_each_subjects_factors_come_to_an_amount_and_what_is_done_afterwards_does_not() -> None:
    steps = [
        {"coverage": "A", "subject": "risk.insureds.0", "value": "200", "origin": "rate", "row": "rates.A"},
        {"coverage": "A", "subject": "risk.insureds.0", "value": "1.04", "origin": "factor"},
        {"coverage": "A", "subject": "risk.insureds.0", "value": "25 %", "origin": "loading", "kind": "loading"},
        {"coverage": "A", "subject": "risk.insureds.1", "value": "145", "origin": "rate"},
        {"coverage": "*", "subject": "", "value": "5 %", "origin": "discount", "kind": "discount"},
        {"coverage": "*", "subject": "", "value": "7279", "origin": "VAT", "kind": "tax"},
    ]
    assert multiplied(steps, "CNY") == ["", "2.08", "", "1.45", "", ""]


def test_a_factor_may_be_a_percentage_or_a_fraction() -> None:
    # Worked figure W1: 487.00 x 1.25 x 0.95 x 0.98.
    values = ("48700", "125 %", "19/20", "0.98")
    steps = [{"coverage": "Own", "subject": "risk", "value": value, "origin": "factor"} for value in values]
    assert multiplied(steps, "CNY") == ["", "", "", "566.75"]


def test_a_price_that_was_quoted_has_no_factors() -> None:
    assert multiplied([{"coverage": "*", "subject": "", "value": "14410", "origin": "as quoted"}], "EUR") == [""]


def test_steps_of_several_subjects_told_once_come_to_no_amount() -> None:
    steps = [{"coverage": "A", "subject": "7 x, first risk.members.0", "value": "200", "origin": "rate"}]
    assert multiplied(steps, "CNY") == [""]
