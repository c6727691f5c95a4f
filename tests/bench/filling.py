"""Fills partitions of a log by COPY with ready-chained events, as a process of its own.

`python -m tests.bench.filling DSN PARTITIONS EVENTS`; the partitions are a JSON list.
"""

import asyncio
import hashlib
import itertools
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson

from services.kernel.log import event_log
from services.kernel.log.chain import Link, next_digest
from services.kernel.log.event_log import Head, StoredEvent
from tests.bench.workload import CAUSE, note_of
from tests.support.tally import Counted

EVENTS_A_STREAM = 4
_AT_ONCE = 20_000
_BESIDE = 100
"""Streams that grow side by side, as contracts do."""

_RECORDED_AT = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
_TOTALS = ("partition", "tally", "total", "counts", "status")


def stream_name(partition: int, number: int) -> str:
    """The name of a partition's n-th tally, spread as contract ids are."""
    return hashlib.sha256(f"fill/{partition}/{number}".encode()).hexdigest()[:16]


async def fill(dsn: str, partition: int, events: int) -> None:
    """Append so many events to one empty partition, in streams of four, and the rows of their read model."""
    connection = await asyncpg.connect(dsn)
    try:
        head = (await event_log.heads(connection))[partition]
        made = _events(partition, events, head.digest)
        last = head
        while batch := list(itertools.islice(made, _AT_ONCE)):
            await event_log.insert(connection, batch)
            last = Head(batch[-1].link.position, batch[-1].digest)
        await event_log.advance(connection, {partition: last})
        await connection.copy_records_to_table(
            "tally_total_v1", schema_name="read", columns=_TOTALS, records=_totals(partition, events)
        )
    finally:
        await connection.close()


def _events(partition: int, events: int, digest: bytes) -> Iterator[StoredEvent]:
    meta = orjson.dumps(CAUSE)
    for first in range(0, events // EVENTS_A_STREAM, _BESIDE):
        numbers = range(first, min(first + _BESIDE, events // EVENTS_A_STREAM))
        names = [stream_name(partition, number) for number in numbers]
        contents = [b'{"tally":"%b","amount":1,"note":"%b"}' % (n.encode(), note_of(n).encode()) for n in names]
        for version in range(1, EVENTS_A_STREAM + 1):
            for place, name in enumerate(names):
                position = first * EVENTS_A_STREAM + (version - 1) * len(names) + place + 1
                stream, content = f"tally-{name}", contents[place]
                link = Link(partition, position, stream, version, Counted.event_type, 1, content, meta, _RECORDED_AT)
                digest = next_digest(digest, link)
                yield StoredEvent(link, digest)


def _totals(partition: int, events: int) -> Iterator[tuple[Any, ...]]:
    for number in range(events // EVENTS_A_STREAM):
        yield partition, stream_name(partition, number), EVENTS_A_STREAM, EVENTS_A_STREAM, "open"


async def _main(dsn: str, partitions: list[int], events: int) -> None:
    for partition in partitions:
        await fill(dsn, partition, events)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])))
