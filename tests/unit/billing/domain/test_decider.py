"""Claim payments, and what every stored event must keep."""

import pytest

from contracts.vocabulary.identifiers import claim_number
from contracts.vocabulary.products import PaymentFrequency
from services.billing.domain.commands import ClearSandbox, PayClaim, RefusePayment, ReverseAdvance
from services.billing.domain.events import BILLING_EVENTS, AccountOpened, ClaimPaid, SuspenseMatched
from services.billing.domain.ledger import LedgerAccount
from services.kernel.errors import CorruptHistory
from tests.support.builders import CHANNEL, CONTRACT
from tests.support.decider_spec import DeciderSpec
from tests.unit.billing.examples import BILLING, advance, decoded, history, pay, reported, write

billing = DeciderSpec(BILLING)


def _pay_claim(notice_no: str = "N-1", amount_minor: int = 50_000) -> PayClaim:
    return PayClaim(
        contract_id=CONTRACT,
        channel="claims-desk",
        claim_no=claim_number("claims-desk", notice_no),
        notice_no=notice_no,
        amount_minor=amount_minor,
        currency="EUR",
    )


def test_an_approved_claim_is_paid_out() -> None:
    spec = billing.given(*history(write())).when(_pay_claim()).then_types(ClaimPaid)
    assert spec.decided[0].postings == {LedgerAccount.CLAIMS_INCURRED: 50_000, LedgerAccount.CASH: -50_000}
    assert spec.decided[0].channel == "claims-desk"


def test_a_claim_is_paid_only_once() -> None:
    billing.given(*history(write(), _pay_claim())).when(_pay_claim()).then_nothing()


def test_two_claims_of_a_contract_are_paid_each() -> None:
    billing.given(*history(write(), _pay_claim())).when(_pay_claim("N-2")).then_types(ClaimPaid)


def test_a_claim_that_is_heard_of_before_the_premium_opens_the_account() -> None:
    spec = billing.given().when(_pay_claim()).then_types(AccountOpened, ClaimPaid)
    assert spec.decided[0].contract_no is None


def test_a_claim_of_nothing_is_told_and_not_booked() -> None:
    spec = billing.given(*history(write())).when(_pay_claim(amount_minor=0)).then_types(ClaimPaid)
    assert spec.decided[0].postings == {}


def test_suspense_that_was_never_booked_is_a_corrupt_history() -> None:
    matched = SuspenseMatched(
        contract_id=CONTRACT,
        channel=CHANNEL,
        payment_no="PAY-9",
        amount_minor=1,
        currency="EUR",
        settled=(),
        postings={LedgerAccount.SUSPENSE: 1, LedgerAccount.PREMIUM_RECEIVABLE: -1},
    )
    with pytest.raises(CorruptHistory):
        BILLING.fold([matched])


def test_every_event_is_read_back_as_it_was_stored() -> None:
    events = (
        *history(
            pay(7_205),
            advance(frequency=PaymentFrequency.HALF_YEARLY),
            pay(7_205, "PAY-2"),
            pay(1, "PAY-2"),
            pay(2, "PAY-3"),
            write(frequency=PaymentFrequency.HALF_YEARLY),
            _pay_claim(),
            RefusePayment(payment=reported(5, "PAY-4")),
        ),
        *history(advance(), ReverseAdvance(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1")),
        *history(ClearSandbox(channel="river-sandbox", lane="river-sandbox/0", cleared_by="Li", reason="over")),
    )
    assert {type(event) for event in events} == set(BILLING_EVENTS)
    for event in events:
        assert decoded(event) == event
