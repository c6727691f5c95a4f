"""The facts of an application as a whole, and of its customer, that a product's rules look at."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TypeAlias

from contracts.vocabulary.time import add_months
from services.quote.domain.order import Order
from services.quote.domain.products.cover import covered, total_insured_minor
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
class Sales:
    """What was accepted of a product: how many orders, their premiums and sums insured in minor units."""

    orders: int = 0
    premium_minor: int = 0
    sum_insured_minor: int = 0

    def plus(self, other: "Sales") -> "Sales":
        """Both together."""
        return Sales(
            self.orders + other.orders,
            self.premium_minor + other.premium_minor,
            self.sum_insured_minor + other.sum_insured_minor,
        )


@dataclass(frozen=True, slots=True)
class ChannelSales:
    """What a channel had sold of the ordered product: of orders placed on the same day, and in all."""

    today: Sales = Sales()
    ever: Sales = Sales()


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
    sales: ChannelSales | None = None,
) -> Assessment:
    """Every rule of the product that fires; `sales` are None where they could not be looked up.

    A blacklisted customer is declined, unless the product has a rule of its own about that.
    """
    underwriting = product.underwriting
    application = _Application(order, channel, product, subjects, customer, sales)
    figures = dict(_figures(application, underwriting.application_facts))
    fired = fired_rules(underwriting, subjects, figures) if underwriting.rules else []
    if underwriting.asks_about_customer and order.policyholder_id is not None and customer.contracts is None:
        fired.append(_not_looked_up("customer", "the customer's other contracts", "客户的其他合同", "policyholder_id"))
    if underwriting.asks_about_channel and sales is None:
        fired.append(_not_looked_up("channel", "what the channel has sold", "渠道的销售额度", ""))
    if customer.blacklisted and "customer.blacklisted" not in underwriting.application_facts:
        fired.append(_blacklisted())
    return Assessment(tuple(fired), figures)


@dataclass(frozen=True, slots=True)
class _Application:
    order: Order
    channel: str
    product: ProductVersion
    subjects: tuple[Subject, ...]
    customer: CustomerStanding
    sales: ChannelSales | None

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

    def total_insured(self, code: str) -> int | None:
        """The same for all insured persons together, as the contract would count."""
        bought = list(self._insured())
        subjects = covered(self.subjects, bought, self.product)
        plan = self.product.plan
        sums = [
            total_insured_minor(plan[name], insured, subjects)
            for name, insured in bought
            if name in plan and (not code or name == code)
        ]
        return sum(one or 0 for one in sums) if sums else None

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


def _one(_: _Application) -> int:
    return 1


def _whole_premium(application: _Application) -> int:
    return application.order.premium_minor


def _whole_sum(application: _Application) -> int | None:
    return application.total_insured("")


def _of_sales(counted: Callable[[ChannelSales], int], own: Callable[[_Application], int | None]) -> _Figure:
    """A figure of the channel's sales, with this order in it; None where they are not known."""

    def figure(application: _Application, _: str) -> FactValue | None:
        sales = application.sales
        return None if sales is None else counted(sales) + (own(application) or 0)

    return figure


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
        "customer.sum_insured_minor": _of_contracts(_insured_here, own=_Application.total_insured),
        "channel.orders": _of_sales(lambda sales: sales.ever.orders, _one),
        "channel.premium_minor": _of_sales(lambda sales: sales.ever.premium_minor, _whole_premium),
        "channel.sum_insured_minor": _of_sales(lambda sales: sales.ever.sum_insured_minor, _whole_sum),
        "channel.orders_today": _of_sales(lambda sales: sales.today.orders, _one),
        "channel.premium_today_minor": _of_sales(lambda sales: sales.today.premium_minor, _whole_premium),
        "channel.sum_insured_today_minor": _of_sales(lambda sales: sales.today.sum_insured_minor, _whole_sum),
    }
)


def _not_looked_up(whose: str, what_en: str, what_zh: str, path: str) -> FiredRule:
    return FiredRule(
        code=f"{whose}-not-looked-up",
        outcome="refer",
        reason_en=f"{what_en} could not be looked up",
        reason_zh=f"未能查询{what_zh}",
        path=path,
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
