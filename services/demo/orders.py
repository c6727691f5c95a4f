"""Writes the orders of a generated book: new business, renewals, repetitions and mistakes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import cycle
from random import Random
from typing import Any

from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.identifiers import contract_id_of, numbering_owner
from contracts.vocabulary.products import PaymentFrequency
from contracts.vocabulary.time import add_months
from services.demo.evidence import evidence_of_sale
from services.demo.mistakes import MISTAKES
from services.demo.offers import OFFERS, Offer
from services.demo.raw import Contract, Outcome, RawMessage, Term, message_bytes
from services.demo.risks import Quoted

CHANNELS = ("river", "harbour", "summit")
_CHANNEL_WEIGHTS = (50, 30, 20)
_FIRST_DAY = date(2025, 1, 1)
_DAYS = 330
_FREQUENCIES = tuple(frequency.value for frequency in PaymentFrequency)
_FREQUENCY_WEIGHTS = (34, 40, 14, 12)
_CAMPAIGNS = ("spring", "autumn", "word-of-mouth", None)
# What each message of the book is, in a thousand.
_KINDS = {"new": 808, "renewal": 140, "repeated": 20, "reused": 5, "overlapping": 2, "mistake": 25}


@dataclass(frozen=True, slots=True)
class _Placed:
    contract: Contract
    order: Mapping[str, Any]
    message: RawMessage


class OrderWriter:
    """Writes orders one after the other; every draw depends on the seed alone."""

    def __init__(self, random: Random, seed: int) -> None:
        self._random = random
        self._seed = seed
        # Another seed is another book with other numbers: both may be published to the same ledger.
        self._prefix = f"S{seed}"
        self._count = 0
        self._mistakes = cycle(MISTAKES)
        self._placed: list[_Placed] = []
        self.contracts: list[Contract] = []

    def write(self, count: int) -> tuple[RawMessage, ...]:
        """So many order messages, good and bad."""
        kinds = self._random.choices(list(_KINDS), list(_KINDS.values()), k=count)
        return tuple(self._message(kind) for kind in kinds)

    def _message(self, kind: str) -> RawMessage:
        if kind == "mistake":
            return self._spoilt()
        earlier = self._random.choice(self._placed) if self._placed else None
        if kind == "new" or earlier is None:
            return self._new()
        if kind == "repeated":
            return replace(earlier.message, expected=Outcome.REPEATED)
        if kind == "reused":
            return self._reused(earlier)
        if not OFFERS[earlier.contract.product].renews:
            return self._new()
        return self._renewal(earlier.contract) if kind == "renewal" else self._overlapping(earlier)

    def _new(self) -> RawMessage:
        shares = [offer.per_mille for offer in OFFERS.values()]
        offer = self._random.choices(list(OFFERS.values()), shares)[0]
        contract, order, quoted = self._draw(offer)
        if quoted.waits_for is not None:
            # Nobody decides on it in the book, so nothing is paid and nothing is claimed.
            return self._place(contract, order, quoted, quoted.waits_for)
        self.contracts.append(contract)
        contract.in_force = not offer.is_prepaid
        return self._place(contract, order, quoted, Outcome.AWAITING_PAYMENT if offer.is_prepaid else Outcome.ISSUED)

    def _renewal(self, contract: Contract) -> RawMessage:
        last = contract.terms[-1]
        quoted = OFFERS[contract.product].quote(self._random, last.expiry)
        order = self._order(contract, last.expiry, quoted, last.frequency)
        return self._place(contract, order, quoted, Outcome.RENEWED)

    def _overlapping(self, earlier: _Placed) -> RawMessage:
        """A second policy of a contract for days that are covered already: accepted, but never issued."""
        order = {**earlier.order, "order_no": self._number()}
        return self._raw(earlier.contract, order, FaultCode.OVERLAPPING_TERM)

    def _reused(self, earlier: _Placed) -> RawMessage:
        """The number of an order that was placed, with another campaign or for another contract."""
        changes: dict[str, Any] = {"campaign": "number-used-again"}
        if self._random.random() < 0.5:
            changes = {"contract_no": self._number()}
        # The key stays that of the first order, so that the first one also arrives first.
        return self._raw(earlier.contract, {**earlier.order, **changes}, FaultCode.ORDER_NUMBER_REUSED)

    def _spoilt(self) -> RawMessage:
        mistake = next(self._mistakes)
        contract, order, _ = self._draw(OFFERS[mistake.product])
        return replace(self._raw(contract, order, mistake.code), value=mistake.spoil(order))

    def _draw(self, offer: Offer) -> tuple[Contract, dict[str, Any], Quoted]:
        random = self._random
        product = offer.document
        channel = random.choices(CHANNELS, _CHANNEL_WEIGHTS)[0]
        number = self._number()
        contract = Contract(
            channel=channel,
            product=product.code,
            contract_no=number,
            contract_id=contract_id_of(numbering_owner(channel, product.book), number),
            book=product.book,
            currency=product.currency,
        )
        effective = _FIRST_DAY + timedelta(days=random.randrange(_DAYS))
        quoted = offer.quote(random, effective)
        frequency = random.choices(_FREQUENCIES, _FREQUENCY_WEIGHTS)[0]
        if frequency not in product.frequencies:
            frequency = product.frequencies[0].value
        return contract, self._order(contract, effective, quoted, frequency), quoted

    def _order(self, contract: Contract, effective: date, quoted: Quoted, frequency: str) -> dict[str, Any]:
        placed_on = effective - timedelta(days=self._random.randint(0, 30))
        second = self._random.randrange(86_400)
        time = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        order = {
            "type": "order.placed",
            "schema_version": 1,
            "order_no": f"{contract.contract_no}/{len(contract.terms) + 1}",
            "contract_no": contract.contract_no,
            "book": contract.book,
            "product": contract.product,
            "placed_at": f"{placed_on}T{time}Z",
            "effective": effective.isoformat(),
            "currency": contract.currency,
            "premium_minor": quoted.premium_minor,
            "coverages": list(quoted.coverages),
            "frequency": frequency,
            "risk": quoted.risk,
            "campaign": self._random.choice(_CAMPAIGNS),
            "disclosures": quoted.disclosures,
        }
        return {name: value for name, value in order.items() if value is not None}

    def _place(self, contract: Contract, order: Mapping[str, Any], quoted: Quoted, outcome: Outcome) -> RawMessage:
        evidence = evidence_of_sale(self._seed, order)
        if evidence is not None:
            order = {**order, "evidence": evidence}
        effective = date.fromisoformat(order["effective"])
        contract.terms.append(
            Term(
                order_no=order["order_no"],
                effective=effective,
                expiry=add_months(effective, 12),
                frequency=order["frequency"],
                premium_minor=order["premium_minor"],
                coverages=quoted.insured_minor,
            )
        )
        message = self._raw(contract, order, outcome)
        self._placed.append(_Placed(contract, order, message))
        return message

    def _raw(self, contract: Contract, order: Mapping[str, Any], expected: str) -> RawMessage:
        return RawMessage(
            channel=contract.channel,
            key=contract.contract_no,
            value=message_bytes(order),
            reference=order["order_no"],
            expected=expected,
        )

    def _number(self) -> str:
        self._count += 1
        return f"{self._prefix}-{self._count:06d}"
