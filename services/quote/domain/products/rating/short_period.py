"""Short terms: the share of a whole term's premium that a shorter one costs."""

from datetime import date
from typing import assert_never

from contracts.vocabulary.time import months_begun
from services.quote.domain.products.ratio import Ratio
from services.quote.domain.products.tariff import ByDay, MonthsBegun, ShortPeriod

_HUNDRED = 100


class NoShortTerm(Exception):
    """The scale has no entry for a term of this length."""


def short_share(scale: ShortPeriod, effective: date, expiry: date, full_expiry: date) -> tuple[int, int, str]:
    """Numerator, denominator and wording of the share; days are `[effective, expiry)`.

    Raises NoShortTerm where the months table ends before the term does.
    """
    match scale:
        case ByDay():
            days, whole = (expiry - effective).days, (full_expiry - effective).days
            return days, whole, f"short term by day: {days} of {whole} days"
        case MonthsBegun():
            months = months_begun(effective, expiry)
            if months > len(scale.percents):
                raise NoShortTerm(f"a term of {months} months begun")
            percent: Ratio = scale.percents[months - 1]
            wording = f"short term by months begun: {months}, {percent.text} %"
            return percent.numerator, percent.denominator * _HUNDRED, wording
        case _:
            assert_never(scale)
