"""SQL of declared projections: tables, and multi-row statements for merged changes.

Identifiers come from the declarations in the code, never from data, so they may be formatted in.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from services.kernel.event_log import Connection
from services.kernel.postgres import storable
from services.kernel.projection import Add, Change, Projection, Put, RowChange

_Groups = dict[tuple[tuple[str, ...], tuple[str, ...]], list[list[Any]]]
"""Rows of values by the columns that they set and the columns that they add to."""


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
    """The merged changes of one key within a batch.

    `changed` comes first and is for a row that is there already; then, where `inserts`, the row is made if it is
    missing, `columns` are set and `amounts` added. So a batch has the effect of its events one at a time.
    """

    changed: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)
    inserts: bool = False

    def set(self, columns: Mapping[str, Any]) -> None:
        """Set columns of a row that this batch has made sure of; what was to be added before is overwritten."""
        self.columns.update(columns)
        for column in self.amounts.keys() & columns.keys():
            del self.amounts[column]

    def add(self, amounts: Mapping[str, int]) -> None:
        """Add to counters; to a value that this batch sets, or to what the table has."""
        for column, amount in amounts.items():
            if column in self.columns:
                self.columns[column] = (self.columns[column] or 0) + amount
            else:
                self.amounts[column] = self.amounts.get(column, 0) + amount


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
                row.add(change.amounts)
            case Put():
                row.inserts = True
                row.set(change.row)
            case Change() if row.inserts:
                row.set(change.row)
            case Change():
                row.changed.update(change.row)
    return merged


async def write(connection: Connection, projection: Projection, merged: Mapping[tuple[Any, ...], _Row]) -> None:
    """Write merged rows: one statement for each set of columns that occurs."""
    settable = [column for column in projection.columns if column not in projection.key]
    changes: _Groups = {}
    inserts: _Groups = {}
    for key, row in merged.items():
        keys = [_value("", part) for part in key]
        columns = tuple(column for column in settable if column in row.changed)
        if columns:
            values = [_value(projection.columns[c], row.changed[c]) for c in columns]
            changes.setdefault((columns, ()), []).append([*keys, *values])
        if row.inserts:
            columns = tuple(column for column in settable if column in row.columns)
            amounts = tuple(column for column in settable if column in row.amounts)
            values = [_value(projection.columns[c], row.columns[c]) for c in columns]
            inserts.setdefault((columns, amounts), []).append([*keys, *values, *(row.amounts[c] for c in amounts)])
    shape = _Shape.of(projection)
    for inserting, groups in ((False, changes), (True, inserts)):
        for (columns, amounts), rows in groups.items():
            statement = _statement(shape, inserting, columns, amounts)
            # unnest takes columns, not rows.
            await connection.execute(statement, *([row[i] for row in rows] for i in range(len(rows[0]))))


def _value(kind: str, value: Any) -> Any:
    # One event with a NUL in a text would otherwise stop every read model of the service for ever.
    if isinstance(value, str) and kind != "jsonb":
        return storable(value)
    if kind != "jsonb":
        return value
    # A list of JSON lists would reach PostgreSQL as an array of two dimensions; text is unambiguous.
    text = json.dumps(value)
    return json.dumps(_storable_json(value)) if "\\u0000" in text else text


def _storable_json(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case list() | tuple():
            return [_storable_json(part) for part in value]
        case dict():
            return {storable(name): _storable_json(part) for name, part in value.items()}
        case _:
            return value


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
