"""Given-when-then for deciders; every accepted command is sent twice and must change nothing the second time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.kernel.decider import Decider
from services.kernel.errors import CommandRefused


@dataclass(frozen=True)
class DeciderSpec:
    """A decider with a history and, after `when`, what it decided."""

    decider: Decider[Any, Any, Any]
    history: Sequence[Any] = ()
    decided: Sequence[Any] = field(default=())
    refusal: CommandRefused | None = None

    def given(self, *events: Any) -> "DeciderSpec":
        """Events that happened before."""
        return DeciderSpec(self.decider, tuple(events))

    def when(self, command: Any) -> "DeciderSpec":
        """Decide, and demand that the same command again decides nothing more."""
        state = self.decider.fold(self.history)
        try:
            decided = tuple(self.decider.decide(command, state))
        except CommandRefused as refusal:
            return DeciderSpec(self.decider, self.history, refusal=refusal)
        again = tuple(self.decider.decide(command, self.decider.fold(decided, state)))
        assert again == (), f"repeating {type(command).__name__} decided {again}"
        return DeciderSpec(self.decider, self.history, decided)

    def then(self, *events: Any) -> None:
        """Exactly these events were decided."""
        assert self.refusal is None, f"refused: {self.refusal}"
        assert self.decided == events

    def then_nothing(self) -> None:
        """The command changed nothing."""
        self.then()

    def then_types(self, *types: type) -> "DeciderSpec":
        """Events of exactly these types were decided, in this order."""
        assert self.refusal is None, f"refused: {self.refusal}"
        assert tuple(type(event) for event in self.decided) == types
        return self

    def then_refused(self, code: str) -> None:
        """The command was refused with this code."""
        assert self.refusal is not None, f"not refused, decided {self.decided}"
        assert self.refusal.code == code
