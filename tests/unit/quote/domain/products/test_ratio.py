"""Exact ratios: multiplied as whole numbers, rounded once and half up."""

import pytest

from services.quote.domain.products.ratio import Exact, Ratio, ratio_text, total


def test_a_half_is_rounded_up() -> None:
    assert Exact(1).times(1, 2).rounded_minor() == 1
    assert Exact(1).times(49_999_999, 100_000_000).rounded_minor() == 0


def test_prices_of_several_subjects_are_added_before_rounding() -> None:
    thirds = [Exact(1, 3), Exact(1, 3), Exact(1, 3), Exact(5, 10)]
    assert total(thirds).rounded_minor() == 2


def test_nothing_adds_up_to_nothing() -> None:
    assert total([]).rounded_minor() == 0


def test_a_ratio_keeps_the_text_that_it_was_written_as() -> None:
    assert Ratio.of("1.250").text == "1.250"
    assert Ratio.of(Ratio.of("1.25")) == Ratio(125, 100, "1.25")


@pytest.mark.parametrize(
    "value", [1.25, 1, True, None, "", "1,25", "-1", "1.", ".5", "1e3", "0", "0.00", "1" * 10, "1\n"]
)
def test_only_decimal_text_above_zero_is_a_ratio(value: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        Ratio.of(value)


def test_zero_is_a_ratio_only_where_it_may_be() -> None:
    assert Ratio.or_zero("0.0").numerator == 0
    with pytest.raises(ValueError, match="above zero"):
        Ratio.of("0.0")


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"), [(5, 4, "1.25"), (200, 100, "2"), (37, 30, "37/30"), (1, 1000, "0.001")]
)
def test_a_ratio_is_written_as_a_decimal_where_it_is_one(numerator: int, denominator: int, text: str) -> None:
    assert ratio_text(numerator, denominator) == text
