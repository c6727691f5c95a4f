"""Exact ratios: multiplied as whole numbers, rounded once and half up."""

import pytest

from services.quote.domain.products.ratio import Exact, Ratio, product, total


def test_rating_rounds_once_at_the_end() -> None:
    # Worked figure W1: 487.00 x 1.25 x 0.95 x 0.98 = 566.74625. Rounding at each step would give 566.74.
    factors = [Ratio.of(text) for text in ("1.25", "0.95", "0.98")]
    assert product(48_700, factors).rounded_minor() == 56_675


def test_a_half_is_rounded_up() -> None:
    assert product(1, [Ratio.of("0.5")]).rounded_minor() == 1
    assert product(1, [Ratio.of("0.49999999")]).rounded_minor() == 0


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
