"""The hash chain of a log partition.

    digest(n) = sha256(tag || digest(n-1) || header || sha256(data) || sha256(meta))

`header` is partition (u16), position (u64), recorded_at in microseconds since 1970 (i64), version (u32), schema
(u32), then stream and type, each with a u32 length; all big endian. Hashes of data and meta, not their bytes:
one event's bytes can be withheld by court order and the chain still verifies. digest(0) is the sha256 of the
partition's genesis document, so chains of two databases cannot be exchanged.
"""

import json
import struct
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

TAG = b"policy-ledger/log/1"
_HEADER_AND_LENGTH = struct.Struct(">HQqIII")
_LENGTH = struct.Struct(">I")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES_MAX = 1_000


class Link(NamedTuple):
    """Everything of one event that the chain covers. A tuple: one is made for every event, and read once."""

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
    return next_digest_of_hashes(previous, link, sha256(link[6]).digest(), sha256(link[7]).digest())


def next_digest_of_hashes(previous: bytes, link: Link, data_digest: bytes, meta_digest: bytes) -> bytes:
    """The same where only the hashes of data and meta are known; the link's own data and meta are not looked at."""
    partition, position, stream, version, kind, schema, _, _, recorded_at = link
    name = stream.encode()
    header = _HEADER_AND_LENGTH.pack(partition, position, micros(recorded_at), version, schema, len(name))
    return sha256(b"".join((TAG, previous, header, name, _sized(kind), data_digest, meta_digest))).digest()


@lru_cache(_TYPES_MAX)
def _sized(kind: str) -> bytes:
    encoded = kind.encode()
    return _LENGTH.pack(len(encoded)) + encoded


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
    return sha256(document).digest()
