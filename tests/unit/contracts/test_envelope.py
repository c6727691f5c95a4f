"""The envelope: CloudEvents headers, the place of a record, and the chain that proves completeness."""

import hashlib
from datetime import UTC, datetime

import pytest

from contracts.billing.v1 import ClaimPaid
from contracts.envelope import (
    CHAIN_START,
    RecordPlace,
    cloud_event_headers,
    event_type_of,
    next_chain,
    place_headers,
    place_of,
    schema_name,
)

KEY = b"TQ9ZEDCMQZ88VN8D"
RECORDS = (
    (1, "claim.reported", KEY, b'{"claim_no":"C1"}'),
    (4, "claim.approved", KEY, b'{"claim_no":"C1","approved_minor":100}'),
    (5, "claim.closed", KEY, b"{}"),
)
PLACE = RecordPlace(position=4, previous=1, digest=bytes(range(32)), chain=bytes(reversed(range(32))))


def chain_of(records: tuple[tuple[int, str, bytes, bytes], ...]) -> bytes:
    chain = CHAIN_START
    for position, event_type, key, value in records:
        chain = next_chain(chain, position, event_type, key, value)
    return chain


def test_the_chain_starts_with_thirty_two_zero_bytes() -> None:
    assert CHAIN_START == b"\x00" * 32


def test_the_chain_is_the_formula_that_the_documentation_gives() -> None:
    position, event_type, key, value = RECORDS[0]
    written_out = bytes(32) + position.to_bytes(8, "big") + event_type.encode() + b"\x00" + key + b"\x00" + value
    assert next_chain(CHAIN_START, *RECORDS[0]) == hashlib.sha256(written_out).digest()


def test_the_chain_of_known_records_never_changes() -> None:
    assert chain_of(RECORDS).hex() == "9002d8a4c4587f54b5a56a838c8e6f246738f8e7bf5571bcbe9d6f7ece4b216d"


@pytest.mark.parametrize(
    "altered",
    [
        RECORDS[:2],
        RECORDS[1:],
        (RECORDS[1], RECORDS[0], RECORDS[2]),
        (RECORDS[0], RECORDS[0], *RECORDS[1:]),
        (RECORDS[0], (3, *RECORDS[1][1:]), RECORDS[2]),
        (RECORDS[0], (4, "claim.declined", *RECORDS[1][2:]), RECORDS[2]),
        (RECORDS[0], (*RECORDS[1][:2], b"TQ9ZEDCMQZ88VN8E", RECORDS[1][3]), RECORDS[2]),
        (RECORDS[0], (*RECORDS[1][:3], b'{"claim_no":"C1","approved_minor":101}'), RECORDS[2]),
    ],
)
def test_a_lost_added_moved_or_altered_record_changes_the_chain(
    altered: tuple[tuple[int, str, bytes, bytes], ...],
) -> None:
    assert chain_of(altered) != chain_of(RECORDS)


def test_what_ends_a_type_cannot_be_moved_into_the_key() -> None:
    assert next_chain(CHAIN_START, 1, "claim.paid", b"x", b"") != next_chain(CHAIN_START, 1, "claim.pai", b"dx", b"")


def test_a_place_survives_its_headers() -> None:
    assert place_of(dict(place_headers(PLACE))) == PLACE


def test_place_headers_are_plain_text() -> None:
    headers = dict(place_headers(PLACE))
    assert headers["position"] == b"4"
    assert headers["previous"] == b"1"
    assert headers["digest"].startswith(b"000102")
    assert headers["chain"].startswith(b"1f1e1d")


@pytest.mark.parametrize("lost", ["position", "previous", "digest", "chain"])
def test_a_record_without_its_place_is_an_error(lost: str) -> None:
    headers = {name: value for name, value in place_headers(PLACE) if name != lost}
    with pytest.raises(KeyError, match=lost):
        place_of(headers)


@pytest.mark.parametrize(("name", "value"), [("position", b"four"), ("digest", b"not hexadecimal")])
def test_a_place_that_cannot_be_read_is_an_error(name: str, value: bytes) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|non-hexadecimal"):
        place_of({**dict(place_headers(PLACE)), name: value})


def test_cloud_events_attributes_are_headers() -> None:
    time = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)
    headers = cloud_event_headers(
        ClaimPaid, event_id="billing/3/17", source="billing", subject="account-TQ9ZEDCMQZ88VN8D", time=time
    )
    assert dict(headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"billing/3/17",
        "ce_source": b"billing",
        "ce_type": b"claim.paid",
        "ce_subject": b"account-TQ9ZEDCMQZ88VN8D",
        "ce_time": b"2026-01-02T09:30:00+00:00",
        "ce_dataschema": b"claim.paid.v1",
        "content-type": b"application/json",
    }
    assert event_type_of(headers) == "claim.paid"


def test_the_schema_is_named_by_type_and_version() -> None:
    assert schema_name(ClaimPaid) == "claim.paid.v1"


def test_a_record_without_a_type_has_none() -> None:
    assert event_type_of([("position", b"1")]) is None


def test_a_type_of_foreign_bytes_is_shown_and_not_an_error() -> None:
    assert event_type_of([("ce_type", b"claim\xff")]) == "claim\ufffd"
