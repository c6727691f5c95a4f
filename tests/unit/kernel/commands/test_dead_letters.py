"""Dead letters: their ids are fixed by what was sent, and their text can always be stored."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.kernel.commands.dead_letters import DeadLetter
from services.kernel.messages import Delivery
from services.kernel.postgres import storable

DELIVERY = Delivery("orders.shop.v1", 3, 7, b"C-1", b"{", (), 1_767_601_800_123)
LETTER = DeadLetter(DELIVERY, "unreadable", "expected a name", datetime(2026, 1, 5, tzinfo=UTC))


def test_the_id_is_known() -> None:
    assert LETTER.id == "b6e98917d4d4b8ea39a5630e4933ca49"


def test_the_same_bytes_on_the_same_topic_are_the_same_dead_letter() -> None:
    later = replace(DELIVERY, partition=4, offset=99, timestamp_ms=0, headers=(("try", b"2"),))
    assert DeadLetter(later, "unreadable", "another text", datetime(2027, 1, 5, tzinfo=UTC)).id == LETTER.id


@pytest.mark.parametrize(
    "other",
    [
        replace(LETTER, reason="internal"),
        replace(LETTER, delivery=replace(DELIVERY, topic="orders.shop2.v1")),
        replace(LETTER, delivery=replace(DELIVERY, key=b"C-2")),
        replace(LETTER, delivery=replace(DELIVERY, value=b"}")),
        replace(LETTER, delivery=replace(DELIVERY, key=b"C-1\x1f{", value=b"")),
    ],
)
def test_anything_else_is_another_one(other: DeadLetter) -> None:
    assert other.id != LETTER.id


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("plain", "plain"),
        ("é\U0001f600", "é\U0001f600"),
        ("a\x00b", "a\\0b"),
        ("half \ud83d of it", "half \\ud83d of it"),
        ("", ""),
    ],
)
def test_text_is_stored_as_it_is_where_postgresql_can_store_it(text: str, stored: str) -> None:
    assert storable(text) == stored
