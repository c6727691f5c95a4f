"""The decider: business rules as three pure pieces, with no clock, no randomness and no I/O."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Command = TypeVar("Command")
State = TypeVar("State")
Event = TypeVar("Event")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider(Generic[Command, State, Event]):
    """`decide` says what happens, `evolve` what is true afterwards.

    A command that finds its work done already decides nothing: repeating it is harmless. A command
    that a rule forbids raises CommandRefused. `evolve` never decides, and raises CorruptHistory only
    where an event contradicts those before it.
    """

    initial_state: State
    decide: Callable[[Command, State], Sequence[Event]]
    evolve: Callable[[State, Event], State]

    def fold(self, events: Iterable[Event], state: State | None = None) -> State:
        """The state after `events`, from `state` or from nothing."""
        current = self.initial_state if state is None else state
        for event in events:
            current = self.evolve(current, event)
        return current
