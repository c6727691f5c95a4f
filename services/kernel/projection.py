"""Declared read models: a table, the events that it takes, and pure functions from event to change."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from services.kernel.messages import DomainEvent, Recorded


@dataclass(frozen=True, slots=True)
class Put:
    """Insert the row or, where its key exists, set these columns. Absent columns keep their value."""

    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """Set columns of an existing row, found by the key columns inside `row`; no row, no effect."""

    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Add:
    """Add `amounts` to the counters of the row with `key`, which starts at zero."""

    key: Mapping[str, Any]
    amounts: Mapping[str, int]


RowChange: TypeAlias = Put | Change | Add
Changes: TypeAlias = RowChange | Sequence[RowChange] | None
Applier: TypeAlias = Callable[[Any, Recorded[Any]], Changes]
ApplierT = TypeVar("ApplierT", bound=Callable[..., Changes])
Remover: TypeAlias = Callable[[Any], Mapping[str, Any]]
RemoverT = TypeVar("RemoverT", bound=Callable[..., Mapping[str, Any]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """One read model.

    `columns` maps each column to its PostgreSQL type, `key` names the primary key (the kernel puts
    `partition` in front of it), `indexes` are further column lists to index. Raise `version` when the
    table or an applier changes: the projector fills the new version beside the old one and swaps.
    """

    name: str
    version: int
    columns: Mapping[str, str]
    key: Sequence[str]
    indexes: Sequence[Sequence[str]] = ()
    appliers: dict[type[DomainEvent], Applier] = field(default_factory=dict)
    removers: dict[type[DomainEvent], Remover] = field(default_factory=dict)
    _key: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ValueError where the key or an index names a column that is not declared."""
        named = {*self.key, *(column for columns in self.indexes for column in columns)}
        if unknown := named - self.columns.keys():
            raise ValueError(f"read model {self.name} has no column {_listed(unknown)}")
        object.__setattr__(self, "_key", frozenset(self.key))

    def on(self, *events: type[DomainEvent]) -> Callable[[ApplierT], ApplierT]:
        """Register the applier of these events; a second one for the same event is an error at import."""

        def register(applier: ApplierT) -> ApplierT:
            for event in events:
                if event in self.appliers or event in self.removers:
                    raise ValueError(f"{self.name} has an applier for {event.__name__} already")
                self.appliers[event] = applier
            return applier

        return register

    def removes_on(self, event: type[DomainEvent]) -> Callable[[RemoverT], RemoverT]:
        """Register what an event removes: all rows of its own partition in which these columns hold these values.

        Rows that later events make are there again. An event that removes changes nothing else.
        """

        def register(remover: RemoverT) -> RemoverT:
            if event in self.removers or event in self.appliers:
                raise ValueError(f"{self.name} has an applier for {event.__name__} already")
            self.removers[event] = remover
            return remover

        return register

    @property
    def event_types(self) -> list[str]:
        """The events that it takes."""
        return [event.event_type for event in (*self.appliers, *self.removers)]

    def removal(self, recorded: Recorded[Any]) -> Mapping[str, Any] | None:
        """What every row that this event removes has in common; None for an event that removes nothing.

        Raises ValueError for a column that is not declared.
        """
        remover = self.removers.get(type(recorded.event))
        if remover is None:
            return None
        where = remover(recorded.event)
        if not where or where.keys() - self.columns.keys():
            raise ValueError(f"read model {self.name}: removes by {_listed(where)}; name columns that it declares")
        return where

    def changes(self, recorded: Recorded[Any]) -> Sequence[RowChange]:
        """The row changes of one event. Raises ValueError where one names what is not declared, or not its key."""
        applier = self.appliers.get(type(recorded.event))
        result = None if applier is None else applier(recorded.event, recorded)
        if result is None:
            return ()
        changes = (result,) if isinstance(result, Put | Change | Add) else result
        for change in changes:
            self._check(change)
        return changes

    def _check(self, change: RowChange) -> None:
        # This runs for every row of every replay, so the good case is three comparisons of sets.
        declared, key = self.columns.keys(), self._key
        if isinstance(change, Add):
            if change.key.keys() == key and change.amounts.keys() <= declared and key.isdisjoint(change.amounts):
                return
            extra = (change.key.keys() - key) | (change.amounts.keys() - (declared - key))
            missing = key - change.key.keys()
        else:
            if key <= change.row.keys() <= declared:
                return
            extra, missing = change.row.keys() - declared, key - change.row.keys()
        problem = f"names {_listed(extra)}, which it may not set" if extra else f"lacks its key {_listed(missing)}"
        raise ValueError(f"read model {self.name}: {type(change).__name__} {problem}; see the columns it declares")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
