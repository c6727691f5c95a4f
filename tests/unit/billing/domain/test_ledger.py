"""Journal entries: always in balance, shares by running total, nothing booked for nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.vocabulary.money import instalments
from services.billing.domain import ledger
from services.billing.domain.events import ClaimPaid
from services.billing.domain.ledger import LedgerAccount
from tests.support.builders import SPLIT


def test_an_instalment_is_owed_to_us_and_shared_at_once() -> None:
    # W13: 100.01 at 62.5 / 25 / 10 / 2.5 %.
    assert ledger.premium_billed(0, 10_001, SPLIT) == {
        LedgerAccount.PREMIUM_RECEIVABLE: 10_001,
        LedgerAccount.WRITTEN_PREMIUM: -6_251,
        LedgerAccount.COMMISSION_PAYABLE: -2_500,
        LedgerAccount.PLATFORM_FEE_PAYABLE: -1_000,
        LedgerAccount.PREMIUM_TAX_PAYABLE: -250,
    }


def test_an_advance_is_a_liability_until_the_policy_is_issued() -> None:
    assert ledger.advance_billed(10_001) == {
        LedgerAccount.PREMIUM_RECEIVABLE: 10_001,
        LedgerAccount.PREMIUM_ADVANCE: -10_001,
    }
    released = ledger.advance_released(10_001, SPLIT)
    assert released[LedgerAccount.PREMIUM_ADVANCE] == 10_001
    assert released[LedgerAccount.WRITTEN_PREMIUM] == -6_251


def test_an_advance_of_an_order_never_issued_is_owed_back_as_far_as_it_was_paid() -> None:
    assert ledger.advance_reversed(open_minor=30, paid_minor=70) == {
        LedgerAccount.PREMIUM_ADVANCE: 100,
        LedgerAccount.PREMIUM_RECEIVABLE: -30,
        LedgerAccount.REFUNDS_PAYABLE: -70,
    }


def test_a_movement_of_nothing_has_an_empty_entry() -> None:
    assert ledger.premium_billed(0, 0, SPLIT) == {}
    assert ledger.advance_released(0, SPLIT) == {}
    assert ledger.claim_paid(0) == {}


def test_an_entry_that_does_not_balance_cannot_become_an_event() -> None:
    with pytest.raises(ValidationError, match="does not balance"):
        ClaimPaid(
            contract_id="C",
            channel="shop",
            claim_no="C1",
            notice_no="N-1",
            amount_minor=100,
            currency="EUR",
            postings={LedgerAccount.CLAIMS_INCURRED: 100, LedgerAccount.CASH: -99},
        )


@given(premium=st.integers(0, 10**9), count=st.sampled_from([1, 2, 4, 12]))
def test_the_instalments_book_exactly_the_shares_of_the_term(premium: int, count: int) -> None:
    booked = dict.fromkeys(ledger.shares_of(premium, SPLIT), 0)
    billed = 0
    for amount in instalments(premium, count):
        entry = ledger.premium_billed(billed, amount, SPLIT)
        assert sum(entry.values()) == 0
        billed += amount
        for account in booked:
            booked[account] -= entry.get(account, 0)
    assert booked == ledger.shares_of(premium, SPLIT)
