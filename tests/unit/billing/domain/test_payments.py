"""Incoming money: matched to the minor unit, suspended with a reason, or refused for its number."""

from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.products import PaymentFrequency
from services.billing.domain.commands import RefusePayment
from services.billing.domain.events import AccountOpened, PaymentReceived, PaymentRefused, PaymentSuspended
from services.billing.domain.ledger import LedgerAccount
from tests.support.builders import YEAR_2027
from tests.support.decider_spec import DeciderSpec
from tests.unit.billing.examples import BILLING, advance, history, pay, reported, write

billing = DeciderSpec(BILLING)


def _reason(spec: DeciderSpec) -> FaultCode:
    code: FaultCode = spec.decided[-1].faults[0].code
    return code


def test_the_amount_of_an_invoice_settles_it() -> None:
    spec = billing.given(*history(write())).when(pay(14_410)).then_types(PaymentReceived)
    assert [invoice.invoice_no for invoice in spec.decided[0].settled] == ["O-1/01"]
    assert spec.decided[0].postings == {
        LedgerAccount.CASH: 14_410,
        LedgerAccount.PREMIUM_RECEIVABLE: -14_410,
    }


def test_one_payment_settles_the_oldest_instalments_that_add_up_to_it() -> None:
    given = history(write(frequency=PaymentFrequency.QUARTERLY))
    spec = billing.given(*given).when(pay(3_604 + 3_602)).then_types(PaymentReceived)
    assert [invoice.invoice_no for invoice in spec.decided[0].settled] == ["O-1/01", "O-1/02"]


def test_one_payment_settles_the_open_invoices_of_two_terms() -> None:
    given = history(write(), write(2, order_no="O-2", period=YEAR_2027))
    spec = billing.given(*given).when(pay(28_820)).then_types(PaymentReceived)
    assert [invoice.invoice_no for invoice in spec.decided[0].settled] == ["O-1/01", "O-2/01"]


def test_one_cent_too_little_or_too_much_goes_to_suspense_whole() -> None:
    for amount_minor in (14_409, 14_411):
        spec = billing.given(*history(write())).when(pay(amount_minor)).then_types(PaymentSuspended)
        assert _reason(spec) is FaultCode.AMOUNT_MISMATCH
        assert spec.decided[0].postings == {
            LedgerAccount.CASH: amount_minor,
            LedgerAccount.SUSPENSE: -amount_minor,
        }


def test_money_for_a_contract_without_open_invoices_goes_to_suspense() -> None:
    spec = billing.given(*history(write(), pay(14_410))).when(pay(14_410, "PAY-2")).then_types(PaymentSuspended)
    assert _reason(spec) is FaultCode.NO_OPEN_INVOICE


def test_money_for_an_unknown_contract_opens_an_account_and_waits() -> None:
    spec = billing.given().when(pay(14_410)).then_types(AccountOpened, PaymentSuspended)
    assert _reason(spec) is FaultCode.NO_OPEN_INVOICE
    assert (spec.decided[0].contract_no, spec.decided[0].currency) == ("C-1", "EUR")


def test_money_of_another_currency_goes_to_suspense() -> None:
    spec = billing.given(*history(write())).when(pay(14_410, currency="CNY")).then_types(PaymentSuspended)
    assert _reason(spec) is FaultCode.WRONG_CURRENCY


def test_an_account_opened_by_money_of_another_currency_is_billed_all_the_same() -> None:
    given = history(pay(14_410, currency="CNY"), write())
    spec = billing.given(*given).when(pay(14_410, "PAY-2")).then_types(PaymentReceived)
    assert spec.decided[0].currency == "EUR"


def test_the_same_report_again_changes_nothing() -> None:
    given = history(write(), pay(14_410))
    billing.given(*given).when(pay(14_410)).then_nothing()
    billing.given(*given).when(pay(14_410, source="orders.shop.v1/3/9")).then_nothing()


def test_the_same_report_of_suspended_money_again_changes_nothing() -> None:
    billing.given(*history(pay(100))).when(pay(100)).then_nothing()
    billing.given(*history(pay(14_410), advance())).when(pay(14_410)).then_nothing()


def test_other_content_under_the_same_number_is_refused_and_the_first_stands() -> None:
    given = history(write(), pay(14_410))
    spec = billing.given(*given).when(pay(14_500)).then_types(PaymentRefused)
    assert _reason(spec) is FaultCode.PAYMENT_NUMBER_REUSED
    billing.given(*given, *spec.decided).when(pay(14_410)).then_nothing()
    billing.given(*given, *spec.decided).when(pay(14_500)).then_nothing()


def test_the_same_number_of_another_channel_is_another_payment() -> None:
    given = history(write(), write(2, order_no="O-2", period=YEAR_2027), pay(14_410))
    billing.given(*given).when(pay(14_410, channel="harbour")).then_types(PaymentReceived)


def test_a_number_that_belongs_to_another_contract_is_refused_once() -> None:
    command = RefusePayment(payment=reported(14_410))
    spec = billing.given().when(command).then_types(PaymentRefused)
    assert _reason(spec) is FaultCode.PAYMENT_NUMBER_REUSED
    assert "PAY-1" in spec.decided[0].faults[0].message


def test_the_reason_names_what_is_open() -> None:
    spec = billing.given(*history(write())).when(pay(14_409))
    assert "144.09 EUR" in spec.decided[0].faults[0].message
    assert "144.10 in all" in spec.decided[0].faults[0].message
