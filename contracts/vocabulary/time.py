"""Time: aware UTC instants, and cover periods of whole local days, half-open."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, model_validator

from contracts.vocabulary.model import ContractModel

EARLIEST_DATE = date(1900, 1, 1)
LATEST_DATE = date(2199, 12, 31)


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the instant lies outside the years 1 to 9999 in UTC") from error


def _plausible(day: date) -> date:
    if not EARLIEST_DATE <= day <= LATEST_DATE:
        raise ValueError(f"date must lie between {EARLIEST_DATE} and {LATEST_DATE}")
    return day


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
CivilDate = Annotated[date, AfterValidator(_plausible)]


class CoverPeriod(ContractModel):
    """Days covered, `[effective, expiry)` in the insurer's civil calendar: expiry is the first day without cover."""

    effective: CivilDate
    expiry: CivilDate

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.expiry <= self.effective:
            raise ValueError("expiry must be after effective")
        return self

    @property
    def days(self) -> int:
        """Length of the term in days."""
        return (self.expiry - self.effective).days

    def covers(self, day: date) -> bool:
        """Whether `day` is a day of cover."""
        return self.effective <= day < self.expiry

    def overlaps(self, other: "CoverPeriod") -> bool:
        """Whether a day is in both periods."""
        return self.effective < other.expiry and other.effective < self.expiry


def add_months(day: date, months: int) -> date:
    """The same day `months` later, clamped to the end of a shorter month."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    first_of_next = date(year + (month0 + 1) // 12, (month0 + 1) % 12 + 1, 1)
    last = (first_of_next - timedelta(days=1)).day
    return date(year, month0 + 1, min(day.day, last))


def months_begun(start: date, end: date) -> int:
    """How many months the days `[start, end)` begin: the least count whose end does not lie before `end`.

    The end of a month is clamped: from 31 January on, the first month ends on 28 February.
    """
    months = max(0, (end.year - start.year) * 12 + end.month - start.month)
    while add_months(start, months) < end:
        months += 1
    return months


def completed_years(birth: date, on: date) -> int:
    """Age in completed years on a day (a birthday on 29 February counts from 1 March)."""
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def completed_months(start: date, on: date) -> int:
    """Whole months from one day to another; a month that begins on the 31st is over at the end of a shorter one."""
    return months_begun(start, on + timedelta(days=1)) - 1
