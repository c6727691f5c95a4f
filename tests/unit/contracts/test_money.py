"""Rounding, splits, instalments and unearned premium, against worked figures and for all amounts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary.money import (
    divide_half_up,
    format_minor,
    instalments,
    minor_digits,
    split,
    split_increase,
    unearned,
)

COINSURERS = {"A": 40, "B": 35, "C": 25}
amounts = st.integers(-(10**15), 10**15)
weights = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10_000), min_size=1).filter(
    lambda parts: sum(parts.values()) > 0
)


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (-4, 3, -1), (5, 3, 2), (0, 7, 0), (1, 2, 1), (49, 100, 0)],
)
def test_halves_are_rounded_away_from_zero(numerator: int, denominator: int, quotient: int) -> None:
    assert divide_half_up(numerator, denominator) == quotient


@pytest.mark.parametrize("denominator", [0, -1])
def test_a_denominator_must_be_positive(denominator: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        divide_half_up(1, denominator)


@given(numerator=amounts, denominator=st.integers(1, 10**9))
def test_rounding_is_off_by_at_most_a_half_and_odd(numerator: int, denominator: int) -> None:
    quotient = divide_half_up(numerator, denominator)
    assert abs(Fraction(numerator, denominator) - quotient) <= Fraction(1, 2)
    assert divide_half_up(-numerator, denominator) == -quotient


def test_a_premium_is_split_by_largest_remainder() -> None:
    # W13: 100.01 at 62.5 / 25 / 10 / 2.5 %.
    shares = {"insurer": 6_250, "channel": 2_500, "platform": 1_000, "tax": 250}
    assert list(split(10_001, shares).values()) == [6_251, 2_500, 1_000, 250]


def test_coinsurers_get_their_parts_of_a_premium() -> None:
    # W15: 1,234.57 at 40/35/25.
    assert split(123_457, COINSURERS) == {"A": 49_383, "B": 43_210, "C": 30_864}


def test_coinsurers_bear_their_parts_of_a_claim() -> None:
    # W15c: 10,000.01.
    assert split(1_000_001, COINSURERS) == {"A": 400_001, "B": 350_000, "C": 250_000}


def test_a_refund_books_the_difference_of_the_running_total() -> None:
    # W15d: 123.45 of 1,234.57.
    assert split_increase(123_457, -12_345, COINSURERS) == {"A": -4_938, "B": -4_321, "C": -3_086}


def test_instalments_keep_the_agreed_shares_over_the_year() -> None:
    # W15e: 1,000.00 in W11's instalments.
    booked = {"A": 0, "B": 0, "C": 0}
    increases = []
    billed = 0
    for amount in instalments(100_000, 12):
        increase = split_increase(billed, amount, COINSURERS)
        increases.append(tuple(increase.values()))
        booked = {name: booked[name] + increase[name] for name in booked}
        billed += amount
    assert increases[1:3] == [(3_333, 2_917, 2_083), (3_333, 2_916, 2_084)]
    assert booked == {"A": 40_000, "B": 35_000, "C": 25_000}


def test_splitting_each_instalment_alone_would_drift() -> None:
    # W15e, the wrong way: 399.98 / 350.05 / 249.97.
    each = [split(amount, COINSURERS) for amount in instalments(100_000, 12)]
    assert [sum(part[name] for part in each) for name in COINSURERS] == [39_998, 35_005, 24_997]


def test_ties_go_to_the_first_named() -> None:
    assert split(1, {"second": 1, "first": 1}) == {"second": 1, "first": 0}


@pytest.mark.parametrize("unusable", [{"a": 0}, {"a": 2, "b": -1}])
def test_weights_must_be_shares(unusable: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split(100, unusable)


@given(total=amounts, parts=weights)
def test_parts_add_up_and_are_less_than_one_unit_from_their_share(total: int, parts: dict[str, int]) -> None:
    booked = split(total, parts)
    whole = sum(parts.values())
    assert sum(booked.values()) == total
    assert list(booked) == list(parts)
    for name, weight in parts.items():
        assert abs(booked[name] - Fraction(total * weight, whole)) < 1
        assert weight or booked[name] == 0


@given(total=amounts, parts=weights)
def test_a_credit_is_split_as_the_debit_was(total: int, parts: dict[str, int]) -> None:
    assert split(-total, parts) == {name: -part for name, part in split(total, parts).items()}


@given(movements=st.lists(st.integers(-(10**9), 10**9), max_size=20), parts=weights)
def test_movements_book_exactly_the_split_of_their_total(movements: list[int], parts: dict[str, int]) -> None:
    booked = dict.fromkeys(parts, 0)
    total = 0
    for movement in movements:
        increase = split_increase(total, movement, parts)
        assert sum(increase.values()) == movement
        booked = {name: booked[name] + increase[name] for name in parts}
        total += movement
    assert booked == split(total, parts)


def test_the_cents_that_do_not_divide_are_on_the_first_instalment() -> None:
    # W11: 1,000.00 in 12.
    assert instalments(100_000, 12) == (8_337, *[8_333] * 11)


def test_there_is_at_least_one_instalment() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        instalments(100, 0)


@given(total=st.integers(0, 10**15), count=st.integers(1, 60))
def test_instalments_add_up_and_only_the_first_differs(total: int, count: int) -> None:
    found = instalments(total, count)
    assert (len(found), sum(found)) == (count, total)
    assert len(set(found[1:])) <= 1
    assert 0 <= found[0] - found[-1] < count


@pytest.mark.parametrize(
    ("elapsed", "left_minor"), [(0, 128_600), (17, 122_610), (47, 112_041), (292, 25_720), (365, 0)]
)
def test_unearned_premium_over_a_year(elapsed: int, left_minor: int) -> None:
    # W16: 1,286.00 from 2026-03-15 to 2027-03-15.
    assert unearned(128_600, 365 - elapsed, 365) == left_minor


def test_premium_is_earned_month_by_month() -> None:
    # W16: March earned 59.90, April 105.69.
    assert 128_600 - unearned(128_600, 348, 365) == 5_990
    assert unearned(128_600, 348, 365) - unearned(128_600, 318, 365) == 10_569


def test_unearned_premium_of_a_term_with_a_leap_day() -> None:
    # W16b: 2027-03-15 to 2028-03-15 at the end of 2027.
    assert unearned(128_600, 74, 366) == 26_001


def test_a_term_that_ends_early_keeps_what_was_earned() -> None:
    # W10: 1,200.00, ended after 140 days; 300.00 was paid, so 160.27 is still owed.
    earned = 120_000 - unearned(120_000, 365 - 140, 365)
    assert earned == 46_027
    assert earned - sum(instalments(120_000, 12)[:3]) == 16_027


def test_raising_the_cover_charges_the_difference_of_two_unearned_premiums() -> None:
    # W3: 1,200.00 to 1,560.00 after 122 days; prorating the difference would give 239.67.
    assert unearned(156_000, 243, 365) - unearned(120_000, 243, 365) == 23_968


def test_a_surrender_by_day_gives_back_the_unearned_premium() -> None:
    # W9: 4,128.55 after 200 days.
    assert unearned(412_855, 165, 365) == 186_633


@pytest.mark.parametrize("days_left", [-1, 366])
def test_days_left_lie_within_the_term(days_left: int) -> None:
    with pytest.raises(ValueError, match="days_left"):
        unearned(100, days_left, 365)


@given(premium=st.integers(0, 10**12), term=st.integers(1, 1_100), data=st.data())
def test_unearned_premium_falls_from_all_to_nothing(premium: int, term: int, data: st.DataObject) -> None:
    later = data.draw(st.integers(0, term - 1))
    assert unearned(premium, term, term) == premium
    assert unearned(premium, 0, term) == 0
    assert unearned(premium, later, term) <= unearned(premium, later + 1, term)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (2_226_769_250, "EUR", "22,267,692.50"),
        (-5, "EUR", "-0.05"),
        (0, "CNY", "0.00"),
        (1_234, "JPY", "1,234"),
        (1_234_567, "KWD", "1,234.567"),
    ],
)
def test_amounts_are_shown_with_the_digits_of_their_currency(amount_minor: int, currency: str, text: str) -> None:
    assert format_minor(amount_minor, currency) == text


def test_currencies_have_two_decimals_unless_listed() -> None:
    assert (minor_digits("EUR"), minor_digits("VND"), minor_digits("BHD")) == (2, 0, 3)
