"""The append-only log in PostgreSQL: lock heads, load streams, append, read on. SQL only, no policy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from services.kernel.chain import Link, next_digest

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
_INSERT = """
insert into log.events (partition, position, stream, version, type, schema, data, meta, recorded_at, digest)
select * from unnest($1::smallint[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::smallint[],
                     $7::bytea[], $8::bytea[], $9::timestamptz[], $10::bytea[])
"""
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

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


@dataclass(frozen=True, slots=True)
class Head:
    """Last position and digest of a partition."""

    position: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class StoredEvent:
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


async def append(connection: Connection, batches: Mapping[int, Sequence[StoredEvent]]) -> None:
    """Insert the events and move the heads, which the caller has locked."""
    events = [event for partition in sorted(batches) for event in batches[partition]]
    if not events:
        return
    links = [event.link for event in events]
    await connection.execute(
        _INSERT,
        [link.partition for link in links],
        [link.position for link in links],
        [link.stream for link in links],
        [link.version for link in links],
        [link.type for link in links],
        [link.schema for link in links],
        [link.data for link in links],
        [link.meta for link in links],
        [link.recorded_at for link in links],
        [event.digest for event in events],
    )
    last = [batch[-1] for batch in batches.values() if batch]
    await connection.execute(
        _ADVANCE,
        [event.link.partition for event in last],
        [event.link.position for event in last],
        [event.digest for event in last],
    )


async def read(connection: Connection, partition: int, after: int, limit: int) -> list[StoredEvent]:
    """Up to `limit` events of a partition after a position, in order."""
    return [_stored(row) for row in await connection.fetch(_READ, partition, after, limit)]


async def read_stream(connection: Connection, partition: int, stream: str) -> list[StoredEvent]:
    """All events of a stream, in order."""
    return [_stored(row) for row in await connection.fetch(_READ_STREAM, partition, stream)]


def _stored(row: asyncpg.Record) -> StoredEvent:
    partition, position, stream, version, kind, schema, data, meta, recorded_at, digest = row
    return StoredEvent(Link(partition, position, stream, version, kind, schema, data, meta, recorded_at), bytes(digest))
