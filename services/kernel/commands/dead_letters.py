"""Dead letters: messages that could not be handled, kept whole with the reason, and copied to their topic.

An open dead letter with a lane holds its contract: later messages of that lane are parked in the order in which
they came, until a person redrives or discards it (`services/kernel/receiving/redrive.py`).
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import asyncpg

from services.kernel.log.event_log import Connection
from services.kernel.messages import Delivery, FieldFault
from services.kernel.postgres import json_text, storable
from services.kernel.wire import Record, millis

# What was redriven and fails again when its sender repeats it is open again; what was discarded stays so.
_PUT = """
insert into log.dead_letters as known
       (id, source, partition, source_offset, key, value, headers, timestamp_ms, reason, error, received_at,
        state, lane, faults)
select id, source, partition, source_offset, key, value, headers::jsonb, timestamp_ms, reason, error, received_at,
       state, lane, faults::jsonb
  from unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::bytea[], $6::bytea[], $7::text[], $8::bigint[],
              $9::text[], $10::text[], $11::timestamptz[], $12::text[], $13::text[], $14::text[])
       as d(id, source, partition, source_offset, key, value, headers, timestamp_ms, reason, error, received_at,
            state, lane, faults)
    on conflict (id) do update set state = excluded.state, lane = excluded.lane, error = excluded.error,
       faults = excluded.faults,
       attempts = known.attempts + 1, settled_by = null, settled_reason = null, settled_at = null
 where known.state = 'redriven' and excluded.state = 'open'
"""
_PARK = """
insert into log.parked (lane, source, partition, source_offset, key, value, headers, timestamp_ms, parked_at)
select lane, source, partition, source_offset, key, value, headers::jsonb, timestamp_ms, parked_at
  from unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::bytea[], $6::bytea[], $7::text[], $8::bigint[],
              $9::timestamptz[])
       with ordinality
       as p(lane, source, partition, source_offset, key, value, headers, timestamp_ms, parked_at, place)
 order by place
"""
_HELD = "select distinct lane from log.dead_letters where state = 'open' and lane = any($1::text[])"
_UNPUBLISHED = """
select id, source, partition, source_offset, key, value, headers, reason, error, received_at
  from log.dead_letters where not published order by received_at, id limit $1
"""
_PUBLISHED = "update log.dead_letters set published = true where id = any($1::text[])"
_COUNTS = """
select (select count(*) from log.dead_letters) as dead_letters,
       (select count(*) from log.dead_letters where state = 'open') as dead_letters_open,
       (select count(*) from log.parked) as parked
"""


class LetterState(StrEnum):
    """Where a dead letter stands. Answered: its outcome is in the log and was told; nobody has to do anything."""

    OPEN = "open"
    ANSWERED = "answered"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message, why it could not be handled (`reason`, a code) and the details (`error`).

    `lane` is the contract that waits behind it, if any does. `state` is OPEN or ANSWERED. `own_topic` says that it
    came from one of our topics, where every record is a message of its own. `faults` are what its sender was told.
    """

    delivery: Delivery
    reason: str
    error: str
    received_at: datetime
    state: LetterState = LetterState.OPEN
    lane: str | None = None
    own_topic: bool = False
    faults: tuple[FieldFault, ...] = ()

    @property
    def id(self) -> str:
        """From a channel the same bytes are the same dead letter, however often they are sent."""
        digest = hashlib.sha256(f"{self.delivery.topic}\x1f{self.reason}\x1f".encode())
        digest.update(self.delivery.key or b"")
        digest.update(b"\x1f")
        digest.update(self.delivery.value or b"")
        if self.own_topic:
            digest.update(f"\x1f{self.delivery.partition}/{self.delivery.offset}".encode())
        return digest.hexdigest()[:32]


async def put(connection: Connection, letters: Sequence[DeadLetter]) -> None:
    """Keep dead letters; one that is known already stays as it is."""
    # Of equal ones in one statement PostgreSQL would refuse the second.
    unique = {letter.id: letter for letter in reversed(letters)}
    if not unique:
        return
    kept = list(reversed(unique.items()))
    await connection.execute(
        _PUT,
        [key for key, _ in kept],
        *_columns([letter.delivery for _, letter in kept]),
        [letter.reason for _, letter in kept],
        [storable(letter.error) for _, letter in kept],
        [letter.received_at for _, letter in kept],
        [letter.state for _, letter in kept],
        [letter.lane for _, letter in kept],
        [json_text([fault._asdict() for fault in letter.faults]) for _, letter in kept],
    )


async def park(connection: Connection, waiting: Sequence[tuple[str, Delivery]], at: datetime) -> None:
    """Keep messages, each with the lane that it waits for, in this order."""
    if not waiting:
        return
    lanes, deliveries = [lane for lane, _ in waiting], [delivery for _, delivery in waiting]
    await connection.execute(_PARK, lanes, *_columns(deliveries), [at] * len(waiting))


def _columns(deliveries: Sequence[Delivery]) -> tuple[list[Any], ...]:
    return (
        [delivery.topic for delivery in deliveries],
        [delivery.partition for delivery in deliveries],
        [delivery.offset for delivery in deliveries],
        [delivery.key for delivery in deliveries],
        [delivery.value for delivery in deliveries],
        [_headers(delivery) for delivery in deliveries],
        [delivery.timestamp_ms for delivery in deliveries],
    )


def _headers(delivery: Delivery) -> str:
    # Header values are any bytes; base64 keeps them whole inside JSON. NUL cannot stand in jsonb text.
    return json.dumps(
        [[name.replace("\x00", "\\0"), b64encode(value or b"").decode()] for name, value in delivery.headers]
    )


def delivery_of(row: asyncpg.Record) -> Delivery:
    """The message of a row of `log.dead_letters` or `log.parked`, as it was delivered."""
    return Delivery(
        row["source"],
        row["partition"],
        row["source_offset"],
        row["key"],
        row["value"],
        tuple((name, b64decode(text)) for name, text in row["headers"]),
        row["timestamp_ms"],
    )


async def lanes_held(connection: Connection, lanes: Collection[str]) -> set[str]:
    """Those of the lanes in which an open dead letter holds back what comes after it."""
    if not lanes:
        return set()
    return {row["lane"] for row in await connection.fetch(_HELD, list(lanes))}


async def counts(connection: Connection) -> dict[str, int]:
    """`dead_letters` in all, `dead_letters_open`, and messages `parked` behind these."""
    return dict(await connection.fetchrow(_COUNTS) or {})


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


async def mark_published(connection: Connection, ids: Sequence[str]) -> None:
    """Note that these are on the topic."""
    await connection.execute(_PUBLISHED, ids)
