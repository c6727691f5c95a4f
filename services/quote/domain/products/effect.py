"""When a step with a product version takes effect."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Effect:
    """From a day on, or (no day) at once: for all that is taken in from then on, whatever day it bears."""

    day: date | None = None

    def reached(self, day: date) -> bool:
        """Whether it holds on that day."""
        return self.day is None or self.day <= day

    def is_before(self, other: "Effect") -> bool:
        """Whether it takes effect earlier than the other; at once is before any day."""
        return other.day is not None and (self.day is None or self.day < other.day)

    def __str__(self) -> str:
        return "at once" if self.day is None else f"from {self.day}"
