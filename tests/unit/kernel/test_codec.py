"""Stored events: encoded with a limit, decoded by type and version, upcast step by step."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from services.kernel.codec import EVENT_BYTES_MAX, EventCodec
from services.kernel.errors import UnknownEvent
from services.kernel.log.chain import Link
from services.kernel.log.event_log import StoredEvent
from services.kernel.messages import DomainEvent, Upcaster
from tests.support.tally import Counted, TallyClosed


def _grams(content: dict[str, Any]) -> dict[str, Any]:
    return {"grams": content["kilos"] * 1_000}


def _scale(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "scale": "unknown"}


class Weighed(DomainEvent):
    """Version 1 had `kilos`, version 2 `grams`; version 3 knows the scale."""

    event_type: ClassVar[str] = "tally.weighed"
    schema_version: ClassVar[int] = 3
    upcasters: ClassVar[Mapping[int, Upcaster]] = {1: _grams, 2: _scale}
    grams: int
    scale: str


class Forgetful(Weighed):
    """Nobody said how version 1 is read."""

    upcasters: ClassVar[Mapping[int, Upcaster]] = {2: _scale}


CODEC = EventCodec((Counted, TallyClosed, Weighed))


def test_an_event_comes_back_from_its_bytes() -> None:
    event = Counted(tally="t1", amount=5, note="é")
    data = CODEC.encode(event)
    assert data == '{"tally":"t1","amount":5,"note":"é"}'.encode()
    assert CODEC.decode("tally.counted", 1, data) == event


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (1, b'{"kilos":7}'),
        (2, b'{"grams":7000}'),
        (3, b'{"grams":7000,"scale":"unknown"}'),
    ],
)
def test_every_version_that_was_ever_written_reads_as_the_newest(schema: int, data: bytes) -> None:
    assert CODEC.decode("tally.weighed", schema, data) == Weighed(grams=7_000, scale="unknown")


@pytest.mark.parametrize(
    ("event_type", "schema", "message"),
    [
        ("tally.stolen", 1, "tally.stolen.v1 is not an event of this service"),
        ("tally.weighed", 4, "tally.weighed.v4 is newer than this build, which knows v3"),
        ("tally.weighed", 0, "tally.weighed.v0: versions start at 1"),
    ],
)
def test_what_nobody_declared_is_not_guessed(event_type: str, schema: int, message: str) -> None:
    with pytest.raises(UnknownEvent) as raised:
        CODEC.decode(event_type, schema, b"{}")
    assert str(raised.value) == message


def test_a_field_that_the_event_never_had_is_refused() -> None:
    with pytest.raises(ValidationError):
        CODEC.decode("tally.closed", 1, b'{"tally":"t1","why":"?"}')


def test_an_event_may_be_as_large_as_the_limit_and_no_larger() -> None:
    frame = len(CODEC.encode(Counted(tally="t1", amount=5)))
    assert len(CODEC.encode(Counted(tally="t1", amount=5, note="n" * (EVENT_BYTES_MAX - frame)))) == EVENT_BYTES_MAX
    with pytest.raises(ValueError, match=r"tally\.counted of 524289 bytes is above the limit of 524288"):
        CODEC.encode(Counted(tally="t1", amount=5, note="n" * (EVENT_BYTES_MAX - frame + 1)))


def test_two_events_cannot_share_a_type() -> None:
    with pytest.raises(ValueError, match="share one event_type"):
        EventCodec((Counted, Counted))


def test_a_version_without_a_way_forward_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match=r"tally\.weighed is at schema version 3 and has upcasters from \[2\]"):
        EventCodec((Forgetful,))


def test_a_stored_event_is_seen_with_its_place_and_metadata() -> None:
    recorded_at = datetime(2026, 1, 5, tzinfo=UTC)
    link = Link(3, 9, "tally-t1", 4, "tally.closed", 1, b'{"tally":"t1"}', b'{"cause":"quote/3/17"}', recorded_at)
    recorded = CODEC.recorded(StoredEvent(link, bytes(32)))
    assert recorded.event == TallyClosed(tally="t1")
    assert (recorded.partition, recorded.position, recorded.stream, recorded.version) == (3, 9, "tally-t1", 4)
    assert (recorded.meta, recorded.recorded_at, recorded.digest) == ({"cause": "quote/3/17"}, recorded_at, bytes(32))
