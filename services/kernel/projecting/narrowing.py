"""Which rows of a read model are made again: those that events of a partition, a stream or a time touch. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Limits of a replay; without any, it is about the whole read model.

    They choose rows, not events: a row that one chosen event touches is folded over its whole history, so what comes
    out is right for counters too. `since` is included, `until` is not; both speak of `recorded_at`.
    """

    partitions: tuple[int, ...] | None = None
    stream: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return self.partitions is None and not self.by_event

    @property
    def by_event(self) -> bool:
        """Whether the rows are known only once the log was read."""
        return not (self.stream is None and self.since is None and self.until is None)

    def of(self, partitions: Sequence[int]) -> list[int]:
        """The partitions that are read, of those that there are. Raises ValueError for one that does not exist."""
        if self.partitions is None:
            return sorted(partitions)
        if unknown := set(self.partitions) - set(partitions):
            numbers = ", ".join(map(str, sorted(unknown)))
            raise ValueError(f"there is no partition {numbers}; the log has {min(partitions)} to {max(partitions)}")
        return sorted(set(self.partitions))

    def describe(self) -> dict[str, Any]:
        """The limits as plain values, so that a replay that was stopped knows whether it is the same one."""
        return {
            "partitions": None if self.partitions is None else sorted(set(self.partitions)),
            "stream": self.stream,
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
        }


WHOLE = Narrowing()
