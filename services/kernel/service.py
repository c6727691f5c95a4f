"""What a service declares about itself; the kernel runs anything that is declared so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.kernel.decider import Decider
from services.kernel.messages import Delivery, DomainEvent, Instruction, Notice, Outgoing, Recorded
from services.kernel.projection import Projection

React = Callable[[Delivery], Sequence[Instruction]]
"""Pure: a delivered record to commands. Whatever it raises makes the record a dead letter."""

Repeat = Callable[[Any, Any], Notice | None]
"""Pure: the notice that tells the outcome of a command again, from the command and the state that it met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDefinition:
    """The inside of a service, as the kernel sees it.

    `react` answers records of the four events topics named in `sources`; `react_to_channel`, where given,
    answers records of all channels' orders topics. `to_wire` is pure, so the topic can be made again from
    the log. `repeat` gives the notice that repeats an outcome when a command changed nothing.
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
