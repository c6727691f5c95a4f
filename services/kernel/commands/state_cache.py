"""Keeps folded states of recently used streams, as long as nobody else has appended to their partition.

The locked head tells: where it stands at the position of our own last commit, no other process has appended since,
so what we folded then is still true. Otherwise the partition's states are forgotten and loaded again.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.kernel.log.event_log import Head

STATES_MAX = 5_000
"""An application is folded again a second or two after it was written, when its policy is issued."""


@dataclass(slots=True)
class StreamState:
    """A stream's partition, version and folded state."""

    partition: int
    version: int
    state: Any


class StateCache:
    """States of streams by name; the least recently used ones go first."""

    def __init__(self) -> None:
        self._positions: dict[int, int] = {}
        self._states: OrderedDict[str, StreamState] = OrderedDict()

    def trust(self, heads: Mapping[int, Head]) -> None:
        """Forget the states of every partition whose head is not where our last commit left it."""
        foreign = {partition for partition, head in heads.items() if self._positions.get(partition) != head.position}
        if foreign:
            kept = ((name, known) for name, known in self._states.items() if known.partition not in foreign)
            self._states = OrderedDict(kept)

    def get(self, stream: str) -> StreamState | None:
        """What is known of a stream; a copy, because the transaction may still fail."""
        known = self._states.get(stream)
        return None if known is None else StreamState(known.partition, known.version, known.state)

    def committed(self, positions: Mapping[int, int], streams: Mapping[str, StreamState]) -> None:
        """Keep what a transaction made true, with the head positions that it left."""
        self._positions.update(positions)
        for name, stream in streams.items():
            self._states[name] = stream
            self._states.move_to_end(name)
        while len(self._states) > STATES_MAX:
            self._states.popitem(last=False)

    def forget(self) -> None:
        """Trust nothing: a transaction ended in doubt."""
        self._positions.clear()
        self._states.clear()
