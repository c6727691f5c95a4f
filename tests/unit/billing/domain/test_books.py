"""The books balance after any sequence of commands, and each account says what it should."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.vocabulary.products import PaymentFrequency
from services.billing.domain.commands import PayClaim, ReverseAdvance
from services.billing.domain.events import (
    MONEY_EVENTS,
    ClaimPaid,
    InvoiceIssued,
    PaymentReceived,
    PaymentSuspended,
    PremiumAdvanceReversed,
    PremiumWritten,
    SuspenseMatched,
)
from services.billing.domain.ledger import LedgerAccount
from services.billing.domain.state import OrderStage
from services.kernel.errors import CommandRefused
from tests.support.builders import CHANNEL, CONTRACT
from tests.unit.billing.examples import BILLING, advance, pay, write

# Few and small values, so that payments often fit invoices and numbers often meet again.
ORDERS = st.sampled_from(["O-1", "O-2", "O-3"])
FREQUENCIES = st.sampled_from(list(PaymentFrequency))
PREMIUM_MINOR = {"O-1": 1_000, "O-2": 1_003, "O-3": 0}
AMOUNTS = st.sampled_from([1, 83, 87, 250, 251, 253, 500, 501, 502, 1_000, 1_003, 2_003])


def _terms_of(order_no: str, frequency: PaymentFrequency) -> dict[str, Any]:
    return {"order_no": order_no, "premium_minor": PREMIUM_MINOR[order_no], "frequency": frequency}


def _pay_claim(number: int) -> PayClaim:
    return PayClaim(
        contract_id=CONTRACT,
        channel=CHANNEL,
        claim_no=f"C{number}",
        notice_no=f"N-{number}",
        amount_minor=number * 100,
        currency="EUR",
    )


COMMANDS = st.one_of(
    st.builds(lambda order, often: advance(**_terms_of(order, often)), ORDERS, FREQUENCIES),
    st.builds(lambda order, often: write(**_terms_of(order, often)), ORDERS, FREQUENCIES),
    st.builds(lambda order: ReverseAdvance(contract_id=CONTRACT, channel=CHANNEL, order_no=order), ORDERS),
    st.builds(lambda amount, number: pay(amount, f"PAY-{number}"), AMOUNTS, st.integers(1, 8)),
    st.builds(_pay_claim, st.integers(0, 3)),
)


def _amount(events: list[Any], *kinds: type[Any]) -> int:
    return sum(event.amount_minor for event in events if isinstance(event, kinds))


@settings(max_examples=150, deadline=None)
@given(commands=st.lists(COMMANDS, max_size=25))
def test_the_trial_balance_holds_after_any_sequence_of_commands(commands: list[Any]) -> None:
    events: list[Any] = []
    state = BILLING.initial_state
    for command in commands:
        try:
            decided = BILLING.decide(command, state)
        except CommandRefused:
            continue
        state = BILLING.fold(decided, state)
        assert BILLING.decide(command, state) == []
        events.extend(decided)
    books: Counter[LedgerAccount] = Counter()
    for event in events:
        if isinstance(event, MONEY_EVENTS):
            books.update(event.postings)
    reversals = [event for event in events if isinstance(event, PremiumAdvanceReversed)]
    cancelled = sum(invoice.amount_minor for event in reversals for invoice in event.cancelled)
    refundable = sum(event.refundable_minor for event in reversals)
    settled = _amount(events, PaymentReceived, SuspenseMatched)
    suspended = _amount(events, PaymentSuspended) - _amount(events, SuspenseMatched)
    received = _amount(events, PaymentReceived, PaymentSuspended)
    receivable = _amount(events, InvoiceIssued) - settled - cancelled

    assert sum(books.values()) == 0
    assert books[LedgerAccount.PREMIUM_RECEIVABLE] == receivable
    assert receivable == sum(invoice.amount_minor for invoice in state.open_invoices)
    assert -books[LedgerAccount.SUSPENSE] == suspended == sum(p.amount_minor for p in state.suspended)
    assert books[LedgerAccount.CASH] == received - _amount(events, ClaimPaid)
    assert -books[LedgerAccount.REFUNDS_PAYABLE] == refundable
    in_advance = [order.advance_minor for order in state.orders.values() if order.stage is OrderStage.ADVANCE]
    assert -books[LedgerAccount.PREMIUM_ADVANCE] == sum(in_advance)
    shares: Counter[LedgerAccount] = Counter()
    for event in events:
        if isinstance(event, PremiumWritten):
            shares.update(event.shares)
    for account, share in shares.items():
        assert -books[account] == share
