"""Prices an order by its product's method, and says where the order's own price cannot stand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import assert_never

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.money import AMOUNT_MINOR_MAX, BASIS_POINTS, format_minor, split
from contracts.vocabulary.products import CoverageTerms
from contracts.vocabulary.time import add_months
from services.quote.domain.checks import coverages_bought, sum_insured
from services.quote.domain.order import ChosenCoverage, Order
from services.quote.domain.products.cover import covered, total_insured_minor
from services.quote.domain.products.document import ProductDocument, QuotedPricing, TariffPricing
from services.quote.domain.products.rating.adjusting import Term
from services.quote.domain.products.rating.census import CensusRating, census_rating
from services.quote.domain.products.rating.imposed import ImposedLoading, loaded_premiums
from services.quote.domain.products.rating.price import Rating, rate
from services.quote.domain.products.ratio import Exact
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.tariff import RatedStep
from services.quote.domain.products.version import ProductVersion

_NOTHING_GIVEN: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Price:
    """The price of each coverage, its working, and why it cannot be agreed (`faults`).

    `agreed` differs from `rated` only within a tariff's tolerance: the buyer has seen the order's total.
    `rated` is None where the order has no price at all; `census` is how a group was counted and what a head costs.
    """

    rated: tuple[CoverageTerms, ...] | None
    agreed: tuple[CoverageTerms, ...]
    working: tuple[RatedStep, ...]
    faults: tuple[Fault, ...]
    census: CensusRating | None = None


def price(
    order: Order,
    product: ProductVersion,
    subjects: tuple[Subject, ...],
    imposed: Sequence[ImposedLoading] = (),
    given: Mapping[str, int] = _NOTHING_GIVEN,
) -> Price:
    """The price of an order whose coverages are in the plan and whose subjects may be insured.

    `imposed` are loadings of underwriting's own, `given` premiums by coverage that it sets in place of others.
    """
    subjects = covered(subjects, insured(coverages_bought(order, product.document), product), product)
    match product.document.pricing:
        case QuotedPricing():
            return _quoted(order, product, product.document.pricing, subjects, imposed, given)
        case TariffPricing():
            return _by_tariff(order, product, product.document.pricing, subjects, imposed, given)
        case _:
            assert_never(product.document.pricing)


def _quoted(
    order: Order,
    product: ProductVersion,
    pricing: QuotedPricing,
    subjects: Sequence[Subject],
    imposed: Sequence[ImposedLoading],
    given: Mapping[str, int],
) -> Price:
    bought = coverages_bought(order, product.document)
    premiums = {chosen.code: chosen.premium_minor or 0 for chosen in bought}
    whole = sum(premiums.values())
    faults = list(_limit_faults(order, pricing)) if pricing.limits else []
    if whole != order.premium_minor:
        message = (
            f"the coverages' premiums add up to {_money(whole, order)}, "
            f"but the order's premium is {_money(order.premium_minor, order)}; they must be equal"
        )
        faults.append(Fault(code=FaultCode.PREMIUM_DOES_NOT_ADD_UP, path="premium_minor", message=message))
    if whole > AMOUNT_MINOR_MAX:
        return Price(None, (), (), tuple(faults))
    later = any(subject.joiners for subject in subjects)
    census = _census(product, subjects, None if later else whole, {})
    working: tuple[RatedStep, ...] = (
        RatedStep("*", "", str(whole), "premiums of the order, coverage by coverage, as quoted"),
    )
    if pricing.reference is not None:
        # What the channel quoted is held against the tariff as it stands, before underwriting adds to it.
        rating = rating_of(order, product, bought, subjects)
        if rating.faults:
            return Price(None, (), (), (*faults, *rating.faults))
        working += rating.steps
        census = _census(product, subjects, None if later else whole, rating.exact)
        tolerance = pricing.reference.tolerance_bp
        ours = sum(rating.premiums.values())
        if abs(order.premium_minor - ours) * BASIS_POINTS > tolerance * ours:
            faults.append(_outside_tolerance(order, product.document, ours, f"{tolerance} basis points"))
    if imposed or given:
        steps = [RatedStep(code, "", str(minor), "premium set by the underwriter") for code, minor in given.items()]
        premiums = loaded_premiums({**premiums, **given}, imposed, steps)
        working += tuple(steps)
    terms = _terms(bought, product, premiums, subjects)
    return Price(terms, terms, working, tuple(faults), census)


def _by_tariff(
    order: Order,
    product: ProductVersion,
    pricing: TariffPricing,
    subjects: Sequence[Subject],
    imposed: Sequence[ImposedLoading],
    given: Mapping[str, int],
) -> Price:
    bought = coverages_bought(order, product.document)
    rating = rating_of(order, product, bought, subjects, imposed, given)
    if rating.faults:
        return Price(None, (), (), rating.faults)
    ours, tolerance = sum(rating.premiums.values()), pricing.tolerance_minor
    census = _census(product, subjects, rating.first_day_minor, rating.exact)
    rated = _terms(bought, product, rating.premiums, subjects) if ours <= AMOUNT_MINOR_MAX else None
    if rated is None or abs(order.premium_minor - ours) > tolerance:
        fault = _outside_tolerance(order, product.document, ours, _money(tolerance, order))
        return Price(rated, (), rating.steps, (fault,), census)
    if ours in (order.premium_minor, 0):
        return Price(rated, rated, rating.steps, (), census)
    agreed = _terms(bought, product, split(order.premium_minor, rating.premiums), subjects)
    return Price(rated, agreed, rating.steps, (), census)


def _census(
    product: ProductVersion,
    subjects: Sequence[Subject],
    premium_minor: int | None,
    exact: Mapping[str, Sequence[Exact]],
) -> CensusRating | None:
    group = product.document.group
    return None if group is None else census_rating(subjects, group.age_bands, premium_minor, exact)


def rating_of(
    order: Order,
    product: ProductVersion,
    bought: Sequence[ChosenCoverage],
    subjects: Sequence[Subject],
    imposed: Sequence[ImposedLoading] = (),
    given: Mapping[str, int] = _NOTHING_GIVEN,
) -> Rating:
    """The tariff's price of the coverages bought. Raises ValueError where the product has no tariff."""
    if product.rating is None:
        raise ValueError(f"{product.document.code} has no tariff")
    group, term = product.document.group, None
    if order.expiry is not None or group is not None:
        whole = add_months(order.effective, product.document.term_months)
        term = Term(order.effective, order.expiry or whole, whole)
    return rate(
        product.rating,
        insured(bought, product),
        subjects,
        frequency=order.frequency,
        term=term,
        imposed=imposed,
        given=given,
        blending=None if group is None else group.blended,
    )


def insured(bought: Sequence[ChosenCoverage], product: ProductVersion) -> list[tuple[str, int | None]]:
    """The coverages bought as (code, sum insured in minor units)."""
    return [(chosen.code, sum_insured(chosen, product.plan[chosen.code])) for chosen in bought]


def _terms(
    bought: Sequence[ChosenCoverage],
    product: ProductVersion,
    premiums: Mapping[str, int],
    subjects: Sequence[Subject],
) -> tuple[CoverageTerms, ...]:
    return tuple(
        CoverageTerms(
            code=chosen.code,
            premium_minor=premiums[chosen.code],
            sum_insured_minor=total_insured_minor(planned, sum_insured(chosen, planned), subjects),
        )
        for chosen in bought
        for planned in (product.plan[chosen.code],)
    )


def _limit_faults(order: Order, pricing: QuotedPricing) -> Iterator[Fault]:
    for place, chosen in enumerate(order.coverages):
        limits = pricing.limits.get(chosen.code)
        if limits is None or not chosen.premium_minor:
            continue
        if not limits.at_least_minor <= chosen.premium_minor <= limits.at_most_minor:
            message = (
                f"the premium of coverage {chosen.code} is {_money(chosen.premium_minor, order)}; it must lie between "
                f"{_money(limits.at_least_minor, order)} and {_money(limits.at_most_minor, order)}"
            )
            path = f"coverages.{place}.premium_minor"
            yield Fault(code=FaultCode.PRICE_OUTSIDE_TOLERANCE, path=path, message=message)


def _outside_tolerance(order: Order, document: ProductDocument, ours_minor: int, tolerance: str) -> Fault:
    return Fault(
        code=FaultCode.PRICE_OUTSIDE_TOLERANCE,
        path="premium_minor",
        message=f"the order's premium is {_money(order.premium_minor, order)}, version {document.version} of "
        f"{document.code} prices it at {_money(ours_minor, order)}; they may differ by {tolerance}",
    )


def _money(amount_minor: int, order: Order) -> str:
    return f"{format_minor(amount_minor, order.currency)} {order.currency}"
