"""How many requests may be inside at once. Those beyond are turned away at the door, before they cost anything.

Whatever waits takes memory and makes everybody wait longer; a caller who is told at once can come again.
"""

import contextlib
from collections.abc import Iterator

from prometheus_client import Counter

from services.kernel.errors import Overloaded


class Admission:
    """Counts requests of one kind in and out."""

    def __init__(self, what: str, most: int, turned_away: Counter) -> None:
        self._what = what
        self._most = most
        self._turned_away = turned_away
        self.inside = 0

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Be inside for the length of a block. Raises Overloaded where `most` are inside already."""
        if self.inside >= self._most:
            self._turned_away.inc()
            raise Overloaded(f"{self.inside} {self._what} wait already; nothing was done, send it again")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
