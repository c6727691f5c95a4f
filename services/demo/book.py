"""Generates a book of business from a seed, with what must become of every message and of the whole."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

from services.demo.claims import ClaimWriter
from services.demo.orders import CHANNELS, OrderWriter
from services.demo.payments import PaymentWriter
from services.demo.raw import Contract, Outcome, RawMessage

__all__ = ["CHANNELS", "Book", "Expected", "Outcome", "RawMessage", "generate_book"]

ORDERS_DEFAULT = 3_000


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be true once all is taken in: messages by outcome, and sums in minor units by currency."""

    orders: Mapping[str, int]
    payments: Mapping[str, int]
    claims: Mapping[str, int]
    policies_issued: int
    renewals: int
    awaiting_payment: int
    written_premium_minor: Mapping[str, int]
    claims_paid_minor: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Book:
    """Three lists to be published one after the other, each once the services have worked through the last.

    Payments name invoices that the orders led to, and claims name cover that orders and payments led to.
    """

    orders: tuple[RawMessage, ...]
    payments: tuple[RawMessage, ...]
    claims: tuple[RawMessage, ...]
    expected: Expected


def generate_book(orders: int = ORDERS_DEFAULT, seed: int = 1) -> Book:
    """A book with so many order messages; the same seed and count make the same bytes."""
    order_writer = OrderWriter(Random(f"{seed}/orders"), seed)
    written_orders = order_writer.write(orders)
    contracts = order_writer.contracts
    written_payments = PaymentWriter(Random(f"{seed}/payments"), seed).write(contracts)
    claimed = ClaimWriter(Random(f"{seed}/claims"), seed).write(contracts)
    claims_paid: Counter[str] = Counter()
    for claim in claimed:
        if claim.message.expected == Outcome.APPROVED:
            claims_paid[claim.currency] += claim.payable_minor
    written_claims = tuple(claim.message for claim in claimed)
    return Book(
        orders=written_orders,
        payments=written_payments,
        claims=written_claims,
        expected=Expected(
            orders=_by_outcome(written_orders),
            payments=_by_outcome(written_payments),
            claims=_by_outcome(written_claims),
            policies_issued=sum(contract.in_force for contract in contracts),
            renewals=sum(len(contract.terms) - 1 for contract in contracts),
            awaiting_payment=sum(not (contract.in_force or contract.withdrawn) for contract in contracts),
            written_premium_minor=_written_premium(contracts),
            claims_paid_minor=dict(claims_paid),
        ),
    )


def _by_outcome(messages: Iterable[RawMessage]) -> dict[str, int]:
    return dict(Counter(str(message.expected) for message in messages))


def _written_premium(contracts: Iterable[Contract]) -> dict[str, int]:
    written: Counter[str] = Counter()
    for contract in contracts:
        if contract.in_force:
            written[contract.currency] += sum(term.premium_minor for term in contract.terms)
    return dict(written)
