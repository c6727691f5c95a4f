"""An order that is withdrawn, paid and expires at once ends in exactly one way, whoever hears of what first."""

import itertools
import json
from collections import Counter
from datetime import date
from random import Random
from typing import Any

import pytest

from contracts.topics import ServiceName
from contracts.vocabulary.identifiers import contract_id_of
from services.billing.domain.events import MoneyEvent
from services.billing.domain.ledger import LedgerAccount
from services.kernel.errors import CommandRefused
from services.kernel.messages import Instruction
from services.quote.catalogue import Catalogue
from services.quote.domain.events import ApplicationIssued
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.underwriting.commands import ExpireApplication
from services.quote.domain.underwriting.events import ApplicationExpired, ApplicationWithdrawn
from services.quote.inbound import application_stream
from tests.support.builders import health_order
from tests.unit.demo.interleaved import CHANNEL, InterleavedLedger
from tests.unit.quote.orders import VERSIONS

BASIC = VERSIONS["health-basic"].document
PAYABLE = ProductVersion.of(BASIC.model_copy(update={"pay_within_days": 10}))
CATALOGUE = Catalogue([PAYABLE])
CONTRACT = contract_id_of(f"channel:{CHANNEL}", "H-1")
STREAM = application_stream(CHANNEL, "H-1", CONTRACT)
ORDER = health_order()
PAYMENT = {
    "type": "payment.reported", "schema_version": 1, "payment_no": "P-1", "contract_no": "H-1",
    "amount_minor": 26_182, "currency": "CNY", "paid_at": "2025-12-21T10:00:00Z",
}  # fmt: skip
WITHDRAWAL = {
    "type": "withdrawal.requested", "schema_version": 1, "order_no": "H-1",
    "answered_at": "2025-12-21T10:00:00Z", "reason": "changed his mind",
}  # fmt: skip
LAPSE = ExpireApplication(order_no="H-1", expired_on=date(2025, 12, 31))
SEEDS = range(25)


def raced(seed: int, *messages: dict[str, Any], lapse: bool) -> InterleavedLedger:
    """The ledger at rest after the order and these messages, with the calendar asking for its end at any moment."""
    ledger, random = InterleavedLedger(CATALOGUE, seed), Random(seed)
    for message in (ORDER, *messages):
        ledger.send(json.dumps(message).encode())
    quote = ledger.services[ServiceName.QUOTE]
    asked = not lapse
    while ledger.step() or not asked:
        if STREAM in quote.states and not asked and random.random() < 0.3:
            asked = True
            try:
                ledger.carry_out(quote, Instruction(lane=CONTRACT, stream=STREAM, command=LAPSE))
            except CommandRefused as refusal:
                assert refusal.code in ("application_issued", "application_decided"), refusal
    return ledger


def balances(ledger: InterleavedLedger) -> Counter[str]:
    """What each account of billing holds, debits minus credits, from the journal of its log."""
    found: Counter[str] = Counter()
    for event in ledger.services[ServiceName.BILLING].log:
        if isinstance(event, MoneyEvent):
            found.update({account.value: amount for account, amount in event.postings.items()})
    return found


@pytest.mark.parametrize("lapse", [False, True], ids=["", "lapse"])
@pytest.mark.parametrize(
    "messages",
    [
        *itertools.permutations([PAYMENT, WITHDRAWAL]),
        (WITHDRAWAL, WITHDRAWAL, PAYMENT),
        (PAYMENT,),
        (WITHDRAWAL,),
        (),
    ],
    ids=lambda messages: "-".join(message["type"].partition(".")[0] for message in messages) or "none",
)
def test_it_ends_in_exactly_one_way(messages: tuple[dict[str, Any], ...], lapse: bool) -> None:
    ends: Counter[type] = Counter()
    for seed in SEEDS:
        ledger = raced(seed, *messages, lapse=lapse)
        assert ledger.refused == []
        outcome = ledger.state(ServiceName.QUOTE, STREAM).outcome
        policy = ledger.state(ServiceName.POLICY, f"policy-{CONTRACT}")
        account = ledger.state(ServiceName.BILLING, f"account-{CONTRACT}")
        ended = isinstance(outcome, ApplicationWithdrawn | ApplicationExpired)
        assert isinstance(outcome, ApplicationIssued) == bool(policy.terms), (seed, outcome)
        assert not (ended and account.open_invoices), (seed, account)
        assert not (ended and policy.awaiting), (seed, policy)
        found = balances(ledger)
        assert sum(found.values()) == 0
        if ended and PAYMENT in messages:
            # The money is somewhere where it is found again, whole.
            kept = found[LedgerAccount.SUSPENSE] + found[LedgerAccount.REFUNDS_PAYABLE]
            assert (kept, found[LedgerAccount.PREMIUM_ADVANCE]) == (-26_182, 0)
        ends[type(outcome)] += 1
        told = Counter(notice.event_type for notice in ledger.heard)
        if WITHDRAWAL in messages:
            assert told["notice.order_withdrawn"] + told["notice.message_refused"] + told["notice.order_expired"] > 0
        assert not (told["notice.policy_issued"] and told["notice.order_withdrawn"])
    if PAYMENT in messages and WITHDRAWAL in messages:
        assert set(ends) >= {ApplicationIssued, ApplicationWithdrawn}, "the seeds try no race"
