"""Merges the changes of many events by row, so that each row is written once. Pure."""

from collections.abc import Container, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from services.kernel.messages import Recorded
from services.kernel.postgres import json_text, storable
from services.kernel.projection import Add, Change, Projection, Put, RowChange

RowKey: TypeAlias = tuple[Any, ...]
"""The partition, then the key columns in their declared order."""


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class MergedRow:
    """The merged changes of one key within a batch.

    `changed` comes first and is for a row that is there already; then, where `inserts`, the row is made if it is
    missing, `columns` are set and `amounts` added. So a batch has the effect of its events one at a time.
    Documents (columns of type jsonb) are kept as text already: as trees they would fill the processor's caches.
    """

    __slots__ = ("amounts", "changed", "columns", "inserts")

    def __init__(self, columns: Mapping[str, Any] = _NOTHING, *, inserts: bool = False) -> None:
        self.changed = _NOTHING
        self.columns = columns
        self.amounts: dict[str, int] = {}
        self.inserts = inserts

    def set(self, columns: Mapping[str, Any]) -> None:
        """Set columns of a row that this batch has made sure of; what was to be added before is overwritten."""
        self.columns = {**self.columns, **columns} if self.columns else columns
        if self.amounts:
            self.amounts = {column: amount for column, amount in self.amounts.items() if column not in columns}

    def add(self, amounts: Mapping[str, int]) -> None:
        """Add to counters; to a value that this batch sets, or to what the table has."""
        for column, amount in amounts.items():
            if column in self.columns:
                self.columns = {**self.columns, column: (self.columns[column] or 0) + amount}
            else:
                self.amounts[column] = self.amounts.get(column, 0) + amount


class Batch:
    """The merged changes of the events taken so far; what projector, rebuild and every other fold write from."""

    def __init__(self, projection: Projection, only: Container[RowKey] | None = None) -> None:
        """Changes of rows that are not in `only` are left out, where it is given."""
        self._projection = projection
        self._key = tuple(projection.key)
        self._documents = tuple(column for column, kind in projection.columns.items() if kind == "jsonb")
        self._only = only
        self.rows: dict[RowKey, MergedRow] = {}

    def take(self, recorded: Recorded[Any]) -> None:
        """Merge the changes of one more event; events of a partition come in order."""
        for change in self._projection.changes(recorded):
            self.merge(recorded.partition, change)

    def merge(self, partition: int, change: RowChange) -> None:
        """Merge one more change."""
        source = change.key if isinstance(change, Add) else change.row
        key = (partition, *[source[column] for column in self._key])
        row = self.rows.get(key)
        if row is None:
            key = _stored(key)
            if self._only is not None and key not in self._only:
                return
            row = self.rows.setdefault(key, MergedRow())
        match change:
            case Put():
                row.inserts = True
                row.set(self._with_documents(change.row))
            case Add():
                row.inserts = True
                row.add(change.amounts)
            case Change() if row.inserts:
                row.set(self._with_documents(change.row))
            case Change():
                row.changed = {**row.changed, **self._with_documents(change.row)}

    def _with_documents(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self._documents:
            return row
        written = dict(row)
        for column in self._documents:
            if column in written:
                written[column] = json_text(written[column])
        return written


def row_key(projection: Projection, partition: int, change: RowChange) -> RowKey:
    """The row that a change is for, as its table knows it."""
    source = change.key if isinstance(change, Add) else change.row
    return _stored((partition, *[source[column] for column in projection.key]))


def _stored(key: RowKey) -> RowKey:
    # Two texts that are stored alike are one row, and a statement may not meet one row twice.
    return tuple([storable(part) if isinstance(part, str) else part for part in key])


def merge(projection: Projection, changes: Iterable[tuple[int, RowChange]]) -> dict[RowKey, MergedRow]:
    """Changes with their partitions, merged by key."""
    batch = Batch(projection)
    for partition, change in changes:
        batch.merge(partition, change)
    return batch.rows
