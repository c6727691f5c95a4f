"""What a read model said at a moment, folded from the log up to then; nothing that stays is written.

The moment is `recorded_at`, when we learnt it. Each partition is read up to one position: what lies before it had
been recorded by then, what comes after it had not. So the state is one that there has been, even where a clock
was set back in between.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import asyncpg

from services.kernel import postgres
from services.kernel.errors import ReplayRefused
from services.kernel.log import event_log
from services.kernel.log.event_log import Connection
from services.kernel.projecting import projection_sql
from services.kernel.projecting.filling import Filler
from services.kernel.projecting.merging import Batch, RowKey
from services.kernel.projecting.replay import Replay
from services.kernel.projection import Projection

_RECORDED_AT = "select recorded_at from log.events where partition = $1 and position = $2"
_ROWS_AT_A_TIME = 500

Row = dict[str, Any]


async def positions_at(connection: Connection, moment: datetime) -> dict[int, int]:
    """The last position of each partition that had been recorded at the moment, found by halving."""
    found = {}
    for partition, head in (await event_log.heads(connection)).items():
        known, unknown = 0, head.position + 1
        while unknown - known > 1:
            middle = (known + unknown) // 2
            if await connection.fetchval(_RECORDED_AT, partition, middle) <= moment:
                known = middle
            else:
                unknown = middle
        found[partition] = known
    return found


@dataclass(frozen=True, slots=True)
class _Keys:
    """Stands for all keys that have these values in these places."""

    wanted: Mapping[int, Any]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and all(key[place] == value for place, value in self.wanted.items())


@asynccontextmanager
async def read_model_at(
    replay: Replay, moment: datetime, where: Mapping[str, str]
) -> AsyncIterator[AsyncIterator[Row]]:
    """The rows of the whole read model at a moment, in the order of their keys; `where` gives columns' values as text.

    Each row says its partition: a total is the sum over all of them. They are folded into a table of the session's
    own, which goes with it. Raises ReplayRefused for a column that there is not, and for a value of another type.
    """
    connection = await postgres.connect_for_replay(replay.dsn)
    try:
        projection = replace(replay.projection, name=f"pg_temp.{replay.projection.name}")
        values = await _values(connection, replay.projection, where)
        await connection.execute(projection_sql.create_table(projection))
        await _fill(connection, replay, projection, await positions_at(connection, moment), values)
        yield _rows(connection, projection, values)
    finally:
        await connection.close()


async def _values(connection: Connection, projection: Projection, where: Mapping[str, str]) -> dict[str, Any]:
    kinds = {"partition": "smallint", **projection.columns}
    values = {}
    for column, text in where.items():
        if column not in kinds or kinds[column] == "jsonb":
            columns = ", ".join(name for name, kind in kinds.items() if kind != "jsonb")
            raise ReplayRefused(f"{projection.name} cannot be asked by {column}; it has {columns}")
        try:
            values[column] = await connection.fetchval(f"select $1::text::{kinds[column]}", text)
        except asyncpg.DataError as error:
            raise ReplayRefused(f"{text!r} is no {kinds[column]}, which {column} is: {error}") from error
    return values


async def _fill(
    connection: asyncpg.Connection,
    replay: Replay,
    projection: Projection,
    positions: Mapping[int, int],
    values: Mapping[str, Any],
) -> None:
    places = {column: place for place, column in enumerate(projection_sql.key_columns(projection))}
    # Only what never changes about a row can be looked at before it is whole.
    keys = _Keys({places[column]: value for column, value in values.items() if column in places})
    chosen = [partition for partition in positions if keys.wanted.get(0, partition) == partition]
    total = sum(positions[partition] for partition in chosen)
    passed = dict.fromkeys(chosen, 0)
    for partition in chosen:

        def flushed(position: int, own: int = partition) -> None:
            passed[own] = position
            replay.progress(sum(passed.values()), total)

        only = keys if keys.wanted else None
        filler = Filler(connection, replay.codec, projection, partition, only, checkpointed=False)
        await filler.fill(0, positions[partition], flushed)


async def _rows(
    connection: asyncpg.Connection, projection: Projection, values: Mapping[str, Any]
) -> AsyncIterator[Row]:
    conditions = " and ".join(f"{column} = ${number}" for number, column in enumerate(values, 1)) or "true"
    sql = (
        f"select partition, {', '.join(projection.columns)} from {projection_sql.table_name(projection)} "
        f"where {conditions} order by {', '.join(projection.key)}, partition"
    )
    documents = [column for column, kind in projection.columns.items() if kind == "jsonb"]
    async with connection.transaction():
        async for record in connection.cursor(sql, *values.values(), prefetch=_ROWS_AT_A_TIME):
            row = dict(record)
            row.update({column: _value("jsonb", row[column]) for column in documents})
            yield row


async def stream_at(
    replay: Replay, projections: Sequence[Projection], partition: int, stream: str, moment: datetime
) -> dict[str, list[Row]]:
    """What one stream had put into each read model at a moment, by the read model's name; a matter of milliseconds.

    For rows that several streams feed, ask the whole read model.
    """
    connection = await postgres.connect_for_replay(replay.dsn)
    try:
        until = (await positions_at(connection, moment)).get(partition, 0)
        events = [
            replay.codec.recorded(stored)
            for stored in await event_log.read_stream(connection, partition, stream)
            if stored.link.position <= until
        ]
    finally:
        await connection.close()
    found = {}
    for projection in projections:
        batch = Batch(projection)
        for recorded in events:
            batch.take(recorded)
        found[projection.name] = [_row(projection, key, batch) for key, row in batch.rows.items() if row.inserts]
    return found


def _row(projection: Projection, key: RowKey, batch: Batch) -> Row:
    merged = batch.rows[key]
    known = {**dict(zip(projection.key, key[1:], strict=True)), **merged.columns, **merged.amounts}
    return {column: _value(kind, known.get(column)) for column, kind in projection.columns.items()}


def _value(kind: str, value: Any) -> Any:
    return json.loads(value) if kind == "jsonb" and value is not None else value
