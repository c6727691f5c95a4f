"""What is true of a contract's policy: its terms in force, and orders that wait for money."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from contracts.vocabulary.products import CoverTerms
from contracts.vocabulary.time import CoverPeriod

OrderKey: TypeAlias = tuple[str, str]
"""Channel and order number."""

_NOTHING: Mapping[OrderKey, CoverTerms] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PolicyTerm:
    """One term that was put in force."""

    policy_no: str
    order: OrderKey
    period: CoverPeriod


@dataclass(frozen=True, slots=True)
class PolicyState:
    """A contract: terms in the order of issue; orders awaiting money, paid in advance, failed, released.

    Orders are keyed by channel and number: several channels may sell terms of one contract from a shared book.
    """

    terms: tuple[PolicyTerm, ...] = ()
    awaiting: Mapping[OrderKey, CoverTerms] = field(default_factory=lambda: _NOTHING)
    paid_orders: frozenset[OrderKey] = frozenset()
    failed_orders: frozenset[OrderKey] = frozenset()
    released_orders: frozenset[OrderKey] = frozenset()

    def is_settled(self, order: OrderKey) -> bool:
        """Whether the order has been issued, has failed, or was released."""
        ended = order in self.failed_orders or order in self.released_orders
        return ended or any(term.order == order for term in self.terms)
