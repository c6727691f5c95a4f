"""Rows of billing's read models."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from contracts.vocabulary.products import PaymentFrequency
from services.billing.domain.commands import ReverseAdvance
from services.billing.domain.events import InvoiceIssued
from services.billing.projections import PROJECTIONS
from services.billing.projections.account import account
from services.billing.projections.account_balance import account_balance
from services.billing.projections.invoice import invoice
from services.billing.projections.invoice_count import invoice_count
from services.billing.projections.ledger_balance import ledger_balance
from services.billing.projections.posting import posting
from services.billing.projections.suspended_payment import suspended_payment
from services.kernel.projection import Add, Change, Projection, Put
from tests.support.builders import CHANNEL, CONTRACT
from tests.unit.billing.examples import NOON, advance, history, pay, recorded, write

FAILED = ReverseAdvance(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1")


def _changes(projection: Projection, events: Sequence[Any]) -> list[Any]:
    return [
        change for version, event in enumerate(events, 1) for change in projection.changes(recorded(event, version))
    ]


def _rows(projection: Projection, events: Sequence[Any]) -> list[dict[str, Any]]:
    """The table after these events."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for change in _changes(projection, events):
        source = change.key if isinstance(change, Add) else change.row
        key = tuple(source[column] for column in projection.key)
        if isinstance(change, Change) and key not in rows:
            continue
        row = rows.setdefault(key, {})
        row.update(source)
        if isinstance(change, Add):
            row.update({name: row.get(name, 0) + amount for name, amount in change.amounts.items()})
    return list(rows.values())


def test_every_change_names_its_key_and_only_columns_of_the_table() -> None:
    half: dict[str, Any] = {"frequency": PaymentFrequency.HALF_YEARLY}
    events = (*history(pay(7_205), advance(**half), write(**half), pay(1, "PAY-2")), *history(advance(), FAILED))
    for projection in PROJECTIONS:
        changes = _changes(projection, events)
        assert changes
        for change in changes:
            names = {**change.key, **change.amounts} if isinstance(change, Add) else change.row
            assert set(projection.key) <= set(names) <= set(projection.columns)


def test_an_account_is_listed_under_the_channel_that_sold_the_cover() -> None:
    (row,) = _rows(account, history(pay(1, channel="bank"), write(contract_no="C-1")))
    assert (row["channel"], row["contract_no"], row["opened_at"]) == (CHANNEL, "C-1", NOON)


def test_a_balance_shows_what_is_owed_what_waits_and_what_goes_back() -> None:
    half: dict[str, Any] = {"frequency": PaymentFrequency.HALF_YEARLY}
    (row,) = _rows(account_balance, history(advance(**half), pay(7_205), pay(99, "PAY-2"), FAILED))
    del row["contract_id"]
    assert row == {
        "currency": "EUR",
        "billed_minor": 14_410,
        "paid_minor": 7_205,
        "cancelled_minor": 7_205,
        "suspended_minor": 99,
        "refundable_minor": 7_205,
        "claims_paid_minor": 0,
    }


def test_money_that_leaves_suspense_is_paid() -> None:
    (row,) = _rows(account_balance, history(pay(14_410), advance()))
    assert (row["paid_minor"], row["suspended_minor"]) == (14_410, 0)
    (waited,) = _rows(suspended_payment, history(pay(14_410), advance()))
    assert (waited["reason"], waited["matched_at"]) == ("no_open_invoice", NOON)


def test_an_invoice_is_open_until_it_is_settled_or_cancelled() -> None:
    half: dict[str, Any] = {"frequency": PaymentFrequency.HALF_YEARLY}
    first, second = _rows(invoice, history(advance(**half), pay(7_205)))
    assert (first["status"], first["paid_minor"]) == ("settled", 7_205)
    assert (second["status"], second["paid_minor"], second["due"].month) == ("open", 0, 7)
    _, dropped = _rows(invoice, history(advance(**half), pay(7_205), FAILED))
    assert dropped["status"] == "cancelled"


def test_an_invoice_of_nothing_is_settled_from_the_start() -> None:
    (row,) = _rows(invoice, history(write(premium_minor=0)))
    assert (row["status"], row["closed_at"]) == ("settled", NOON)


def test_invoices_are_counted_by_frequency() -> None:
    (row,) = _rows(invoice_count, history(write(frequency=PaymentFrequency.MONTHLY)))
    assert row == {
        "channel": CHANNEL,
        "frequency": "monthly",
        "currency": "EUR",
        "invoices": 12,
        "amount_minor": 14_410,
    }


def test_an_entry_is_posted_line_by_line_under_the_number_of_its_event() -> None:
    events = history(write())
    lines = [change.row for change in _changes(posting, events) if isinstance(change, Put)]
    assert {line["entry_no"] for line in lines} == {3}
    assert isinstance(events[2], InvoiceIssued)
    assert {line["account"]: line["amount_minor"] for line in lines} == events[2].postings


def test_the_ledger_has_equal_debits_and_credits() -> None:
    rows = _rows(ledger_balance, history(advance(), pay(14_410), write(), pay(5, "PAY-2")))
    totals: Counter[str] = Counter()
    for row in rows:
        totals.update({side: row[side] for side in ("debit_minor", "credit_minor")})
    assert totals["debit_minor"] == totals["credit_minor"] == 3 * 14_410 + 5
