"""Finds contracts that were accepted at the same time and would not have been one after the other."""

from collections.abc import Sequence

from services.quote.domain.order import Order
from services.quote.domain.products import subjects_of
from services.quote.domain.products.disclosures import declared
from services.quote.domain.products.underwriting import FiredRule
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.underwriting.assessment import ChannelSales, CustomerStanding, OtherContract, assess


def passed_over(
    order: Order, channel: str, product: ProductVersion, before: Sequence[OtherContract], fired: Sequence[str]
) -> tuple[FiredRule, ...]:
    """The rules about the customer that refer or decline the order, seen after the contracts accepted before it.

    `fired` are the codes of those that did when it was decided; none of them was passed over.
    """
    subjects = declared(subjects_of(order.risk, order.effective), order.disclosures)
    standing = CustomerStanding(contracts=tuple(before))
    now = assess(order, channel, product, subjects, standing, ChannelSales())
    return tuple(
        rule
        for rule in (*now.of("decline"), *now.of("refer"))
        if rule.code not in fired and any(fact.startswith("customer.") for fact in rule.facts)
    )
