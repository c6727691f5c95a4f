"""Writes the payments of a generated book: exact ones, every kind that cannot be matched, and withdrawals instead."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.money import instalments
from contracts.vocabulary.products import PaymentFrequency
from services.demo.raw import Contract, Outcome, RawMessage, message_bytes

_PAYERS_UNDER_COVER = 0.4
# What a payment before cover is, in a hundred; a contract of another kind waits for its money for ever.
_KINDS = {"exact": 90, "too little": 3, "too much": 3, "other currency": 1, "none": 2, "withdrawn": 1}
# What may follow a payment that settled an invoice.
_SEQUELS = {"nothing": 93, "repeated": 3, "reused": 2, "paid again": 2}
_STRANGERS_MIN = 2
_STRANGERS_EVERY = 60


class PaymentWriter:
    """Writes payments for contracts, and marks those whose cover begins with the money."""

    def __init__(self, random: Random, seed: int) -> None:
        self._random = random
        self._prefix = f"S{seed}-Z"
        self._count = 0

    def write(self, contracts: Sequence[Contract]) -> tuple[RawMessage, ...]:
        """Payments for these contracts and some for contracts that nobody knows."""
        written: list[RawMessage] = []
        for contract in contracts:
            written += self._of_prepaid(contract) if not contract.in_force else self._of_covered(contract)
        channels = [contract.channel for contract in contracts[: max(_STRANGERS_MIN, len(written) // _STRANGERS_EVERY)]]
        written += [self._of_stranger(channel) for channel in channels]
        written += [self._malformed(channel) for channel in dict.fromkeys(channels)]
        return tuple(written)

    def _of_covered(self, contract: Contract) -> Iterator[RawMessage]:
        if self._random.random() < _PAYERS_UNDER_COVER:
            yield self._payment(contract, _first_instalment(contract), Outcome.MATCHED)

    def _of_prepaid(self, contract: Contract) -> Iterator[RawMessage]:
        first_minor = _first_instalment(contract)
        kind = self._random.choices(list(_KINDS), list(_KINDS.values()))[0]
        if kind == "exact":
            contract.in_force = True
            yield from self._settled(contract, first_minor)
        elif kind == "too little":
            # Instalments of a term differ by cents only, so this is none of them.
            yield self._payment(contract, first_minor - 100, FaultCode.AMOUNT_MISMATCH)
        elif kind == "too much":
            whole_minor = contract.terms[0].premium_minor
            yield self._payment(contract, whole_minor + 137, FaultCode.AMOUNT_MISMATCH)
        elif kind == "other currency":
            yield self._payment(contract, first_minor, FaultCode.WRONG_CURRENCY, currency="USD")
        elif kind == "withdrawn":
            contract.withdrawn = True
            yield _withdrawal(contract)

    def _settled(self, contract: Contract, amount_minor: int) -> Iterator[RawMessage]:
        paid = self._payment(contract, amount_minor, Outcome.MATCHED)
        yield paid
        sequel = self._random.choices(list(_SEQUELS), list(_SEQUELS.values()))[0]
        if sequel == "repeated":
            yield replace(paid, expected=Outcome.REPEATED)
        elif sequel == "reused":
            yield self._payment(
                contract, amount_minor + 500, FaultCode.PAYMENT_NUMBER_REUSED, payment_no=paid.reference
            )
        elif sequel == "paid again" and contract.terms[0].frequency == PaymentFrequency.ANNUAL:
            yield self._payment(contract, amount_minor, FaultCode.NO_OPEN_INVOICE)

    def _payment(self, contract: Contract, amount_minor: int, expected: str, **changes: Any) -> RawMessage:
        paid_on = contract.terms[0].effective
        payment = {
            "type": "payment.reported",
            "schema_version": 1,
            "payment_no": self._number(),
            "contract_no": contract.contract_no,
            "book": contract.book,
            "amount_minor": amount_minor,
            "currency": contract.currency,
            "paid_at": f"{paid_on}T08:{self._random.randrange(60):02d}:00Z",
            **changes,
        }
        given = {name: value for name, value in payment.items() if value is not None}
        return RawMessage(
            channel=contract.channel,
            key=contract.contract_no,
            value=message_bytes(given),
            reference=given["payment_no"],
            expected=expected,
        )

    def _of_stranger(self, channel: str) -> RawMessage:
        number = self._number()
        payment = {
            "type": "payment.reported",
            "schema_version": 1,
            "payment_no": number,
            "contract_no": f"{number}-unknown",
            "amount_minor": self._random.randint(1_000, 90_000),
            "currency": "CNY",
            "paid_at": "2025-03-01T09:00:00Z",
        }
        return RawMessage(channel, f"{number}-unknown", message_bytes(payment), number, FaultCode.NO_OPEN_INVOICE)

    def _malformed(self, channel: str) -> RawMessage:
        number = self._number()
        payment = {"type": "payment.reported", "schema_version": 1, "payment_no": number, "contract_no": number}
        return RawMessage(channel, number, message_bytes(payment), number, FaultCode.MISSING_FIELD)

    def _number(self) -> str:
        self._count += 1
        return f"{self._prefix}{self._count:06d}"


def _withdrawal(contract: Contract) -> RawMessage:
    order = contract.terms[0]
    withdrawal = {
        "type": "withdrawal.requested",
        "schema_version": 1,
        "order_no": order.order_no,
        "contract_no": contract.contract_no,
        "book": contract.book,
        "answered_at": f"{order.effective}T07:00:00Z",
        "reason": "bought elsewhere",
    }
    given = {name: value for name, value in withdrawal.items() if value is not None}
    return RawMessage(contract.channel, contract.contract_no, message_bytes(given), order.order_no, Outcome.WITHDRAWN)


def _first_instalment(contract: Contract) -> int:
    term = contract.terms[0]
    return instalments(term.premium_minor, PaymentFrequency(term.frequency).instalments)[0]
