"""What a motor product says beyond its coverages: what a car is worth today, what is insured up to that, and seats."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.identifiers import CoverageCode
from contracts.vocabulary.money import divide_half_up, format_minor
from contracts.vocabulary.products import COVERAGES_MAX
from services.quote.domain.products.coverage import PlannedCoverage
from services.quote.domain.products.part import DocumentPart, misfit
from services.quote.domain.products.ratio import RatioText
from services.quote.domain.products.rules import FactValue, Subject
from services.quote.domain.products.tariff import CountFactor, Tariff

NEW_VALUE_FACT = "vehicle_value_minor"
AGE_MONTHS_FACT = "vehicle_age_months"
AGE_FACT = "vehicle_age"
SEATS_FACT = "passenger_seats"

_HUNDRED = 100
_MONTHS_A_YEAR = 12


class VehicleTerms(DocumentPart):
    """What a car is worth today, and the coverages whose sum insured may not be more than that.

    Each whole month since its first registration takes `depreciation_percent_a_month` off its value as new, of which
    `least_percent` always remains. A car whose day of registration is not told is as old as its age in years says.
    """

    depreciation_percent_a_month: RatioText
    least_percent: RatioText
    coverages: Annotated[tuple[CoverageCode, ...], Field(min_length=1, max_length=COVERAGES_MAX)]

    def present_value_minor(self, facts: Mapping[str, FactValue]) -> int | None:
        """The car's value today in minor units, rounded half up; None where its value as new was not told."""
        new_minor, months, years = (facts.get(name) for name in (NEW_VALUE_FACT, AGE_MONTHS_FACT, AGE_FACT))
        if months is None and isinstance(years, int):
            months = years * _MONTHS_A_YEAR
        if not isinstance(new_minor, int) or not isinstance(months, int):
            return None
        monthly, least = self.depreciation_percent_a_month, self.least_percent
        # Both percentages over one denominator.
        whole = _HUNDRED * monthly.denominator * least.denominator
        left = whole - months * monthly.numerator * least.denominator
        left = max(left, least.numerator * monthly.denominator)
        return divide_half_up(new_minor * left, whole)

    def over_insurance(
        self, chosen: Sequence[tuple[str, int | None]], subjects: Sequence[Subject], currency: str
    ) -> Iterator[Fault]:
        """Where an order, given as (coverage, sum insured in minor units), insures a car for more than it is worth.

        What lies above would never be paid, since over-insurance is void.
        """
        values = [self.present_value_minor(subject.facts) for subject in subjects]
        for place, (code, insured_minor) in enumerate(chosen):
            if code not in self.coverages:
                continue
            if not values or values[0] is None:
                message = f"coverage {code} is limited by the car's value, which is not told; give its value as new"
                yield Fault(code=FaultCode.MISSING_FIELD, path="risk.vehicle.value_minor", message=message)
            elif insured_minor is not None and insured_minor > values[0]:
                worth, insured = (format_minor(amount, currency) for amount in (values[0], insured_minor))
                message = f"the car is worth {worth} today and insured for {insured}; insure it for no more than that"
                path = f"coverages.{place}.sum_insured_minor"
                yield Fault(code=FaultCode.SUM_INSURED_NOT_OFFERED, path=path, message=message)


def vehicle_misfits(
    terms: VehicleTerms | None,
    coverages: tuple[PlannedCoverage, ...],
    tariff: Tariff | None,
    facts: Container[str],
) -> Iterator[Fault]:
    """What does not fit in the terms of a car, and coverages by seat; `facts` are those that the line's risks have."""
    for place, coverage in enumerate(coverages):
        if coverage.sum_insured_for == "seat":
            yield from _seat_misfits(f"coverages.{place}.sum_insured_for", coverage, tariff, facts)
    if terms is None:
        return
    if NEW_VALUE_FACT not in facts:
        yield misfit("vehicle", "the risks of this line tell no vehicle's value; remove it")
    plan = {coverage.code: coverage for coverage in coverages}
    for code in terms.coverages:
        if code not in plan:
            yield misfit("vehicle.coverages", f"coverage {code} is not in the plan; add it there or remove it here")
        elif not plan[code].has_sum_insured:
            message = f"coverage {code} has no sum insured that the car's value could limit; give it one"
            yield misfit("vehicle.coverages", message)
    for name in ("depreciation_percent_a_month", "least_percent"):
        ratio = getattr(terms, name)
        if ratio.numerator > _HUNDRED * ratio.denominator:
            yield misfit(f"vehicle.{name}", "more than the whole value; keep it at 100 percent or below")


def _seat_misfits(
    path: str, coverage: PlannedCoverage, tariff: Tariff | None, facts: Container[str]
) -> Iterator[Fault]:
    if SEATS_FACT not in facts:
        yield misfit(path, "the risks of this line tell no seats; say contract or person")
        return
    if not coverage.has_sum_insured:
        yield misfit(path, f"coverage {coverage.code} has no sum insured; give one or remove sum_insured_for")
    factors = () if tariff is None else tariff.factors
    counting = [one for one in factors if isinstance(one, CountFactor) and one.fact == SEATS_FACT]
    if tariff is not None and not any(not one.coverages or coverage.code in one.coverages for one in counting):
        message = f"coverage {coverage.code} is insured by seat; add a factor of kind count of {SEATS_FACT} for it"
        yield misfit(path, message)
