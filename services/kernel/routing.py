"""Routes the records of events topics to handlers by their CloudEvents type and schema version."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.envelope import schema_name
from contracts.vocabulary.model import PublicEvent
from services.kernel.errors import UnknownEvent
from services.kernel.messages import Delivery, Instruction

Handler = Callable[[Any], Sequence[Instruction]]


@dataclass(frozen=True, slots=True)
class EventRouter:
    """A `react` for events topics.

    Types that nobody asked for are skipped. A version that this build does not know raises UnknownEvent,
    so that the record is kept as a dead letter instead of being half understood.
    """

    handlers: Mapping[str, tuple[type[PublicEvent], bytes, Handler]]

    def __call__(self, delivery: Delivery) -> Sequence[Instruction]:
        event_type = delivery.header("ce_type")
        known = self.handlers.get(event_type.decode()) if event_type else None
        if known is None:
            return ()
        model, schema, handler = known
        if delivery.header("ce_dataschema") != schema:
            raise UnknownEvent(f"{delivery.source}: schema {delivery.header('ce_dataschema')!r} is not known here")
        return handler(model.model_validate_json(delivery.value or b""))


def route(*handlers: tuple[type[PublicEvent], Handler]) -> EventRouter:
    """A router for these event types."""
    return EventRouter({model.event_type: (model, schema_name(model).encode(), handler) for model, handler in handlers})
