"""The envelope as any consumer must be able to check it: public chain, place, links."""

from datetime import UTC, datetime

import pytest

from contracts.envelope import CHAIN_START, RecordPlace, link_of, next_chain, place_headers, place_of
from contracts.topics import lane_of
from services.kernel.messages import Outgoing, Recorded
from services.kernel.wire import Tail, public_record
from tests.support.tally import AmountCounted, Counted

FIRST = "4f1a935adacd00d923337b39563e640a11b98073aff994719e7b7e9485632dd0"
SECOND = "8c673109fb66f167247f0776356f55097325cd02ad2b66ac88081d717e6c9cc3"


def test_the_public_chain_is_known() -> None:
    first = next_chain(CHAIN_START, 5, "policy.issued", b"7K3M9QX2ZB4T8HCW", b'{"premium_minor":14410}')
    second = next_chain(first, 9, "policy.renewed", b"7K3M9QX2ZB4T8HCW", b"{}")
    assert (first.hex(), second.hex()) == (FIRST, SECOND)


def test_the_lane_of_a_contract_is_the_same_for_ever() -> None:
    assert [lane_of(key, 8) for key in ("7K3M9QX2ZB4T8HCW", "t1", "")] == [2, 7, 0]


def test_a_place_comes_back_from_its_headers() -> None:
    place = RecordPlace(position=9, previous=5, digest=bytes(range(32)), chain=bytes.fromhex(SECOND))
    headers = place_headers(place)
    assert place_of(dict(headers)) == place
    assert link_of(headers) == (9, 5)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("position", b"9")],
        [("previous", b"5")],
        [("position", b"\xff"), ("previous", b"5")],
        [("position", b"-9"), ("previous", b"5")],
    ],
)
def test_a_record_without_a_readable_link_says_so(headers: list[tuple[str, bytes]]) -> None:
    with pytest.raises(ValueError, match=r"position|invalid literal|utf-8"):
        link_of(headers)


def test_a_public_record_carries_its_place_its_cause_and_its_time() -> None:
    recorded_at = datetime(2026, 1, 5, 8, 30, 0, 123456, tzinfo=UTC)
    event = Counted(tally="t1", amount=5)
    recorded = Recorded(7, 9, "tally-t1", 4, event, recorded_at, {"traceparent": "00-ab-cd-01"}, bytes(32))
    outgoing = Outgoing("t1", AmountCounted(tally="t1", amount=5, note=""))
    record, tail = public_record("tally", "tally.events.v1", recorded, outgoing, Tail(5, bytes.fromhex(FIRST)))
    headers = dict(record.headers)
    assert (record.topic, record.partition, record.key) == ("tally.events.v1", 7, b"t1")
    assert record.value == b'{"tally":"t1","amount":5,"note":""}'
    assert record.timestamp_ms == 1_767_601_800_123
    assert headers["ce_id"] == b"tally/7/9"
    assert headers["ce_type"] == b"tally.amount_counted"
    assert headers["ce_dataschema"] == b"tally.amount_counted.v1"
    assert headers["ce_time"] == b"2026-01-05T08:30:00.123456+00:00"
    assert (headers["version"], headers["traceparent"]) == (b"4", b"00-ab-cd-01")
    expected = next_chain(bytes.fromhex(FIRST), 9, "tally.amount_counted", b"t1", record.value)
    assert place_of(headers) == RecordPlace(9, 5, bytes(32), expected)
    assert tail == Tail(9, expected)
