"""Dead letters: messages that could not be handled, kept whole with the reason, and copied to their topic."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from services.kernel.event_log import Connection
from services.kernel.messages import Delivery
from services.kernel.postgres import storable
from services.kernel.wire import Record, millis

_PUT = """
insert into log.dead_letters
       (id, source, partition, source_offset, key, value, headers, reason, error, received_at)
select id, source, partition, source_offset, key, value, headers::jsonb, reason, error, received_at
  from unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::bytea[], $6::bytea[],
              $7::text[], $8::text[], $9::text[], $10::timestamptz[])
       as d(id, source, partition, source_offset, key, value, headers, reason, error, received_at)
    on conflict (id) do nothing
"""
_UNPUBLISHED = """
select id, source, partition, source_offset, key, value, headers, reason, error, received_at
  from log.dead_letters where not published order by received_at, id limit $1
"""
_NEWEST = """
select id, source, partition, source_offset, reason, error, received_at, coalesce(octet_length(value), 0) as bytes
  from log.dead_letters order by received_at desc, id limit $1
"""
_PUBLISHED = "update log.dead_letters set published = true where id = any($1::text[])"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message, why it could not be handled (`reason`, a code) and the details (`error`)."""

    delivery: Delivery
    reason: str
    error: str
    received_at: datetime

    @property
    def id(self) -> str:
        """The same bytes on the same topic are the same dead letter, however often they are sent."""
        digest = hashlib.sha256(f"{self.delivery.topic}\x1f{self.reason}\x1f".encode())
        digest.update(self.delivery.key or b"")
        digest.update(b"\x1f")
        digest.update(self.delivery.value or b"")
        return digest.hexdigest()[:32]


async def put(connection: Connection, letters: Sequence[DeadLetter]) -> None:
    """Keep dead letters; one that is known already stays as it is."""
    if not letters:
        return
    deliveries = [letter.delivery for letter in letters]
    await connection.execute(
        _PUT,
        [letter.id for letter in letters],
        [delivery.topic for delivery in deliveries],
        [delivery.partition for delivery in deliveries],
        [delivery.offset for delivery in deliveries],
        [delivery.key for delivery in deliveries],
        [delivery.value for delivery in deliveries],
        [_headers(delivery) for delivery in deliveries],
        [letter.reason for letter in letters],
        [storable(letter.error) for letter in letters],
        [letter.received_at for letter in letters],
    )


def _headers(delivery: Delivery) -> str:
    # Header values are any bytes; base64 keeps them whole inside JSON. NUL cannot stand in jsonb text.
    return json.dumps(
        [[name.replace("\x00", "\\0"), b64encode(value or b"").decode()] for name, value in delivery.headers]
    )


async def unpublished(connection: Connection, topic: str, limit: int) -> list[tuple[str, Record]]:
    """Dead letters that are not on the topic yet, with their ids."""
    return [(row["id"], _record(topic, dict(row))) for row in await connection.fetch(_UNPUBLISHED, limit)]


def _record(topic: str, row: dict[str, Any]) -> Record:
    source = f"{row['source']}/{row['partition']}/{row['source_offset']}"
    headers = [
        ("dead_letter_id", row["id"].encode()),
        ("source", source.encode()),
        ("reason", row["reason"].encode()),
        ("error", row["error"].encode()[:4096]),
    ]
    return Record(topic, 0, row["key"] or b"", row["value"] or b"", headers, millis(row["received_at"]))


async def newest(connection: Connection, limit: int) -> list[asyncpg.Record]:
    """The newest dead letters: source, partition, source_offset, reason, error, received_at, size in bytes."""
    return await connection.fetch(_NEWEST, limit)


async def mark_published(connection: Connection, ids: Sequence[str]) -> None:
    """Note that these are on the topic."""
    await connection.execute(_PUBLISHED, ids)
