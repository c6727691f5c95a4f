"""The hash chain of the log: known answers, so that any other program can verify it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.kernel.log.chain import Link, genesis_digest, genesis_document, micros, next_digest

DOCUMENT = genesis_document("policy", 3, datetime(2026, 1, 5, 8, 30, tzinfo=UTC), "00" * 16)
GENESIS = genesis_digest(DOCUMENT)
LINK = Link(
    partition=3,
    position=1,
    stream="policy-7K3M9QX2ZB4T8HCW",
    version=1,
    type="policy.issued",
    schema=1,
    data=b'{"premium_minor":14410}',
    meta=b'{"cause":"quote/3/17"}',
    recorded_at=datetime(2026, 1, 5, 8, 30, 0, 123456, tzinfo=UTC),
)


def test_the_genesis_document_and_its_digest_are_known() -> None:
    assert DOCUMENT == (
        b'{"created":"2026-01-05T08:30:00+00:00","format":"policy-ledger/log/1",'
        b'"nonce":"00000000000000000000000000000000","partition":3,"service":"policy"}'
    )
    assert GENESIS.hex() == "1ee92749fb24d273f6981c071470d342f0235119d1a17935a16d4763d94afe3b"


def test_the_digest_of_the_first_event_is_known() -> None:
    assert next_digest(GENESIS, LINK).hex() == "53a059fd552ad9999658fb2f29fca84c5d51be9e6c52ce5cf2a21ffcfa9cc616"


@pytest.mark.parametrize(
    "change",
    [
        {"partition": 4},
        {"position": 2},
        {"stream": "policy-7K3M9QX2ZB4T8HCX"},
        {"version": 2},
        {"type": "policy.renewed"},
        {"schema": 2},
        {"data": b'{"premium_minor":14411}'},
        {"meta": b'{"cause":"quote/3/18"}'},
        {"recorded_at": LINK.recorded_at + timedelta(microseconds=1)},
        # The same bytes, cut elsewhere: lengths are part of the header.
        {"stream": "policy-7K3M9QX2ZB4T8HCWp", "type": "olicy.issued"},
        {"data": LINK.data + LINK.meta, "meta": b""},
    ],
)
def test_every_field_counts(change: dict[str, object]) -> None:
    assert next_digest(GENESIS, LINK._replace(**change)) != next_digest(GENESIS, LINK)  # type: ignore[arg-type]


def test_the_digest_depends_on_all_events_before() -> None:
    other = next_digest(GENESIS, LINK._replace(data=b"{}"))
    second = LINK._replace(position=2, version=2)
    assert next_digest(other, second) != next_digest(next_digest(GENESIS, LINK), second)


def test_an_instant_is_exact_in_any_zone_and_any_year() -> None:
    assert micros(LINK.recorded_at) == 1_767_601_800_123_456
    assert micros(LINK.recorded_at.astimezone(timezone(timedelta(hours=5, minutes=45)))) == 1_767_601_800_123_456
    # A float of seconds has no room for these.
    assert micros(datetime(2286, 11, 20, 17, 46, 39, 999_999, tzinfo=UTC)) == 9_999_999_999_999_999
    assert micros(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
