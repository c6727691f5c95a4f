"""The generated book: the same seed makes the same bytes, and every kind of message is in it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable

import pytest

from contracts.topics import ORDER_BYTES_MAX
from contracts.vocabulary.faults import FaultCode
from services.demo.book import CHANNELS, Book, Outcome, RawMessage, generate_book
from services.demo.mistakes import MISTAKES
from services.quote.product_files import shipped_products


@pytest.fixture(scope="module")
def book() -> Book:
    return generate_book()


def digest(messages: Iterable[RawMessage]) -> str:
    found = hashlib.sha256()
    for message in messages:
        found.update(f"{message.channel}|{message.key}|{message.reference}|{message.expected}|".encode())
        found.update(message.value)
    return found.hexdigest()


def test_the_same_seed_makes_the_same_bytes(book: Book) -> None:
    again = generate_book()
    for name in ("orders", "payments", "claims"):
        assert digest(getattr(book, name)) == digest(getattr(again, name))
    assert book.expected == again.expected


def test_another_seed_makes_another_book_with_other_numbers(book: Book) -> None:
    other = generate_book(seed=2)
    assert not {message.key for message in book.orders} & {message.key for message in other.orders}


@pytest.mark.parametrize("count", [1, 2, 5, 10, 50])
def test_a_book_may_be_small(count: int) -> None:
    assert len(generate_book(orders=count).orders) == count


def test_the_mix_is_as_declared(book: Book) -> None:
    orders = Counter(book.expected.orders)
    assert len(book.orders) == 3_000
    assert {message.channel for message in book.orders} == set(CHANNELS)
    motor = orders[Outcome.ISSUED]
    assert 0.65 < motor / (motor + orders[Outcome.AWAITING_PAYMENT]) < 0.75
    assert 40 <= orders[Outcome.REPEATED] <= 85
    assert 7 <= orders[FaultCode.ORDER_NUMBER_REUSED] <= 25
    assert orders[Outcome.RENEWED] > 200
    assert (orders[Outcome.REFERRED], orders[Outcome.OFFERED]) == (9, 5)


def test_every_product_that_is_shipped_is_sold_in_the_book(book: Book) -> None:
    good = {Outcome.ISSUED, Outcome.AWAITING_PAYMENT}
    sold = Counter(json.loads(message.value)["product"] for message in book.orders if message.expected in good)
    assert set(sold) == {document.code for document in shipped_products()}
    assert 24 <= sold["group-medical"] <= 72
    assert sold["health-plus"] > 100
    assert sold["motor-comprehensive"] > 60


def test_every_kind_of_mistake_is_in_the_book(book: Book) -> None:
    assert {str(mistake.code) for mistake in MISTAKES} <= set(book.expected.orders)
    assert any(len(message.value) > ORDER_BYTES_MAX for message in book.orders)


def test_every_kind_of_payment_and_claim_is_in_the_book(book: Book) -> None:
    assert set(book.expected.payments) == {
        Outcome.MATCHED,
        Outcome.REPEATED,
        FaultCode.AMOUNT_MISMATCH,
        FaultCode.WRONG_CURRENCY,
        FaultCode.NO_OPEN_INVOICE,
        FaultCode.PAYMENT_NUMBER_REUSED,
        FaultCode.MISSING_FIELD,
        Outcome.WITHDRAWN,
    }
    assert set(book.expected.claims) == {
        Outcome.APPROVED,
        Outcome.AWAITING_APPROVAL,
        Outcome.ZERO,
        Outcome.REPEATED,
        FaultCode.GUARANTEE_NOT_BOUGHT,
        FaultCode.NO_COVER_IN_FORCE,
        FaultCode.POLICY_UNKNOWN,
        FaultCode.NOTICE_NUMBER_REUSED,
        FaultCode.INVALID_FIELD,
    }


def test_a_part_of_the_orders_has_evidence_and_nothing_else_differs_because_of_it(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_evidence = sum(b'"evidence":' in message.value for message in book.orders)
    assert 0.5 < with_evidence / len(book.orders) < 0.65
    monkeypatch.setattr("services.demo.orders.evidence_of_sale", lambda seed, order: None)
    without = generate_book()
    assert not any(b'"evidence":' in message.value for message in without.orders)
    assert without.expected == book.expected
    assert (without.payments, without.claims) == (book.payments, book.claims)
