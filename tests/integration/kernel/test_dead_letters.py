"""Messages that cannot be handled: kept whole, told on a topic, and never in the way of the next one."""

import hashlib
import json
from base64 import b64decode
from dataclasses import replace

import pytest

from contracts.topics import dead_letters_topic
from services.kernel.messages import Instruction
from services.kernel.routing import route
from services.kernel.wire import Record
from tests.support.running import PARTITIONS, Home
from tests.support.tally import Asked, Count, NewerAsked, to


async def _after(home: Home, *records: Record, letters: int = 1, waiting: int = 1) -> None:
    """Publish, then a count of 7 on four lanes. That of t1 waits behind the first; all others must be counted."""
    followers = [home.ask("count", tally, amount=7) for tally in ("t1", "t2", "t3", "t4")]
    async with home.kernel() as kernel:
        await home.publish(*records, *followers)
        await home.quiet(kernel)
    totals = await home.totals()
    assert [totals.get(tally, 0) for tally in ("t1", "t2", "t3", "t4")] == [0 if waiting else 7, 7, 7, 7]
    assert len(await home.dead_letters()) == letters
    assert len(await home.parked()) == waiting


def _with_header(record: Record, name: str, value: bytes) -> Record:
    return replace(record, headers=[(key, value if key == name else old) for key, old in record.headers])


POISON = (
    b"",
    b"\xff\xfe\x00",
    b"{",
    b"[]",
    b'{"what":"count"}',
    b"[" * 10_000,
    b'{"what":"count","tally":"\\u0000\\ud800"}',
)


async def test_poison_bytes_are_kept_whole_and_stop_nothing(home: Home) -> None:
    records = {value: replace(home.ask("count", f"bad{i}"), value=value) for i, value in enumerate(POISON)}
    await _after(home, *records.values(), letters=len(POISON), waiting=0)
    letters = {letter["value"]: letter for letter in await home.dead_letters()}
    assert letters.keys() == records.keys()
    for value, record in records.items():
        letter = letters[value]
        assert (letter["source"], letter["key"], letter["reason"]) == (home.source_topic, record.key, "unreadable")
        assert [(name, b64decode(text)) for name, text in json.loads(letter["headers"])] == record.headers


@pytest.mark.parametrize(("header", "reason"), [("ce_type", "unreadable"), ("ce_dataschema", "unknown_version")])
async def test_a_header_that_is_not_text_is_kept_whole(home: Home, header: str, reason: str) -> None:
    await _after(home, _with_header(home.ask("count", "t1"), header, b"\xff\xff"))
    (letter,) = await home.dead_letters()
    headers = {name: b64decode(text) for name, text in json.loads(letter["headers"])}
    assert (letter["reason"], headers[header]) == (reason, b"\xff\xff")


@pytest.mark.parametrize("value", [b"\xff", b"soon", b""])
async def test_an_intruder_without_a_readable_place_is_set_aside(home: Home, value: bytes) -> None:
    first = home.ask("count", "t1", amount=0)
    intruder = _with_header(replace(first, value=b"whatever"), "previous", value)
    await _after(home, first, intruder, waiting=0)
    (letter,) = await home.dead_letters()
    assert (letter["reason"], letter["value"]) == ("no_place", b"whatever")


async def test_a_version_that_nobody_knows_is_not_half_understood(home: Home) -> None:
    await _after(home, home.ask("count", "t1", kind=NewerAsked, amount=5))
    (letter,) = await home.dead_letters()
    assert letter["reason"] == "unknown_version"
    assert "foreign.asked.v2" in letter["error"]


@pytest.mark.parametrize(
    ("what", "reason", "error"),
    [
        ("refuse", "not_today", "CommandRefused: refused at a total of 0"),
        ("explode", "internal", "RuntimeError: a bug in a rule"),
        ("confuse", "unreadable", "LookupError: confused by "),
    ],
)
async def test_a_rule_that_fails_is_named_as_the_reason(home: Home, what: str, reason: str, error: str) -> None:
    await _after(home, home.ask(what, "t1"))
    (letter,) = await home.dead_letters()
    assert (letter["reason"], letter["error"]) == (reason, error)


async def test_an_error_text_that_postgresql_cannot_store_is_made_storable(home: Home) -> None:
    await _after(home, home.ask("confuse", "t1", note="a\x00b"))
    (letter,) = await home.dead_letters()
    assert letter["error"] == "LookupError: confused by a\\0b"


async def test_an_event_above_the_limit_makes_its_message_a_dead_letter(home: Home) -> None:
    await _after(home, home.ask("count", "t1", note="n" * 600_000))
    (letter,) = await home.dead_letters()
    assert letter["reason"] == "internal"
    assert "above the limit" in letter["error"]


async def test_dead_letters_are_told_on_their_topic_however_large(home: Home) -> None:
    # Bytes that no compression makes smaller, as large as a channel's message may be.
    noise = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(31_000))
    small, large = home.ask("confuse", "t1", note="x"), replace(home.ask("count", "t5"), value=noise)
    await _after(home, small, large, letters=2)
    topic = await home.read_topic(dead_letters_topic(home.definition.name))
    told = {dict(record.headers)["dead_letter_id"].decode(): record for record in topic[0]}
    kept = {letter["id"]: letter for letter in await home.dead_letters()}
    assert told.keys() == kept.keys()
    for key, record in told.items():
        headers, letter = dict(record.headers), kept[key]
        assert record.value == letter["value"]
        assert headers["reason"].decode() == letter["reason"]
        assert headers["source"].decode() == f"{home.source_topic}/{letter['partition']}/{letter['source_offset']}"
        assert letter["published"]


async def test_equal_bad_records_of_our_own_topics_are_two_messages(home: Home) -> None:
    first, second = (replace(home.ask("count", "t1"), value=b"{") for _ in range(2))
    await _after(home, first, second, waiting=2)
    (letter,) = await home.dead_letters()
    assert letter["source_offset"] == 0


async def test_an_instruction_may_ask_for_its_message_to_be_kept_beside_the_outcome(home: Home) -> None:
    def keep(event: Asked) -> list[Instruction]:
        return [replace(to(event.tally, Count(event.tally, event.amount)), dead_letter="late")]

    async with home.kernel(react=route((Asked, keep))) as kernel:
        await home.publish(home.ask("count", "t1", amount=4))
        await home.quiet(kernel)
    (letter,) = await home.dead_letters()
    assert (letter["reason"], letter["state"], await home.totals()) == ("late", "answered", {"t1": 4})


async def test_a_channel_is_unlinked_and_its_poison_is_set_aside_too(channel_home: Home) -> None:
    home = channel_home
    async with home.kernel() as kernel:
        for partition in range(PARTITIONS):
            await home.order(b"not json", partition)
        await home.order(b'{"tally": "t1", "order_no": "O-1"}', partition=3)
        await home.quiet(kernel)
        (opened,) = await kernel.history("t1", "tally-t1")
    assert opened.event.order_no == "O-1"
    assert opened.meta["cause"] == f"orders.{home.channel}.v1/3/1"
    # The same bytes on the same topic are one dead letter.
    assert [letter["reason"] for letter in await home.dead_letters()] == ["unreadable"]
