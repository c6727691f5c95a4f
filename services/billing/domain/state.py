"""What is true of a contract's account: billed orders, open invoices, payments, paid claims."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType

from contracts.vocabulary.faults import Fault
from services.billing.domain.events import InvoiceIssued, PaymentSuspended


class OrderStage(Enum):
    """How far the billing of an order is."""

    ADVANCE = auto()
    """Billed before cover; the policy is not issued yet."""
    WRITTEN = auto()
    """In force; the premium is written."""
    REVERSED = auto()
    """Billed before cover, and never issued."""


@dataclass(frozen=True, slots=True)
class BilledOrder:
    """The stage of an order, its currency, and how much was billed before cover."""

    stage: OrderStage
    currency: str
    advance_minor: int = 0


@dataclass(frozen=True, slots=True)
class BookedPayment:
    """A payment under its number: the digest of its report, the invoices it settled or why it waits."""

    content: str
    invoices: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


_NO_ORDERS: Mapping[str, BilledOrder] = MappingProxyType({})
_NO_PAYMENTS: Mapping[str, BookedPayment] = MappingProxyType({})
_NOT_REFUSED: Mapping[str, tuple[Fault, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account. Orders and payments are found by `numbered(channel, number)`, claims by claim number."""

    opened: bool = False
    orders: Mapping[str, BilledOrder] = field(default_factory=lambda: _NO_ORDERS)
    open_invoices: tuple[InvoiceIssued, ...] = ()
    payments: Mapping[str, BookedPayment] = field(default_factory=lambda: _NO_PAYMENTS)
    suspended: tuple[PaymentSuspended, ...] = ()
    refused: Mapping[str, tuple[Fault, ...]] = field(default_factory=lambda: _NOT_REFUSED)
    """Reports that were refused and why, by the digest of their content."""
    paid_claims: frozenset[str] = frozenset()


def numbered(channel: str, number: str) -> str:
    """A channel's own number, told apart from the same number of another channel selling from the same book."""
    # A channel code has no slash, so two pairs never meet.
    return f"{channel}/{number}"
