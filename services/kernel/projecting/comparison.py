"""Compares a read model with what a fresh fold of the log gives, row by row, at one position of the log."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from services.kernel import postgres
from services.kernel.projecting import projection_sql, shadow
from services.kernel.projecting.rebuild import chosen
from services.kernel.projecting.replay import Filled, Replay, filled
from services.kernel.projecting.shadow import Purpose
from services.kernel.projection import Projection

_EXAMPLES = 1


@dataclass(frozen=True, slots=True)
class Example:
    """One row that differs: as it is now and as it should be; None where it is not there, or should not be."""

    now: dict[str, Any] | None
    fresh: dict[str, Any] | None

    @property
    def columns(self) -> list[str]:
        """The columns that differ, where both rows are there."""
        if self.now is None or self.fresh is None:
            return []
        return [column for column in self.now if self.now[column] != self.fresh[column]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a rebuild would do to a read model of so many `rows`: add, change and remove rows, with an example each."""

    projection: str
    key: tuple[str, ...]
    rows: int
    added: int
    changed: int
    removed: int
    examples: tuple[Example, ...]

    @property
    def equal(self) -> bool:
        """Whether the read model is what a fresh fold of the log gives."""
        return not (self.added or self.changed or self.removed)


async def compare(replay: Replay) -> Comparison:
    """Fold the log again beside the read model and say what differs; nothing that stays is written.

    Traffic goes on: the projector is held for an instant, so that both sides are seen at one position.
    Raises ReplayRefused where that is not possible now, and says why.
    """
    async with filled(replay, Purpose.COMPARISON) as made:
        snapshot = await postgres.connect_for_replay(replay.dsn)
        try:
            table = projection_sql.table_name(replay.projection)
            async with snapshot.transaction(isolation="repeatable_read"):
                async with made.held():
                    # The first statement takes the snapshot; the lock keeps the table until it has been read.
                    await snapshot.execute(f"lock table {table} in access share mode")
                    await snapshot.execute("select")
                return await _compare(snapshot, made)
        finally:
            await snapshot.close()
            await shadow.drop_shadow(made.connection, made.shadow)


async def _compare(connection: asyncpg.Connection, made: Filled) -> Comparison:
    projection = made.replay.projection
    joined = (
        f"from (select l.* from {projection_sql.table_name(projection)} l where {chosen(made)}) l "
        f"full join {projection_sql.table_name(made.shadow)} s on {projection_sql.same_key(projection, 'l', 's')}"
    )
    kinds = {
        "added": "l.partition is null",
        "changed": "l.partition = s.partition and row(l.*) is distinct from row(s.*)",
        "removed": "s.partition is null",
    }
    counts = ", ".join(f"count(*) filter (where {condition}) as {kind}" for kind, condition in kinds.items())
    (found,) = await connection.fetch(f"select count(l.partition) as rows, {counts} {joined}")
    examples: list[Example] = []
    key = ", ".join(f"coalesce(l.{column}, s.{column})" for column in projection_sql.key_columns(projection))
    for kind, condition in kinds.items():
        if found[kind]:
            rows = await connection.fetch(
                f"select case when l.partition is not null then to_jsonb(l) end as now, "
                f"case when s.partition is not null then to_jsonb(s) end as fresh "
                f"{joined} where {condition} order by {key} limit {_EXAMPLES}"
            )
            examples += _examples(projection, rows)
    return Comparison(
        projection.name,
        tuple(projection.key),
        found["rows"],
        found["added"],
        found["changed"],
        found["removed"],
        tuple(examples),
    )


def _examples(projection: Projection, rows: Sequence[asyncpg.Record]) -> list[Example]:
    def in_order(side: str | None) -> dict[str, Any] | None:
        if side is None:
            return None
        row = json.loads(side)
        return {column: row[column] for column in ("partition", *projection.columns)}

    return [Example(in_order(row["now"]), in_order(row["fresh"])) for row in rows]
