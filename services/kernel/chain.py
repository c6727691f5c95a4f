"""The hash chain of a log partition.

    digest(n) = sha256(tag || digest(n-1) || header || sha256(data) || sha256(meta))

`header` is partition (u16), position (u64), recorded_at in microseconds since 1970 (i64), version (u32), schema
(u32), then stream and type, each with a u32 length; all big endian. Hashes of data and meta, not their bytes:
one event's bytes can be withheld by court order and the chain still verifies. digest(0) is the sha256 of the
partition's genesis document, so chains of two databases cannot be exchanged.
"""

import hashlib
import json
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

TAG = b"policy-ledger/log/1"
_HEADER = struct.Struct(">HQqII")
_LENGTH = struct.Struct(">I")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Link:
    """Everything of one event that the chain covers."""

    partition: int
    position: int
    stream: str
    version: int
    type: str
    schema: int
    data: bytes
    meta: bytes
    recorded_at: datetime


def micros(instant: datetime) -> int:
    """Whole microseconds since 1970, exact (a float timestamp would round)."""
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def next_digest(previous: bytes, link: Link) -> bytes:
    """The digest of the partition after one more event."""
    stream, kind = link.stream.encode(), link.type.encode()
    return hashlib.sha256(
        b"".join(
            (
                TAG,
                previous,
                _HEADER.pack(link.partition, link.position, micros(link.recorded_at), link.version, link.schema),
                _LENGTH.pack(len(stream)),
                stream,
                _LENGTH.pack(len(kind)),
                kind,
                hashlib.sha256(link.data).digest(),
                hashlib.sha256(link.meta).digest(),
            )
        )
    ).digest()


def genesis_document(service: str, partition: int, created: datetime, nonce: str) -> bytes:
    """The document that starts a partition's chain."""
    content = {
        "format": TAG.decode(),
        "service": service,
        "partition": partition,
        "created": created.isoformat(),
        "nonce": nonce,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def genesis_digest(document: bytes) -> bytes:
    """digest(0)."""
    return hashlib.sha256(document).digest()
