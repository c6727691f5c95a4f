"""The messages of a generated book as bytes, each with the outcome that it must have."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What becomes of a good message; what becomes of any other is the code of its first fault."""

    ISSUED = "issued"
    RENEWED = "renewed"
    AWAITING_PAYMENT = "awaiting_payment"
    REFERRED = "referred"
    OFFERED = "offered"
    REPEATED = "repeated"
    MATCHED = "matched"
    APPROVED = "approved"
    AWAITING_APPROVAL = "awaiting_approval"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class RawMessage:
    """One record for a channel's topic. `expected` is an Outcome or a fault code of the contracts.

    `reference` is the number of the order, payment or claim notice, as far as the message has one.
    """

    channel: str
    key: str
    value: bytes
    reference: str
    expected: str


@dataclass(slots=True)
class Term:
    """A term that the book's orders lead to; `coverages` maps each coverage bought to the most that it pays."""

    order_no: str
    effective: date
    expiry: date
    frequency: str
    premium_minor: int
    coverages: Mapping[str, int | None]


@dataclass(slots=True)
class Contract:
    """A contract of the book with its terms, oldest first, and whether its cover has begun."""

    channel: str
    product: str
    contract_no: str
    contract_id: str
    book: str | None
    currency: str
    terms: list[Term] = field(default_factory=list)
    in_force: bool = False


def message_bytes(message: Mapping[str, Any]) -> bytes:
    """A message as a channel would write it."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
