"""SQL of declared projections: tables, views, and multi-row statements for merged changes.

Identifiers come from the declarations in the code, never from data, so they may be formatted in.
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from services.kernel.log.event_log import Connection
from services.kernel.postgres import storable
from services.kernel.projecting.merging import MergedRow, RowKey
from services.kernel.projection import Projection

_IDENTIFIER_BYTES_MAX = 63
_VIEW_COLUMNS = """
select attname, atttypid from pg_attribute
 where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum
"""

_Groups = dict[tuple[tuple[str, ...], tuple[str, ...]], list[list[Any]]]
"""Rows of values by the columns that they set and the columns that they add to."""


def table_name(projection: Projection) -> str:
    """The table of one version; the view without the version is what readers use.

    A projection whose name begins with a schema stands there instead: `pg_temp.` for a fold that nobody keeps.
    """
    name = f"{projection.name}_v{projection.version}"
    if len(name.encode()) > _IDENTIFIER_BYTES_MAX:
        raise ValueError(f"{name} is longer than PostgreSQL's {_IDENTIFIER_BYTES_MAX} bytes; shorten the read model")
    return name if "." in name else f"read.{name}"


def create_table(projection: Projection) -> str:
    """The statement that makes the table with its primary key, without further indexes."""
    lines = ["partition smallint not null"]
    for column, kind in projection.columns.items():
        definition = f"{kind} not null" if column in projection.key else kind
        lines.append(f"{column} {definition}")
    lines.append(f"primary key ({', '.join(key_columns(projection))})")
    return f"create table {table_name(projection)} ({', '.join(lines)})"


def create_indexes(projection: Projection) -> list[str]:
    """The statements that make the declared indexes."""
    return [f"create index on {table_name(projection)} ({', '.join(columns)})" for columns in projection.indexes]


def analyze(projection: Projection) -> str:
    """The statement that lets PostgreSQL plan well for a table that was just filled.

    Of the columns that rows are looked up by; sampling them all takes as long as filling 20,000 rows, and is done by
    PostgreSQL in the background a little later.
    """
    columns = dict.fromkeys([*key_columns(projection), *(c for columns in projection.indexes for c in columns)])
    return f"analyze {table_name(projection)} ({', '.join(columns)})"


def key_columns(projection: Projection) -> tuple[str, ...]:
    """The primary key."""
    return ("partition", *projection.key)


def same_key(projection: Projection, left: str, right: str) -> str:
    """The condition that two aliases stand for one row."""
    return " and ".join(f"{left}.{column} = {right}.{column}" for column in key_columns(projection))


async def point_view(connection: Connection, projection: Projection, table: str) -> None:
    """Let the view that readers use show `table`; what was granted on it stays where the columns allow."""
    view = f"read.{projection.name}"
    old, new = await connection.fetch(_VIEW_COLUMNS, view), await connection.fetch(_VIEW_COLUMNS, table)
    # A view may be replaced by one with more columns at its end, not by one with other columns.
    if old != new[: len(old)]:
        await connection.execute(f"drop view {view}")
    await connection.execute(f"create or replace view {view} as select * from {table}")


async def write(connection: Connection, projection: Projection, merged: Mapping[RowKey, MergedRow]) -> None:
    """Write merged rows: one statement for each set of columns that occurs."""
    settable = [column for column in projection.columns if column not in projection.key]
    changes: _Groups = {}
    inserts: _Groups = {}
    for key, row in merged.items():
        if row.changed:
            columns = tuple(column for column in settable if column in row.changed)
            if columns:
                changes.setdefault((columns, ()), []).append([*key, *(row.changed[c] for c in columns)])
        if row.inserts:
            columns = tuple(column for column in settable if column in row.columns)
            amounts = tuple(column for column in settable if column in row.amounts)
            values = [*key, *(row.columns[c] for c in columns), *(row.amounts[c] for c in amounts)]
            inserts.setdefault((columns, amounts), []).append(values)
    shape = _Shape.of(projection)
    for inserting, groups in ((False, changes), (True, inserts)):
        for (columns, amounts), rows in groups.items():
            statement = _statement(shape, inserting, columns, amounts)
            names = (*key_columns(projection), *columns, *amounts)
            # unnest takes columns, not rows.
            sent = zip(names, zip(*rows, strict=True), strict=True)
            await connection.execute(
                statement, *(list(_encoded(projection.columns.get(name, ""), values)) for name, values in sent)
            )


async def remove(connection: Connection, projection: Projection, partition: int, where: Mapping[str, Any]) -> None:
    """Remove the rows of a partition in which these columns hold these values."""
    conditions = "".join(f" and {column} = ${number}" for number, column in enumerate(where, 2))
    values = [_text_safe(value) for value in where.values()]
    await connection.execute(
        f"delete from {table_name(projection)} where partition = $1{conditions}", partition, *values
    )


async def copy_new(connection: Connection, projection: Projection, rows: Mapping[RowKey, MergedRow]) -> None:
    """Write rows that are not in the table yet, by binary COPY.

    The connection must take JSON as text, as PostgreSQL's own driver does: see `postgres.connect_for_replay`.
    """
    if not rows:
        return
    others = [column for column in projection.columns if column not in projection.key]
    names = (*key_columns(projection), *others)
    keys, values = zip(*rows, strict=True), _values(others, rows.values())
    columns = [
        _encoded(projection.columns.get(name, ""), own) for name, own in zip(names, [*keys, *values], strict=True)
    ]
    schema, _, table = table_name(projection).rpartition(".")
    await connection.copy_records_to_table(table, schema_name=schema, columns=names, records=zip(*columns, strict=True))


def _values(columns: Sequence[str], rows: Collection[MergedRow]) -> list[Sequence[Any]]:
    """What rows that a batch makes hold, by column. A column that nobody set is null."""
    if len(columns) > 1:
        with contextlib.suppress(KeyError):
            # One pass over the rows: they do not fit into the processor's caches.
            return list(zip(*map(itemgetter(*columns), [row.columns for row in rows]), strict=True))
    return [[row.columns[c] if c in row.columns else row.amounts.get(c) for row in rows] for c in columns]


def _encoded(kind: str, values: Sequence[Any]) -> Sequence[Any]:
    """A column of values as PostgreSQL takes them."""
    if kind != "text":
        return values
    try:
        joined = "".join(values)
        if joined.isascii() and "\x00" not in joined:
            return values
    except TypeError:
        # Some are null.
        pass
    return [_text_safe(value) for value in values]


def _text_safe(value: Any) -> Any:
    # One event with a NUL in a text would otherwise stop every read model of the service for ever.
    return storable(value) if isinstance(value, str) else value


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
