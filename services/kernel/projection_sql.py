"""SQL of declared projections: tables, and multi-row statements for merged changes.

Identifiers come from the declarations in the code, never from data, so they may be formatted in.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from services.kernel.event_log import Connection
from services.kernel.projection import Add, Change, Projection, Put, RowChange


def table_name(projection: Projection) -> str:
    """The table of one version; the view without the version is what readers use."""
    return f"read.{projection.name}_v{projection.version}"


def create_statements(projection: Projection) -> list[str]:
    """Table and indexes."""
    table = table_name(projection)
    key = ("partition", *projection.key)
    lines = ["partition smallint not null"]
    for column, kind in projection.columns.items():
        definition = f"{kind} not null" if column in projection.key else kind
        lines.append(f"{column} {definition}")
    lines.append(f"primary key ({', '.join(key)})")
    statements = [f"create table {table} ({', '.join(lines)})"]
    statements += [f"create index on {table} ({', '.join(columns)})" for columns in projection.indexes]
    return statements


@dataclass(slots=True)
class _Row:
    """The merged changes of one key within a batch."""

    columns: dict[str, Any] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)
    inserts: bool = False


def merge(projection: Projection, changes: Iterable[tuple[int, RowChange]]) -> dict[tuple[Any, ...], _Row]:
    """Changes of a batch, merged by key, so that each row is written once."""
    merged: dict[tuple[Any, ...], _Row] = {}
    for partition, change in changes:
        source = change.key if isinstance(change, Add) else change.row
        key = (partition, *(source[column] for column in projection.key))
        row = merged.setdefault(key, _Row())
        match change:
            case Add():
                row.inserts = True
                for column, amount in change.amounts.items():
                    row.amounts[column] = row.amounts.get(column, 0) + amount
            case Put():
                row.inserts = True
                row.columns.update(change.row)
            case Change():
                row.columns.update(change.row)
    return merged


async def write(connection: Connection, projection: Projection, merged: Mapping[tuple[Any, ...], _Row]) -> None:
    """Write merged rows: one statement for each set of columns that occurs."""
    groups: dict[tuple[bool, tuple[str, ...], tuple[str, ...]], list[list[Any]]] = {}
    for key, row in merged.items():
        columns = tuple(column for column in projection.columns if column in row.columns)
        columns = tuple(column for column in columns if column not in projection.key)
        amounts = tuple(column for column in projection.columns if column in row.amounts)
        values = [*key, *(_value(projection, c, row) for c in columns), *(row.amounts[c] for c in amounts)]
        groups.setdefault((row.inserts, columns, amounts), []).append(values)
    for (inserts, columns, amounts), rows in groups.items():
        statement = _statement(_Shape.of(projection), inserts, columns, amounts)
        # unnest takes columns, not rows.
        await connection.execute(statement, *([row[i] for row in rows] for i in range(len(rows[0]))))


def _value(projection: Projection, column: str, row: _Row) -> Any:
    # A list of JSON lists would reach PostgreSQL as an array of two dimensions; text is unambiguous.
    value = row.columns[column]
    return json.dumps(value) if projection.columns[column] == "jsonb" else value


@dataclass(frozen=True, slots=True)
class _Shape:
    """The hashable part of a declaration."""

    table: str
    key: tuple[str, ...]
    types: tuple[tuple[str, str], ...]

    @staticmethod
    def of(projection: Projection) -> "_Shape":
        return _Shape(table_name(projection), tuple(projection.key), tuple(projection.columns.items()))


@lru_cache(maxsize=512)
def _statement(shape: _Shape, inserts: bool, columns: Sequence[str], amounts: Sequence[str]) -> str:
    types = {"partition": "smallint", **dict(shape.types)}
    key = ("partition", *shape.key)
    names = (*key, *columns, *amounts)
    sent = {name: "text" if types[name] == "jsonb" else types[name] for name in names}
    arrays = ", ".join(f"${i}::{sent[name]}[]" for i, name in enumerate(names, 1))
    source = f"unnest({arrays}) as n({', '.join(names)})"
    if not inserts:
        settings = ", ".join(f"{c} = n.{c}::{types[c]}" for c in columns)
        match = " and ".join(f"t.{c} = n.{c}" for c in key)
        return f"update {shape.table} t set {settings} from {source} where {match}"
    settings = ", ".join(
        [f"{c} = excluded.{c}" for c in columns] + [f"{c} = coalesce(t.{c}, 0) + excluded.{c}" for c in amounts]
    )
    action = f"do update set {settings}" if settings else "do nothing"
    selected = ", ".join(f"n.{name}::{types[name]}" for name in names)
    return (
        f"insert into {shape.table} as t ({', '.join(names)}) select {selected} from {source} "
        f"on conflict ({', '.join(key)}) {action}"
    )
