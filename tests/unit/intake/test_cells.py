"""Cells to values: exact amounts, real days, moments with a zone."""

import pytest

from services.intake.cells import CellFault, boolean, instant, integer, iso_date, minor


@pytest.mark.parametrize(
    ("text", "digits", "mark", "amount_minor"),
    [
        ("144.10", 2, ".", 14_410),
        ("144.1", 2, ".", 14_410),
        ("331", 2, ".", 33_100),
        ("0.00", 2, ".", 0),
        ("-12.34", 2, ".", -1_234),
        ("12,34", 2, ",", 1_234),
        ("1234", 0, ".", 1_234),
        ("1.234", 3, ".", 1_234),
        ("999999999999.99", 2, ".", 99_999_999_999_999),
    ],
)
def test_an_amount_is_exact(text: str, digits: int, mark: str, amount_minor: int) -> None:
    assert minor(text, digits, mark) == amount_minor


@pytest.mark.parametrize(
    ("text", "digits", "mark"),
    [
        ("15.000", 2, "."),
        ("1.5", 0, "."),
        ("1,234.50", 2, "."),
        ("1.234,50", 2, ","),
        ("12.34", 2, ","),
        ("1e3", 2, "."),
        ("NaN", 2, "."),
        ("+5", 2, "."),
        (".5", 2, "."),
        ("5.", 2, "."),
        ("١٢", 2, "."),
        ("1_000", 2, "."),
        ("9" * 5_000, 2, "."),
        ("", 2, "."),
    ],
)
def test_what_is_not_surely_an_amount_is_refused(text: str, digits: int, mark: str) -> None:
    with pytest.raises(CellFault):
        minor(text, digits, mark)


@pytest.mark.parametrize(
    "text", ["2003-02-30", "20030101", "2003-1-1", "01/02/2003", "1700000000", "2003-01-01T00:00:00"]
)
def test_what_is_not_surely_a_day_is_refused(text: str) -> None:
    with pytest.raises(CellFault):
        iso_date(text, None)


def test_a_day_may_be_written_otherwise_where_the_mapping_says_so() -> None:
    assert iso_date("31/12/2003", "%d/%m/%Y") == "2003-12-31"
    with pytest.raises(CellFault, match="%d/%m/%Y"):
        iso_date("12/31/2003", "%d/%m/%Y")


def test_a_moment_needs_its_zone() -> None:
    assert instant("2003-01-01T00:00:00Z") == "2003-01-01T00:00:00+00:00"
    with pytest.raises(CellFault):
        instant("2003-01-01T00:00:00")


def test_whole_numbers_and_truth_values() -> None:
    assert (integer("044"), integer("-3")) == (44, -3)
    assert (boolean("Yes"), boolean("0")) == (True, False)
    for text in ("4.0", "4 4", "", "0x10"):
        with pytest.raises(CellFault):
            integer(text)
    with pytest.raises(CellFault):
        boolean("maybe")
