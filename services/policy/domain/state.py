"""What is true of a contract's policy: its terms in force, and orders that wait for money."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from contracts.vocabulary.products import CoverTerms
from contracts.vocabulary.time import CoverPeriod

_NOTHING: Mapping[str, CoverTerms] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PolicyTerm:
    """One term that was put in force."""

    policy_no: str
    order_no: str
    period: CoverPeriod


@dataclass(frozen=True, slots=True)
class PolicyState:
    """A contract: terms in the order of issue; orders awaiting money, paid in advance, failed."""

    terms: tuple[PolicyTerm, ...] = ()
    awaiting: Mapping[str, CoverTerms] = field(default_factory=lambda: _NOTHING)
    paid_orders: frozenset[str] = frozenset()
    failed_orders: frozenset[str] = frozenset()

    def is_settled(self, order_no: str) -> bool:
        """Whether the order has been issued or has failed."""
        return order_no in self.failed_orders or any(term.order_no == order_no for term in self.terms)
