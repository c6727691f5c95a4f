"""The envelope: CloudEvents 1.0 in Kafka's binary mode, plus what proves completeness and order.

Attributes are headers, the event's JSON is the value, the contract id is the key. Beside the CloudEvents
attributes each record of an events topic carries `position` (in the service's log partition), `previous`
(the position of the record before it on this topic partition, 0 for the first), `digest` (the log's hash
chain at that position) and `chain` (a hash chain over the public records alone):

    chain(n) = sha256(chain(n-1) || position as 8 bytes, big endian || type || 0x00 || key || 0x00 || value)

with chain(0) = 32 zero bytes, so that a consumer in any language can prove that it has every record unaltered.

A record that was sent again to a consumer's own topic (`pledger republish`) has the header `replayed` as well, with
the id of the run that sent it; everything else of it, timestamp included, is as on the live topic.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from contracts.vocabulary.model import PublicEvent

CHAIN_START = bytes(32)
CONTENT_TYPE = b"application/json"
REPLAYED = "replayed"
"""The header of a record that was sent again, on a topic of a consumer's own."""

Header: TypeAlias = tuple[str, bytes]
Headers: TypeAlias = Sequence[Header]

_SPECVERSION: Header = ("ce_specversion", b"1.0")
_CONTENT_TYPE: Header = ("content-type", CONTENT_TYPE)
_KINDS_MAX = 1_000


class RecordPlace(NamedTuple):
    """Where a public record stands: its log position, the one before it, and both hash chains."""

    position: int
    previous: int
    digest: bytes
    chain: bytes


def next_chain(chain: bytes, position: int, event_type: str, key: bytes, value: bytes) -> bytes:
    """The public chain after one more record."""
    place = position.to_bytes(8, "big")
    return hashlib.sha256(b"%b%b%b\x00%b\x00%b" % (chain, place, event_type.encode(), key, value)).digest()


def cloud_event_headers(
    event: type[PublicEvent], *, event_id: str, source: str, subject: str, time: datetime
) -> list[Header]:
    """CloudEvents attributes of one message."""
    origin, kind, schema = _attributes_of_all(event, source)
    return [
        _SPECVERSION,
        ("ce_id", event_id.encode()),
        origin,
        kind,
        ("ce_subject", subject.encode()),
        ("ce_time", time.isoformat().encode()),
        schema,
        _CONTENT_TYPE,
    ]


@lru_cache(_KINDS_MAX)
def _attributes_of_all(event: type[PublicEvent], source: str) -> tuple[Header, Header, Header]:
    """What all events of one type from one source have in common."""
    return (
        ("ce_source", source.encode()),
        ("ce_type", event.event_type.encode()),
        ("ce_dataschema", schema_name(event).encode()),
    )


def place_headers(place: RecordPlace) -> list[Header]:
    """Position, link to the record before, and chains, as headers."""
    return [
        ("position", b"%d" % place.position),
        ("previous", b"%d" % place.previous),
        ("digest", place.digest.hex().encode()),
        ("chain", place.chain.hex().encode()),
    ]


def place_of(headers: Mapping[str, bytes]) -> RecordPlace:
    """The place of a record of an events topic. Raises KeyError or ValueError where it has none."""
    return RecordPlace(
        position=int(headers["position"]),
        previous=int(headers["previous"]),
        digest=bytes.fromhex(headers["digest"].decode()),
        chain=bytes.fromhex(headers["chain"].decode()),
    )


def link_of(headers: Headers) -> tuple[int, int]:
    """Position of a record of an events topic and of the one before it; the part of its place that order needs."""
    position = previous = -1
    for name, value in headers:
        if name == "position":
            position = int(value)
        elif name == "previous":
            previous = int(value)
    if position < 0 or previous < 0:
        raise ValueError("the record has no position or no previous header, so it is not from an events topic")
    return position, previous


def schema_name(event: type[PublicEvent]) -> str:
    """`<type>.v<version>`, the name of the JSON Schema in contracts/schemas."""
    return f"{event.event_type}.v{event.schema_version}"


def event_type_of(headers: Iterable[tuple[str, bytes]]) -> str | None:
    """The CloudEvents type of a record, if it has one that can be read."""
    for name, value in headers:
        if name == "ce_type":
            return value.decode("ascii", "replace")
    return None
