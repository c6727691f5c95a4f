"""What a service declares about itself; the kernel runs anything that is declared so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.kernel.decider import Decider
from services.kernel.messages import Delivery, DomainEvent, Instruction, Notice, Outgoing, Recorded
from services.kernel.projection import Projection

React = Callable[[Delivery], Sequence[Instruction]]
"""Pure: a delivered record to commands. Whatever it raises makes the record a dead letter."""

Repeat = Callable[[Any, Any], Notice | None]
"""Pure: the notice that tells the outcome of a command again, from the command and the state that it met."""


class Witness(Protocol):
    """Sees what a service decides, in order, so that a command can carry what was decided just before it.

    It keeps no side of a transaction that was rolled back: `begin` is called whenever one begins or begins again.
    """

    def begin(self) -> None:
        """A transaction begins; nothing of it has been decided."""
        ...

    def complete(self, command: Any) -> Any:
        """The command as it is decided, with what is known by now."""
        ...

    def decided(self, events: Sequence[DomainEvent]) -> None:
        """These events follow in the transaction under way."""
        ...

    def committed(self, recorded: Sequence[Recorded[Any]]) -> None:
        """The events of a transaction are in the log."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDefinition:
    """The inside of a service, as the kernel sees it.

    `react` answers records of the four events topics named in `sources`; `react_to_channel`, where given,
    answers records of all channels' orders topics. `to_wire` is pure, so the topic can be made again from
    the log. `repeat` gives the notice that repeats an outcome when a command changed nothing. A `witness` may add to
    commands what was decided before them.
    """

    name: str
    decider: Decider[Any, Any, Any]
    events: Sequence[type[DomainEvent]]
    projections: Sequence[Projection]
    to_wire: Callable[[Recorded[Any]], Outgoing | None]
    sources: Sequence[str]
    react: React
    react_to_channel: React | None = None
    repeat: Repeat | None = None
    witness: Witness | None = None
