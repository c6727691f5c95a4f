"""Cover periods of whole days, half-open; months clamped; ages in completed years; instants in UTC."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.vocabulary.time import CivilDate, CoverPeriod, Instant, add_months, completed_months, completed_years

YEAR = CoverPeriod(effective=date(2026, 1, 1), expiry=date(2027, 1, 1))
days = st.dates(date(1900, 1, 1), date(2150, 12, 31))


def _ends_after(effective: date, term_days: int) -> CoverPeriod:
    return CoverPeriod(effective=effective, expiry=effective + timedelta(days=term_days))


def test_the_first_day_is_covered_and_the_expiry_is_not() -> None:
    assert YEAR.covers(date(2026, 1, 1))
    assert YEAR.covers(date(2026, 12, 31))
    assert not YEAR.covers(date(2027, 1, 1))
    assert not YEAR.covers(date(2025, 12, 31))


def test_a_term_has_365_or_366_days() -> None:
    assert YEAR.days == 365
    assert CoverPeriod(effective=date(2027, 3, 15), expiry=date(2028, 3, 15)).days == 366


@pytest.mark.parametrize("expiry", [date(2026, 1, 1), date(2025, 12, 31)])
def test_a_period_covers_at_least_one_day(expiry: date) -> None:
    with pytest.raises(ValidationError, match="expiry must be after effective"):
        CoverPeriod(effective=date(2026, 1, 1), expiry=expiry)


def test_a_renewal_that_starts_on_the_expiry_does_not_overlap() -> None:
    following = CoverPeriod(effective=date(2027, 1, 1), expiry=date(2028, 1, 1))
    assert not YEAR.overlaps(following)
    assert not following.overlaps(YEAR)
    assert YEAR.overlaps(CoverPeriod(effective=date(2026, 12, 31), expiry=date(2027, 12, 31)))


@given(start=days, length=st.integers(1, 30), other_start=days, other_length=st.integers(1, 30))
def test_periods_overlap_where_they_share_a_day(start: date, length: int, other_start: date, other_length: int) -> None:
    one, other = _ends_after(start, length), _ends_after(other_start, other_length)
    shared = any(other.covers(start + timedelta(days=day)) for day in range(length))
    assert one.overlaps(other) == other.overlaps(one) == shared


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 1, 31), 2, date(2026, 3, 31)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 3, 15), 0, date(2026, 3, 15)),
        (date(2026, 11, 15), 1, date(2026, 12, 15)),
    ],
)
def test_months_are_clamped_to_the_end_of_a_shorter_one(day: date, months: int, later: date) -> None:
    assert add_months(day, months) == later


@given(day=days, months=st.integers(0, 120))
def test_a_later_month_keeps_the_day_or_is_its_own_last(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    ("birth", "on", "age"),
    [
        (date(1990, 5, 20), date(2026, 5, 19), 35),
        (date(1990, 5, 20), date(2026, 5, 20), 36),
        (date(2004, 2, 29), date(2026, 2, 28), 21),
        (date(2004, 2, 29), date(2026, 3, 1), 22),
        (date(2026, 1, 1), date(2026, 1, 1), 0),
    ],
)
def test_age_is_in_completed_years(birth: date, on: date, age: int) -> None:
    assert completed_years(birth, on) == age


@pytest.mark.parametrize(
    ("start", "on", "months"),
    [
        (date(2024, 7, 1), date(2026, 1, 1), 18),
        (date(2024, 7, 2), date(2026, 1, 1), 17),
        (date(2024, 1, 31), date(2024, 2, 28), 0),
        (date(2024, 1, 31), date(2024, 2, 29), 1),
        (date(2026, 1, 1), date(2026, 1, 1), 0),
    ],
)
def test_months_are_completed_on_their_day_or_at_the_end_of_a_shorter_month(start: date, on: date, months: int) -> None:
    assert completed_months(start, on) == months


def test_instants_are_kept_in_utc() -> None:
    noon_in_shanghai = datetime(2026, 1, 1, 20, 0, tzinfo=timezone(timedelta(hours=8)))
    kept = TypeAdapter(Instant).validate_python(noon_in_shanghai)
    assert kept == datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    assert kept.tzinfo is UTC


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_json('"2026-01-01T12:00:00"')


@pytest.mark.parametrize("day", ["1899-12-31", "2200-01-01", "2026-02-29"])
def test_a_date_must_exist_and_be_plausible(day: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(CivilDate).validate_json(f'"{day}"')
