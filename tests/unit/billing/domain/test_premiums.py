"""Billing of terms: once in force, or before cover; released on issue, reversed where it fails."""

from datetime import date

from contracts.vocabulary.products import PaymentFrequency, PremiumSplit
from services.billing.domain.commands import ReverseAdvance
from services.billing.domain.events import (
    AccountOpened,
    InvoiceIssued,
    PremiumAdvanceReleased,
    PremiumAdvanceReversed,
    PremiumWritten,
    SuspenseMatched,
)
from services.billing.domain.ledger import LedgerAccount
from tests.support.builders import CHANNEL, CONTRACT, YEAR_2027
from tests.support.decider_spec import DeciderSpec
from tests.unit.billing.examples import BILLING, advance, history, pay, write

billing = DeciderSpec(BILLING)
FAILED = ReverseAdvance(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1")


def _invoices(spec: DeciderSpec) -> list[InvoiceIssued]:
    return [event for event in spec.decided if isinstance(event, InvoiceIssued)]


def test_a_term_in_force_opens_the_account_writes_the_premium_and_is_billed() -> None:
    spec = billing.given().when(write()).then_types(AccountOpened, PremiumWritten, InvoiceIssued)
    written, invoice = spec.decided[1:]
    assert written.shares == {
        LedgerAccount.WRITTEN_PREMIUM: 9_006,
        LedgerAccount.COMMISSION_PAYABLE: 3_603,
        LedgerAccount.PLATFORM_FEE_PAYABLE: 1_441,
        LedgerAccount.PREMIUM_TAX_PAYABLE: 360,
    }
    assert (invoice.invoice_no, invoice.amount_minor, invoice.due) == ("O-1/01", 14_410, date(2026, 1, 1))
    assert not invoice.before_cover


def test_the_premium_of_an_order_is_written_only_once() -> None:
    billing.given(*history(write())).when(write()).then_nothing()


def test_a_renewal_is_billed_to_the_same_account() -> None:
    renewal = write(2, order_no="O-2", period=YEAR_2027)
    spec = billing.given(*history(write())).when(renewal).then_types(PremiumWritten, InvoiceIssued)
    assert spec.decided[1].due == date(2027, 1, 1)


def test_monthly_instalments_have_their_cents_on_the_first() -> None:
    # W11: 1,000.00 in 12.
    monthly = billing.given().when(write(premium_minor=100_000, frequency=PaymentFrequency.MONTHLY))
    invoices = _invoices(monthly)
    assert [invoice.amount_minor for invoice in invoices] == [8_337] + [8_333] * 11
    assert [invoice.due for invoice in invoices][:3] == [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    assert invoices[-1].due == date(2026, 12, 1)
    assert [invoice.instalment_no for invoice in invoices] == list(range(1, 13))


def test_half_yearly_and_quarterly_instalments_are_due_months_apart() -> None:
    half = _invoices(billing.given().when(write(frequency=PaymentFrequency.HALF_YEARLY)))
    assert [invoice.due for invoice in half] == [date(2026, 1, 1), date(2026, 7, 1)]
    quarter = _invoices(billing.given().when(write(frequency=PaymentFrequency.QUARTERLY)))
    assert [invoice.due.month for invoice in quarter] == [1, 4, 7, 10]


def test_shares_keep_to_the_running_total_over_the_instalments() -> None:
    # W15e: 1,000.00 in 12 at 40/35/25; each instalment alone would drift to 399.98/350.05/249.97.
    shares = PremiumSplit(insurer_bp=4_000, commission_bp=3_500, platform_fee_bp=2_500, tax_bp=0)
    monthly = write(premium_minor=100_000, frequency=PaymentFrequency.MONTHLY, split=shares)
    entries = [invoice.postings for invoice in _invoices(billing.given().when(monthly))]
    booked = [
        tuple(
            -entry[account]
            for account in (
                LedgerAccount.WRITTEN_PREMIUM,
                LedgerAccount.COMMISSION_PAYABLE,
                LedgerAccount.PLATFORM_FEE_PAYABLE,
            )
        )
        for entry in entries
    ]
    assert booked[1:3] == [(3_333, 2_917, 2_083), (3_333, 2_916, 2_084)]
    assert [sum(column) for column in zip(*booked, strict=True)] == [40_000, 35_000, 25_000]
    assert all(LedgerAccount.PREMIUM_TAX_PAYABLE not in entry for entry in entries)


def test_each_term_is_split_on_its_own_running_total() -> None:
    other = PremiumSplit(insurer_bp=10_000, commission_bp=0, platform_fee_bp=0, tax_bp=0)
    spec = billing.given(*history(write())).when(write(2, order_no="O-2", period=YEAR_2027, split=other))
    assert _invoices(spec)[0].postings == {
        LedgerAccount.PREMIUM_RECEIVABLE: 14_410,
        LedgerAccount.WRITTEN_PREMIUM: -14_410,
    }


def test_the_same_order_number_of_another_channel_of_the_book_is_another_order() -> None:
    spec = billing.given(*history(write())).when(write(2, channel="harbour", period=YEAR_2027))
    spec.then_types(PremiumWritten, InvoiceIssued)


def test_cover_for_nothing_has_an_invoice_of_nothing_that_is_never_open() -> None:
    gift = write(premium_minor=0)
    spec = billing.given().when(gift).then_types(AccountOpened, PremiumWritten, InvoiceIssued)
    assert spec.decided[2].postings == {}
    assert BILLING.fold(spec.decided).open_invoices == ()


def test_pay_before_cover_is_billed_as_an_advance() -> None:
    spec = billing.given().when(advance()).then_types(AccountOpened, InvoiceIssued)
    assert spec.decided[1].before_cover
    assert spec.decided[1].postings == {
        LedgerAccount.PREMIUM_RECEIVABLE: 14_410,
        LedgerAccount.PREMIUM_ADVANCE: -14_410,
    }


def test_on_issue_the_advance_becomes_premium_and_is_not_billed_again() -> None:
    given = history(advance(frequency=PaymentFrequency.QUARTERLY), pay(3_604))
    spec = billing.given(*given).when(write(frequency=PaymentFrequency.QUARTERLY))
    spec.then_types(PremiumWritten, PremiumAdvanceReleased)
    assert spec.decided[1].postings == {
        LedgerAccount.PREMIUM_ADVANCE: 14_410,
        LedgerAccount.WRITTEN_PREMIUM: -9_006,
        LedgerAccount.COMMISSION_PAYABLE: -3_603,
        LedgerAccount.PLATFORM_FEE_PAYABLE: -1_441,
        LedgerAccount.PREMIUM_TAX_PAYABLE: -360,
    }


def test_terms_that_were_issued_already_are_not_billed_before_cover() -> None:
    billing.given(*history(write())).when(advance()).then_nothing()


def test_a_premium_other_than_the_advance_is_refused() -> None:
    billing.given(*history(advance())).when(write(premium_minor=14_411)).then_refused("advance_differs")


def test_the_money_for_an_order_that_failed_is_owed_back() -> None:
    given = history(advance(), pay(14_410))
    spec = billing.given(*given).when(FAILED).then_types(PremiumAdvanceReversed)
    assert (spec.decided[0].cancelled, spec.decided[0].refundable_minor) == ((), 14_410)
    assert spec.decided[0].postings == {
        LedgerAccount.PREMIUM_ADVANCE: 14_410,
        LedgerAccount.REFUNDS_PAYABLE: -14_410,
    }


def test_open_instalments_of_an_order_that_failed_are_dropped() -> None:
    given = history(advance(frequency=PaymentFrequency.HALF_YEARLY), pay(7_205))
    spec = billing.given(*given).when(FAILED)
    reversed_ = spec.decided[0]
    assert [invoice.invoice_no for invoice in reversed_.cancelled] == ["O-1/02"]
    assert reversed_.refundable_minor == 7_205
    assert BILLING.fold((*given, reversed_)).open_invoices == ()


def test_an_order_with_cover_first_leaves_nothing_to_undo() -> None:
    billing.given(*history(write())).when(FAILED).then_nothing()
    billing.given().when(FAILED).then_nothing()


def test_an_order_that_failed_is_neither_billed_nor_written_again() -> None:
    given = history(advance(), FAILED)
    billing.given(*given).when(advance()).then_nothing()
    billing.given(*given).when(write()).then_refused("advance_reversed")


def test_money_that_came_first_settles_the_invoice_that_fits_it() -> None:
    given = history(pay(14_410))
    spec = billing.given(*given).when(advance()).then_types(InvoiceIssued, SuspenseMatched)
    assert spec.decided[1].postings == {
        LedgerAccount.SUSPENSE: 14_410,
        LedgerAccount.PREMIUM_RECEIVABLE: -14_410,
    }
    state = BILLING.fold((*given, *spec.decided))
    assert (state.open_invoices, state.suspended) == ((), ())


def test_money_that_came_first_and_fits_nothing_goes_on_waiting() -> None:
    given = history(pay(14_411))
    billing.given(*given).when(advance()).then_types(InvoiceIssued)


def test_two_payments_that_came_first_settle_two_instalments() -> None:
    given = history(pay(7_205, "PAY-1"), pay(7_205, "PAY-2"), pay(7_205, "PAY-3"))
    spec = billing.given(*given).when(write(frequency=PaymentFrequency.HALF_YEARLY))
    spec.then_types(PremiumWritten, InvoiceIssued, InvoiceIssued, SuspenseMatched, SuspenseMatched)
    assert [event.payment_no for event in spec.decided[3:]] == ["PAY-1", "PAY-2"]
    assert [event.settled[0].invoice_no for event in spec.decided[3:]] == ["O-1/01", "O-1/02"]
