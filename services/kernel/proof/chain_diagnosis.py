"""Says what is wrong with the first event that does not fit its chain: altered, missing, inserted or out of order.

Only one thing is known for sure: the chain up to the event before. So the suspects are tried out: whether
the event's successor was built on it, whether the true event stands further on, whether it would fit further back.
"""

import struct
from collections.abc import AsyncIterator

import asyncpg

from services.kernel.log.chain import Link, next_digest
from services.kernel.log.event_log import Connection, Head, StoredEvent
from services.kernel.proof.finding import Finding, Wrong, short

_NEIGHBOURS_MAX = 100
"""How many events may have been inserted before, or taken out and closed up, for it to be told apart."""

_PAGE = 5_000
_ROWS = """
select partition, position, stream, version, type, schema, data, meta, recorded_at, digest
  from log.events where partition = $1 and position >= $2 order by position limit $3
"""
_DIGESTS = """
select position, digest from log.events where partition = $1 and position between $2 and $3 order by position desc
"""


async def diagnose(connection: Connection, partition: int, position: int, digest: bytes, head: Head | None) -> Finding:
    """What is wrong at `position`, the first that does not follow from `digest`, which the event before has."""
    rows = await connection.fetch(_ROWS, partition, position, 2)
    if not rows:
        return Finding(partition, position, Wrong.MISSING, f"an event at {position}", "the end of the log")
    row = rows[0]
    if row["position"] > position:
        gone = row["position"] - position
        what = f"{gone} events from {position}" if gone > 1 else f"an event at {position}"
        return Finding(partition, position, Wrong.MISSING, what, f"{row['position']} as the next", row["stream"])
    first, second = _stored(row), _stored(rows[1]) if len(rows) > 1 else None
    if first is None:
        return Finding(partition, position, Wrong.ALTERED, "an event as it is appended", "values that no event has")
    if second is not None and second.link.position == position:
        return Finding(partition, position, Wrong.INSERTED, "one event", "several of one position", first.link.stream)
    return (
        await _forced_in_before(connection, first)
        or await _true_event_further_on(connection, first, digest)
        or _closed_up(first, second)
        or _altered(first, second, next_digest(digest, first.link), digest, head)
    )


def _stored(row: asyncpg.Record) -> StoredEvent | None:
    """The event of a row; None where an administrator put something into it that no event has, such as NULL."""
    *link, digest = row
    event = StoredEvent(Link(*link), digest)
    try:
        next_digest(digest, event.link)
    except (TypeError, AttributeError, ValueError, struct.error):
        return None
    return event


def _follows(digest: bytes, event: StoredEvent, position: int) -> bool:
    """Whether the event was appended at `position` after `digest`, wherever it stands now."""
    return next_digest(digest, event.link._replace(position=position)) == event.digest


async def forced_in(connection: Connection, partition: int, position: int) -> Finding | None:
    """Whether the event at `position` was inserted with a digest made to fit, so that the next one fits no more."""
    row = await connection.fetchrow(_ROWS, partition, position + 1, 1)
    event = None if row is None else _stored(row)
    return None if event is None else await _forced_in_before(connection, event)


async def _forced_in_before(connection: Connection, first: StoredEvent) -> Finding | None:
    """Events with digests made to fit were inserted before this one, which then fits further back."""
    link = first.link
    rows = await connection.fetch(_DIGESTS, link.partition, link.position - _NEIGHBOURS_MAX, link.position - 2)
    genesis = await connection.fetchval("select digest from log.genesis where partition = $1", link.partition)
    for position, digest in [*((row["position"], row["digest"]) for row in rows), (0, genesis)]:
        if position < link.position - 1 and _follows(digest, first, position + 1):
            inserted = position + 1
            return Finding(
                link.partition,
                inserted,
                Wrong.INSERTED,
                f"{link.stream} version {link.version}, which now stands at {link.position}",
                f"{link.position - inserted} inserted with a digest made to fit",
                await _stream_at(connection, link.partition, inserted),
            )
    return None


async def _stream_at(connection: Connection, partition: int, position: int) -> str:
    found: str | None = await connection.fetchval(
        "select stream from log.events where partition = $1 and position = $2", partition, position
    )
    return found or ""


async def _true_event_further_on(connection: Connection, first: StoredEvent, digest: bytes) -> Finding | None:
    """The event that belongs here stands further on: this one was put before it, or both changed places."""
    link, before = first.link, first.digest
    async for event in _after(connection, link.partition, link.position):
        computed = next_digest(digest, event.link._replace(position=link.position))
        if computed in (event.digest, first.digest):
            # After a swap of neighbours it is the true event that this one was appended after.
            moved = event.digest != computed or any(_follows(d, first, event.link.position) for d in (before, computed))
            moved &= first.digest != event.digest
            away = event.link.position - link.position
            expected = f"{event.link.stream} version {event.link.version}, which stands at {event.link.position}"
            found = f"{link.stream} version {link.version}"
            if moved:
                return Finding(link.partition, link.position, Wrong.REORDERED, expected, found, link.stream)
            text = f"{away} inserted, first {found}"
            return Finding(link.partition, link.position, Wrong.INSERTED, expected, text, link.stream)
        before = event.digest
    return None


async def _after(connection: Connection, partition: int, position: int) -> AsyncIterator[StoredEvent]:
    while rows := await connection.fetch(_ROWS, partition, position + 1, _PAGE):
        for row in rows:
            event = _stored(row)
            if event is not None:
                yield event
        position = rows[-1]["position"]


def _closed_up(first: StoredEvent, second: StoredEvent | None) -> Finding | None:
    """Events were taken out and those behind moved up: each follows the one before it, further on."""
    if second is None:
        return None
    link = first.link
    for gone in range(1, _NEIGHBOURS_MAX + 1):
        if _follows(first.digest, second, second.link.position + gone):
            expected = f"{gone} more before {link.stream} version {link.version}"
            return Finding(
                link.partition, link.position, Wrong.MISSING, expected, "the positions closed up", link.stream
            )
    return None


def _altered(
    first: StoredEvent, second: StoredEvent | None, computed: bytes, digest: bytes, head: Head | None
) -> Finding:
    """The event itself was changed; who was built on it tells whether its content or its digest."""
    link = first.link
    if second is not None and second.link.position == link.position + 1:
        built_on_stored = next_digest(first.digest, second.link) == second.digest
        built_on_computed = next_digest(computed, second.link) == second.digest
    else:
        at_head = head is not None and head.position == link.position
        built_on_stored = at_head and head is not None and head.digest == first.digest
        built_on_computed = at_head and head is not None and head.digest == computed
    place = (link.partition, link.position, Wrong.ALTERED)
    if built_on_computed:
        return Finding(*place, f"digest {short(computed)}", f"digest {short(first.digest)}", link.stream)
    found = f"content that gives {short(computed)}"
    if link.position == 1:
        return Finding(
            *place, f"what follows from genesis {short(digest)}", f"{found}, or another genesis", link.stream
        )
    if built_on_stored:
        return Finding(*place, f"content that gives {short(first.digest)}", found, link.stream)
    expected = f"content that gives {short(first.digest)}"
    return Finding(*place, expected, f"{found}; what follows was changed too", link.stream)
