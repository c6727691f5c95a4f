"""The append-only log in PostgreSQL: lock heads, load streams, append, read on. SQL only, no policy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from services.kernel.log.chain import Link, next_digest

_LOCK_HEADS = """
select partition, position, digest from log.log_head
 where partition = any($1::smallint[]) order by partition for update
"""
_HEADS = "select partition, position, digest from log.log_head order by partition"
_STREAMS = """
select e.partition, e.stream, e.version, e.type, e.schema, e.data
  from unnest($1::smallint[], $2::text[]) as wanted(partition, stream)
  join log.events e using (partition, stream)
 order by e.partition, e.stream, e.version
"""
_COLUMNS = ("partition", "position", "stream", "version", "type", "schema", "data", "meta", "recorded_at", "digest")
_ADVANCE = """
update log.log_head h set position = moved.position, digest = moved.digest
  from unnest($1::smallint[], $2::bigint[], $3::bytea[]) as moved(partition, position, digest)
 where h.partition = moved.partition
"""
_READ = """
select partition, position, stream, version, type, schema, data, meta, recorded_at, digest
  from log.events where partition = $1 and position > $2 order by position limit $3
"""
_READ_STREAM = """
select partition, position, stream, version, type, schema, data, meta, recorded_at, digest
  from log.events where partition = $1 and stream = $2 order by version
"""
_READ_STREAMS_FROM = """
select partition, position, stream, version, type, schema, data, meta, recorded_at, digest
  from log.events where partition = $1 and starts_with(stream, $2) order by position
"""

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


@dataclass(frozen=True, slots=True)
class Head:
    """Last position and digest of a partition."""

    position: int
    digest: bytes


class StoredEvent(NamedTuple):
    """An event as it lies in the log."""

    link: Link
    digest: bytes


async def lock_heads(connection: Connection, partitions: Iterable[int]) -> dict[int, Head]:
    """Heads of these partitions, locked in ascending order until the transaction ends."""
    rows = await connection.fetch(_LOCK_HEADS, sorted(partitions))
    return {row["partition"]: Head(row["position"], row["digest"]) for row in rows}


async def heads(connection: Connection) -> dict[int, Head]:
    """Heads of all partitions, unlocked."""
    return {row["partition"]: Head(row["position"], row["digest"]) for row in await connection.fetch(_HEADS)}


async def load_streams(connection: Connection, streams: Sequence[tuple[int, str]]) -> Sequence[asyncpg.Record]:
    """Rows (partition, stream, version, type, schema, data) of whole streams, oldest first."""
    return await connection.fetch(_STREAMS, [partition for partition, _ in streams], [name for _, name in streams])


def chained(head: Head, links: Sequence[Link]) -> list[StoredEvent]:
    """The events of one partition with their digests, following on from `head`."""
    digest, stored = head.digest, []
    for link in links:
        digest = next_digest(digest, link)
        stored.append(StoredEvent(link, digest))
    return stored


async def insert(connection: Connection, events: Sequence[StoredEvent]) -> None:
    """Insert events of partitions whose heads the caller has locked; `advance` belongs to it.

    By COPY: half of the client's work of an insert from arrays, and less of the server's.
    """
    rows = [(*link, digest) for link, digest in events]
    await connection.copy_records_to_table("events", schema_name="log", columns=_COLUMNS, records=rows)


async def advance(connection: Connection, moved: Mapping[int, Head]) -> None:
    """Move the locked heads to the last events that were inserted."""
    await connection.execute(
        _ADVANCE, list(moved), [head.position for head in moved.values()], [head.digest for head in moved.values()]
    )


async def append(connection: Connection, batches: Mapping[int, Sequence[StoredEvent]]) -> None:
    """Insert chained events of each partition and move the heads, which the caller has locked."""
    await insert(connection, [event for events in batches.values() for event in events])
    last = {partition: events[-1] for partition, events in batches.items() if events}
    await advance(connection, {partition: Head(link.position, digest) for partition, (link, digest) in last.items()})


async def read(connection: Connection, partition: int, after: int, limit: int) -> list[StoredEvent]:
    """Up to `limit` events of a partition after a position, in order."""
    return [_stored(row) for row in await connection.fetch(_READ, partition, after, limit)]


async def read_stream(connection: Connection, partition: int, stream: str) -> list[StoredEvent]:
    """All events of a stream, in order."""
    return [_stored(row) for row in await connection.fetch(_READ_STREAM, partition, stream)]


async def read_streams_from(connection: Connection, partition: int, prefix: str) -> list[StoredEvent]:
    """All events of the streams whose names begin so, in order."""
    return [_stored(row) for row in await connection.fetch(_READ_STREAMS_FROM, partition, prefix)]


def _stored(row: asyncpg.Record) -> StoredEvent:
    *covered, digest = row
    return StoredEvent(Link(*covered), digest)
