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

    def on(self, *events: type[DomainEvent]) -> Callable[[ApplierT], ApplierT]:
        """Register the applier of these events; a second one for the same event is an error at import."""

        def register(applier: ApplierT) -> ApplierT:
            for event in events:
                if event in self.appliers:
                    raise ValueError(f"{self.name} has an applier for {event.__name__} already")
                self.appliers[event] = applier
            return applier

        return register

    def changes(self, recorded: Recorded[Any]) -> Iterable[RowChange]:
        """The row changes of one event."""
        applier = self.appliers.get(type(recorded.event))
        result = None if applier is None else applier(recorded.event, recorded)
        if result is None:
            return ()
        return (result,) if isinstance(result, Put | Change | Add) else result
