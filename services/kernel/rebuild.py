"""Rebuilds a read model from the log beside the live one, and swaps it in by one short transaction.

Readers see the old rows until the swap and the new ones after it, never a half-built table. Nothing but the
read model is touched: a replay sends no message and runs no command.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import asyncpg

from services.kernel import event_log, projection_sql
from services.kernel.codec import EventCodec
from services.kernel.event_log import Connection
from services.kernel.messages import Recorded
from services.kernel.projection import Projection

_PAGE = 5_000
_CATCH_UP_EVENTS = 2_000
_LIVE = "select partition, position from log.checkpoints where projection = $1 and version = $2 order by partition"


async def rebuild(
    pool: asyncpg.Pool, codec: EventCodec, projection: Projection, progress: Callable[[int, int], None]
) -> int:
    """Rebuild one projection; returns the number of events read. `progress` hears (read, total).

    Never goes beyond the live checkpoint: the projector will apply what comes after it, and must not do so twice.
    Raises ValueError where this version was never filled.
    """
    shadow = replace(projection, name=f"{projection.name}__rebuild")
    table, built = projection_sql.table_name(projection), projection_sql.table_name(shadow)
    async with pool.acquire() as connection:
        positions = dict.fromkeys(await _live(connection, projection), 0)
        if not positions:
            raise ValueError(f"{projection.name} v{projection.version} is not in the database; start its service once")
        # The remains of a rebuild that was killed are of no use.
        await connection.execute(f"drop table if exists {built}")
        for statement in projection_sql.create_statements(shadow):
            await connection.execute(statement)
        read = 0
        while True:
            live = await _live(connection, projection)
            left = sum(live[p] - positions[p] for p in positions)
            progress(read, read + left)
            if left <= _CATCH_UP_EVENTS:
                break
            read += await _fill(connection, codec, shadow, positions, live)
        async with connection.transaction():
            # The live checkpoint's lock holds the projector still while the last events are applied.
            live = await _live(connection, projection, lock=True)
            read += await _fill(connection, codec, shadow, positions, live)
            await connection.execute(f"drop view if exists read.{projection.name}")
            await connection.execute(f"drop table {table}")
            await connection.execute(f"alter table {built} rename to {table.removeprefix('read.')}")
            await connection.execute(f"create view read.{projection.name} as select * from {table}")
        progress(read, read)
    return read


async def _live(connection: Connection, projection: Projection, *, lock: bool = False) -> dict[int, int]:
    rows = await connection.fetch(_LIVE + (" for update" if lock else ""), projection.name, projection.version)
    return {row["partition"]: row["position"] for row in rows}


async def _fill(
    connection: Connection,
    codec: EventCodec,
    projection: Projection,
    positions: dict[int, int],
    until: dict[int, int],
) -> int:
    """Apply the events after `positions` up to `until`, and move `positions`."""
    read = 0
    for partition, wanted in until.items():
        while positions[partition] < wanted:
            limit = min(_PAGE, wanted - positions[partition])
            page = await event_log.read(connection, partition, positions[partition], limit)
            events = [codec.recorded(stored) for stored in page]
            await _apply(connection, projection, events)
            positions[partition] = page[-1].link.position
            read += len(page)
    return read


async def _apply(connection: Connection, projection: Projection, events: Sequence[Recorded[Any]]) -> None:
    changes = [(event.partition, change) for event in events for change in projection.changes(event)]
    if changes:
        await projection_sql.write(connection, projection, projection_sql.merge(projection, changes))
