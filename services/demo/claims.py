"""Writes the claim notices of a generated book: covered ones, and every kind that is not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.identifiers import policy_number
from services.demo.offers import straight_through_limit_minor
from services.demo.raw import Contract, Outcome, RawMessage, Term, message_bytes
from services.demo.risks import MOTOR_COVERAGES

_CLAIMS_SHARE = 0.1
_DECIDED = (Outcome.APPROVED, Outcome.AWAITING_APPROVAL)
_MOTOR_LOSS_MINOR = (4_000, 900_000)
_HEALTH_LOSS_MINOR_MAX = 55_000_000
# What each notice is, in a hundred.
_KINDS = {
    "covered": 66,
    "partly bought": 5,
    "zero": 4,
    "not bought": 9,
    "no cover": 6,
    "unknown policy": 3,
    "repeated": 3,
    "reused": 2,
    "malformed": 2,
}


@dataclass(frozen=True, slots=True)
class ClaimedCover:
    """A notice with the sum that must be paid for it in the end, in minor units."""

    message: RawMessage
    payable_minor: int
    currency: str


class ClaimWriter:
    """Writes at most one covered notice a term, so that no two of them share a limit."""

    def __init__(self, random: Random, seed: int) -> None:
        self._random = random
        self._prefix = f"S{seed}-C"
        self._count = 0

    def write(self, contracts: Sequence[Contract]) -> tuple[ClaimedCover, ...]:
        """Notices for contracts that are in force."""
        pool = [
            (contract, place) for contract in contracts if contract.in_force for place in range(len(contract.terms))
        ]
        self._random.shuffle(pool)
        count = max(min(len(_KINDS), len(pool)), int(len(pool) * _CLAIMS_SHARE))
        kinds = [*_KINDS, *self._random.choices(list(_KINDS), list(_KINDS.values()), k=count)][:count]
        written: list[ClaimedCover] = []
        for kind, (contract, place) in zip(kinds, pool, strict=False):
            written.append(self._notice(kind, contract, place, written))
        return tuple(written)

    def _notice(self, kind: str, contract: Contract, place: int, written: Sequence[ClaimedCover]) -> ClaimedCover:
        decided = [claim for claim in written if claim.message.expected in _DECIDED]
        if kind in ("repeated", "reused") and decided:
            return self._again(kind, self._random.choice(decided))
        if kind == "unknown policy":
            return self._refused(replace(contract, contract_no=f"{self._prefix}-unknown"), FaultCode.POLICY_UNKNOWN)
        if kind == "no cover":
            # Expiry is the first day without cover.
            return self._refused(contract, FaultCode.NO_COVER_IN_FORCE, contract.terms[-1].expiry)
        if kind == "malformed":
            return self._refused(contract, FaultCode.INVALID_FIELD, policy_no=policy_number(contract.contract_id, 1))
        term = contract.terms[place]
        loss_date = term.effective + timedelta(days=self._random.randrange((term.expiry - term.effective).days))
        lines, payable_minor = self._lines(kind, term)
        if kind == "not bought":
            expected: str = FaultCode.GUARANTEE_NOT_BOUGHT
        elif payable_minor == 0:
            expected = Outcome.ZERO
        else:
            expected = _decision(contract, payable_minor)
        names: dict[str, Any] = {}
        if self._random.random() < 0.3:
            names = {"policy_no": policy_number(contract.contract_id, place + 1), "contract_no": None, "book": None}
        message = self._message(contract, loss_date, lines, expected, **names)
        return ClaimedCover(message, payable_minor, contract.currency)

    def _lines(self, kind: str, term: Term) -> tuple[list[tuple[str, int]], int]:
        """Lines as (coverage, claimed) and what is payable on all of them."""
        bought = list(term.coverages)
        missing = [code for code in MOTOR_COVERAGES if code not in bought] or ["Hail"]
        if kind == "not bought":
            return [(self._random.choice(missing), self._sum(None))], 0
        covered = self._random.sample(bought, k=min(len(bought), self._random.choice((1, 1, 1, 2))))
        lines = [(code, 0 if kind == "zero" else self._sum(term.coverages[code])) for code in covered]
        payable_minor = sum(min(claimed, term.coverages[code] or claimed) for code, claimed in lines)
        if kind == "partly bought":
            lines.append((self._random.choice(missing), self._sum(None)))
        return lines, payable_minor

    def _sum(self, sum_insured_minor: int | None) -> int:
        low, high = _MOTOR_LOSS_MINOR
        # Health is claimed in small sums, once in a while above what is insured.
        if sum_insured_minor is None:
            return int(self._random.triangular(low, high, low * 5))
        high = min(sum_insured_minor * 11 // 10, _HEALTH_LOSS_MINOR_MAX)
        return int(self._random.triangular(low, high, low * 10))

    def _again(self, kind: str, first: ClaimedCover) -> ClaimedCover:
        if kind == "repeated":
            return ClaimedCover(replace(first.message, expected=Outcome.REPEATED), 0, first.currency)
        other = first.message.value.replace(b'"claimed_minor":', b'"claimed_minor":1', 1)
        reused = replace(first.message, value=other, expected=FaultCode.NOTICE_NUMBER_REUSED)
        return ClaimedCover(reused, 0, first.currency)

    def _refused(
        self, contract: Contract, code: FaultCode, loss_date: date | None = None, **changes: Any
    ) -> ClaimedCover:
        term = contract.terms[0]
        lines = [(next(iter(term.coverages)), self._sum(None))]
        message = self._message(contract, loss_date or term.effective, lines, code, **changes)
        return ClaimedCover(message, 0, contract.currency)

    def _message(
        self,
        contract: Contract,
        loss_date: date,
        lines: Sequence[tuple[str, int]],
        expected: str,
        **changes: Any,
    ) -> RawMessage:
        self._count += 1
        reported_on = loss_date + timedelta(days=self._random.randint(0, 20))
        notice = {
            "type": "loss.reported",
            "schema_version": 1,
            "notice_no": f"{self._prefix}{self._count:06d}",
            "contract_no": contract.contract_no,
            "book": contract.book,
            "loss_date": loss_date.isoformat(),
            "reported_at": f"{reported_on}T10:00:00Z",
            "currency": contract.currency,
            "lines": [
                {"line_no": number, "coverage": coverage, "claimed_minor": claimed_minor}
                for number, (coverage, claimed_minor) in enumerate(lines, 1)
            ],
            **changes,
        }
        given = {name: value for name, value in notice.items() if value is not None}
        return RawMessage(
            channel=contract.channel,
            key=contract.contract_no,
            value=message_bytes(given),
            reference=given["notice_no"],
            expected=expected,
        )


def _decision(contract: Contract, payable_minor: int) -> Outcome:
    limit_minor = straight_through_limit_minor(contract.product)
    if limit_minor is None or payable_minor <= limit_minor:
        return Outcome.APPROVED
    return Outcome.AWAITING_APPROVAL
