"""The facts of an application as a whole, and of its customer, that a product's rules look at."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TypeAlias

from contracts.vocabulary.time import add_months
from services.quote.domain.order import Order
from services.quote.domain.products.rules import FactValue, Subject
from services.quote.domain.products.underwriting import FiredRule, fired_rules
from services.quote.domain.products.version import ProductVersion

BLACKLIST_RULE = "blacklist"


@dataclass(frozen=True, slots=True)
class OtherContract:
    """A contract that the same customer has or has applied for here; sums in minor units, by coverage."""

    contract_id: str
    product_code: str
    currency: str
    effective: date
    expiry: date
    premium_minor: int
    sums_insured_minor: Mapping[str, int]
    channel: str = ""


@dataclass(frozen=True, slots=True)
class CustomerStanding:
    """What was known of a customer when the order was taken in.

    `contracts` is None where it could not be known: the order does not say who the customer is.
    """

    blacklisted: bool = False
    contracts: tuple[OtherContract, ...] | None = None


UNKNOWN_CUSTOMER = CustomerStanding()


@dataclass(frozen=True, slots=True)
class Assessment:
    """The rules that fired, and the figures of the application that the rules could look at."""

    fired: tuple[FiredRule, ...]
    figures: dict[str, FactValue]

    def of(self, outcome: str) -> tuple[FiredRule, ...]:
        """The rules that fired with this outcome."""
        return tuple(rule for rule in self.fired if rule.outcome == outcome)


def assess(
    order: Order,
    channel: str,
    product: ProductVersion,
    subjects: tuple[Subject, ...],
    customer: CustomerStanding,
) -> Assessment:
    """Every rule of the product that fires.

    A blacklisted customer is declined, unless the product has a rule of its own about that.
    """
    underwriting = product.underwriting
    figures = dict(_figures(_Application(order, channel, product, subjects, customer), underwriting.application_facts))
    fired = fired_rules(underwriting, subjects, figures) if underwriting.rules else []
    if underwriting.asks_about_customer and order.policyholder_id is not None and customer.contracts is None:
        fired.append(_not_looked_up())
    if customer.blacklisted and "customer.blacklisted" not in underwriting.application_facts:
        fired.append(_blacklisted())
    return Assessment(tuple(fired), figures)


@dataclass(frozen=True, slots=True)
class _Application:
    order: Order
    channel: str
    product: ProductVersion
    subjects: Sequence[Subject]
    customer: CustomerStanding

    def sums_insured(self, code: str) -> int | None:
        """What is insured under a coverage, or under all (empty code); None where nothing is."""
        found = [insured for name, insured in self._insured() if not code or name == code]
        return sum(found) if found else None

    def _insured(self) -> Iterator[tuple[str, int]]:
        for chosen in self.order.coverages:
            planned = self.product.plan.get(chosen.code)
            insured = chosen.sum_insured_minor
            if insured is None and planned is not None and len(planned.sums_insured_minor) == 1:
                insured = planned.sums_insured_minor[0]
            if insured is not None and chosen.premium_minor != 0:
                yield chosen.code, insured

    def premium(self, code: str) -> int | None:
        """The order's premium of a coverage, or of all (empty code)."""
        if not code:
            return self.order.premium_minor
        return next((chosen.premium_minor for chosen in self.order.coverages if chosen.code == code), None)

    def bought(self, code: str) -> str:
        """Whether a coverage is ordered: `yes` or `no`."""
        return "yes" if any(one.code == code and one.premium_minor != 0 for one in self.order.coverages) else "no"

    def overlapping(self) -> Iterator[OtherContract] | None:
        """The customer's other contracts in force within the ordered term."""
        contracts = self.customer.contracts
        if contracts is None:
            return None
        effective = self.order.effective
        expiry = add_months(effective, self.product.document.term_months)
        return (one for one in contracts if one.effective < expiry and effective < one.expiry)


_Figure: TypeAlias = Callable[[_Application, str], FactValue | None]


def _figures(application: _Application, wanted: Iterable[str]) -> Iterator[tuple[str, FactValue]]:
    for name in wanted:
        if name in _FIGURES:
            value = _FIGURES[name](application, "")
        else:
            stem, _, code = name.rpartition(".")
            value = _FIGURES[stem](application, code)
        if value is not None:
            yield name, value


def _of_contracts(count: Callable[[_Application, str, OtherContract], int], own: _Figure = lambda *_: None) -> _Figure:
    """A sum over the customer's other contracts; a figure of this order is added to it where `own` gives one."""

    def figure(application: _Application, code: str) -> FactValue | None:
        found = application.overlapping()
        if found is None:
            return None
        here = own(application, code)
        return sum(count(application, code, one) for one in found) + (here if isinstance(here, int) else 0)

    return figure


def _same_product(application: _Application, _: str, one: OtherContract) -> int:
    return int(one.product_code == application.product.document.code)


def _premium_here(application: _Application, _: str, one: OtherContract) -> int:
    return one.premium_minor if one.currency == application.order.currency else 0


def _insured_here(application: _Application, code: str, one: OtherContract) -> int:
    if one.currency != application.order.currency:
        return 0
    return one.sums_insured_minor.get(code, 0) if code else sum(one.sums_insured_minor.values())


_FIGURES: Mapping[str, _Figure] = MappingProxyType(
    {
        "order.premium_minor": _Application.premium,
        "order.sum_insured_minor": _Application.sums_insured,
        "order.bought": _Application.bought,
        "order.insureds": lambda application, _: len(application.subjects),
        "order.coverages": lambda application, _: sum(one.premium_minor != 0 for one in application.order.coverages),
        "order.days_to_cover": lambda application, _: (
            (application.order.effective - application.order.placed_at.date()).days
        ),
        "order.channel": lambda application, _: application.channel,
        "order.frequency": lambda application, _: application.order.frequency.value,
        "order.campaign": lambda application, _: application.order.campaign,
        "customer.blacklisted": lambda application, _: "yes" if application.customer.blacklisted else "no",
        "customer.contracts": _of_contracts(lambda *_: 1),
        "customer.same_product": _of_contracts(_same_product),
        "customer.premium_minor": _of_contracts(_premium_here, own=_Application.premium),
        "customer.sum_insured_minor": _of_contracts(_insured_here, own=_Application.sums_insured),
    }
)


def _not_looked_up() -> FiredRule:
    return FiredRule(
        code="customer-not-looked-up",
        outcome="refer",
        reason_en="the customer's other contracts could not be looked up",
        reason_zh="未能查询客户的其他合同",
        path="policyholder_id",
        facts={},
    )


def _blacklisted() -> FiredRule:
    return FiredRule(
        code=BLACKLIST_RULE,
        outcome="decline",
        reason_en="the application cannot be accepted",
        reason_zh="无法承保",
        path="",
        facts={"customer.blacklisted": "yes"},
    )
