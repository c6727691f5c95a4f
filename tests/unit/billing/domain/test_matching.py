"""Exact matching of money to open invoices."""

from collections.abc import Sequence
from datetime import date

import pytest

from contracts.vocabulary.products import PaymentFrequency
from services.billing.domain.events import InvoiceIssued
from services.billing.domain.matching import closed, invoices_settled, without
from services.kernel.errors import CorruptHistory
from tests.support.builders import CHANNEL, CONTRACT


def _invoice(number: int, amount_minor: int, due: date, currency: str = "EUR") -> InvoiceIssued:
    return InvoiceIssued(
        contract_id=CONTRACT,
        channel=CHANNEL,
        order_no="O-1",
        invoice_no=f"O-1/{number:02d}",
        instalment_no=number,
        instalments=4,
        frequency=PaymentFrequency.QUARTERLY,
        amount_minor=amount_minor,
        currency=currency,
        due=due,
        before_cover=False,
        postings={},
    )


JANUARY = _invoice(1, 103, date(2026, 1, 1))
APRIL = _invoice(2, 100, date(2026, 4, 1))
JULY = _invoice(3, 100, date(2026, 7, 1))
OPEN = (JANUARY, APRIL, JULY)


@pytest.mark.parametrize(
    ("amount_minor", "settled"),
    [
        (103, (JANUARY,)),
        (100, (APRIL,)),
        (203, (JANUARY, APRIL)),
        (303, (JANUARY, APRIL, JULY)),
        (200, ()),
        (102, ()),
        (104, ()),
        (304, ()),
        (1, ()),
    ],
)
def test_money_settles_one_invoice_or_the_oldest_ones_and_never_a_part(
    amount_minor: int, settled: Sequence[InvoiceIssued]
) -> None:
    assert tuple(invoices_settled(OPEN, amount_minor, "EUR")) == tuple(settled)


def test_the_oldest_invoice_is_the_one_due_first_not_the_one_issued_first() -> None:
    assert tuple(invoices_settled((JULY, APRIL), 100, "EUR")) == (APRIL,)


def test_one_invoice_of_the_amount_goes_before_a_sum_of_older_ones() -> None:
    october = _invoice(4, 203, date(2026, 10, 1))
    assert tuple(invoices_settled((*OPEN, october), 203, "EUR")) == (october,)


def test_invoices_of_another_currency_do_not_count() -> None:
    in_yuan = _invoice(1, 103, date(2025, 1, 1), "CNY")
    assert tuple(invoices_settled((in_yuan, APRIL), 103, "EUR")) == ()
    assert tuple(invoices_settled((in_yuan, APRIL), 100, "EUR")) == (APRIL,)


def test_what_was_settled_is_open_no_longer() -> None:
    assert without(OPEN, closed((APRIL,))) == (JANUARY, JULY)


def test_settling_what_is_not_open_is_a_corrupt_history() -> None:
    with pytest.raises(CorruptHistory):
        without((JANUARY,), closed((APRIL,)))
