"""What is done to exact prices before and after they are rounded: discounts, short terms, least premiums, tax."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeAlias

from contracts.vocabulary.money import divide_half_up, split
from services.quote.domain.products.group_terms import Blending
from services.quote.domain.products.rating.lookup import NoRate
from services.quote.domain.products.rating.members import blended, head_prices, with_joiners
from services.quote.domain.products.rating.plan import applies
from services.quote.domain.products.rating.short_period import NoShortTerm, short_share
from services.quote.domain.products.ratio import Exact, total
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.tariff import Discount, DiscountStep, InsideTax, MinimumPremium, RatedStep, Tariff

Parts: TypeAlias = dict[str, list[Exact]]
"""By coverage the exact price of each subject, in the order of the subjects."""

_HUNDRED = 100
_ORDER = "*"


@dataclass(frozen=True, slots=True)
class Term:
    """A term that may be shorter than the whole one; days are `[effective, expiry)`."""

    effective: date
    expiry: date
    full_expiry: date

    @property
    def is_short(self) -> bool:
        """Whether it ends before the whole term does."""
        return self.expiry < self.full_expiry


class Adjusted(NamedTuple):
    """Premiums by coverage in minor units, and the exact price of all heads of each subject that was rounded.

    `first_day_minor` is the tariff's premium of those who are covered from the first day; `heads_minor` what a head
    costs for the whole term, by the place of each subject that has joiners.
    """

    premiums: dict[str, int]
    exact: Parts
    first_day_minor: int
    heads_minor: dict[int, int]


def adjusted(
    tariff: Tariff,
    parts: Parts,
    subjects: Sequence[Subject],
    term: Term | None,
    blending: Blending | None,
    steps: list[RatedStep],
    untouched: Container[str] = (),
) -> Adjusted:
    """What is charged for coverages whose `parts` are the exact prices of a head; all is told in `steps`.

    Coverages that are `untouched` have the price of all heads and are only rounded and taxed. Raises NoRate where a
    short term has no share, or where there is nothing to blend.
    """
    members = _are_members(subjects)
    if members and term is None and any(subject.joiners for subject in subjects):
        raise ValueError("what members who join later cost depends on the term; tell it")
    codes = list(parts)
    by_hand = {code: own for code, own in parts.items() if code in untouched}
    parts = {code: own for code, own in parts.items() if code not in by_hand}
    if tariff.discounts:
        parts = _discounted(tariff.discounts, parts, subjects, steps)
    if term is not None and term.is_short:
        parts = _shortened(tariff, parts, term, steps)
    minimum = tariff.minimum
    if minimum is not None and minimum.per_subject_minor is not None:
        parts = _at_least_for_subjects(minimum.per_subject_minor, parts, subjects, steps)
    exact = _of_all_heads(parts, subjects) if members else parts
    premiums = {code: total(own).rounded_minor() for code, own in exact.items()}
    if minimum is not None:
        premiums = _at_least(minimum, premiums, steps)
    first_day_minor = sum(premiums.values())
    heads_minor: dict[int, int] = {}
    days = None if term is None or not members else (term.effective, term.expiry)
    if blending is not None:
        premiums, heads_minor = blended(blending, premiums, exact, subjects, days, steps)
    elif days is not None and any(subject.joiners for subject in subjects):
        heads_minor = head_prices(parts, subjects)
        premiums = with_joiners(premiums, parts, heads_minor, subjects, days, steps)
    if by_hand:
        exact = {**exact, **by_hand}
        premiums = {code: premiums[code] if code in premiums else total(exact[code]).rounded_minor() for code in codes}
    if tariff.tax is not None:
        steps += tax_steps(tariff.tax, sum(premiums.values()))
    return Adjusted(premiums, exact, first_day_minor, heads_minor)


def _at_least(minimum: MinimumPremium, premiums: dict[str, int], steps: list[RatedStep]) -> dict[str, int]:
    """Premiums raised to the least of each coverage, and then in proportion to the least of the order."""
    raised = dict(premiums)
    for code, least in minimum.per_coverage_minor.items():
        if code in raised and raised[code] < least:
            raised[code] = least
            steps.append(_least(code, "", least, "coverage", f"minimum.per_coverage_minor.{code}"))
    least_of_order = minimum.per_order_minor
    if least_of_order is not None and raised and sum(raised.values()) < least_of_order:
        weights = raised if any(raised.values()) else dict.fromkeys(raised, 1)
        raised = split(least_of_order, weights)
        steps.append(_least(_ORDER, "", least_of_order, "order", "minimum.per_order_minor"))
    return raised


def _are_members(subjects: Sequence[Subject]) -> bool:
    """Whether some subjects stand for more or fewer heads than one, or for some who join later."""
    # A loop, and not a generator in `any`: this is asked of every order.
    for subject in subjects:  # noqa: SIM110
        if subject.count != 1 or subject.joiners:
            return True
    return False


def _of_all_heads(parts: Parts, subjects: Sequence[Subject]) -> Parts:
    """Exact prices of all who are covered from the first day, out of those of a head."""
    return {
        code: [part.times(subject.count) for part, subject in zip(own, subjects, strict=True)]
        for code, own in parts.items()
    }


def net_and_tax(gross_minor: int, tax: InsideTax) -> tuple[int, int]:
    """A premium without the tax that is inside it, and that tax; together they are the premium."""
    hundred = _HUNDRED * tax.percent.denominator
    net_minor = divide_half_up(gross_minor * hundred, hundred + tax.percent.numerator)
    return net_minor, gross_minor - net_minor


def tax_steps(tax: InsideTax, gross_minor: int) -> list[RatedStep]:
    """The tax inside a premium, as steps of its working."""
    net_minor, tax_minor = net_and_tax(gross_minor, tax)
    inside = f"{tax.name} {tax.percent.text} % inside {gross_minor} minor units"
    return [
        RatedStep(_ORDER, "", str(net_minor), f"premium without {inside}", "tax", "tax"),
        RatedStep(_ORDER, "", str(tax_minor), inside, "tax", "tax"),
    ]


def _discounted(
    discounts: Sequence[Discount], parts: Parts, subjects: Sequence[Subject], steps: list[RatedStep]
) -> Parts:
    heads = sum(subject.count for subject in subjects)
    for place, discount in enumerate(discounts):
        if discount.kind == "family":
            reached, words = heads, f"{heads} insured"
        else:
            exact = _of_all_heads(parts, subjects) if _are_members(subjects) else parts
            reached = total(part for own in exact.values() for part in own).rounded_minor()
            words = f"{reached} minor units a year"
        step = _last_reached(discount.steps, reached)
        if step is None:
            continue
        percent, row = discount.steps[step].percent, f"discounts.{place}.steps.{step}"
        left, whole = _HUNDRED * percent.denominator - percent.numerator, _HUNDRED * percent.denominator
        off = [code for code in parts if applies(discount.coverages, code)]
        parts = {**parts, **{code: [part.times(left, whole) for part in parts[code]] for code in off}}
        said = f"discount {discount.name}, {words}"
        told_for = off if discount.coverages else (_ORDER,)
        steps += [RatedStep(code, "", f"{percent.text} %", said, row, "discount") for code in told_for]
    return parts


def _last_reached(steps: Sequence[DiscountStep], reached: int) -> int | None:
    found = [place for place, step in enumerate(steps) if step.at_least <= reached]
    return found[-1] if found else None


def _shortened(tariff: Tariff, parts: Parts, term: Term, steps: list[RatedStep]) -> Parts:
    if tariff.short_period is None:
        raise NoRate("a term shorter than the whole one")
    try:
        numerator, denominator, words = short_share(tariff.short_period, term.effective, term.expiry, term.full_expiry)
    except NoShortTerm as missing:
        raise NoRate(str(missing)) from None
    steps.append(RatedStep(_ORDER, "", f"{numerator}/{denominator}", words, "short_period", "short-period"))
    return {code: [part.times(numerator, denominator) for part in own] for code, own in parts.items()}


def _at_least_for_subjects(
    least_minor: int, parts: Parts, subjects: Sequence[Subject], steps: list[RatedStep]
) -> Parts:
    """Parts of a subject whose sum is below the least premium are raised in proportion, exactly."""
    raised = {code: list(own) for code, own in parts.items()}
    for place, subject in enumerate(subjects):
        whole = total(own[place] for own in parts.values())
        if 0 < whole.numerator < least_minor * whole.denominator:
            for own in raised.values():
                own[place] = own[place].times(least_minor * whole.denominator, whole.numerator)
            row, heads = "minimum.per_subject_minor", max(subject.count, 1)
            steps.append(_least(_ORDER, subject.path, least_minor * heads, "subject", row))
    return raised


def _least(code: str, subject: str, least_minor: int, of_what: str, row: str) -> RatedStep:
    return RatedStep(code, subject, str(least_minor), f"minimum premium of the {of_what}, minor units", row, "minimum")
