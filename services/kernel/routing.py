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

    Types that nobody asked for are skipped; several versions of one type may be known side by side. A version
    that this build does not know raises UnknownEvent, so that the record is kept as a dead letter instead of
    being half understood.
    """

    handlers: Mapping[str, Mapping[bytes, tuple[type[PublicEvent], Handler]]]

    def __call__(self, delivery: Delivery) -> Sequence[Instruction]:
        event_type = delivery.header("ce_type")
        versions = self.handlers.get(event_type.decode()) if event_type else None
        if versions is None:
            return ()
        schema = delivery.header("ce_dataschema")
        known = versions.get(schema or b"")
        if known is None:
            raise UnknownEvent(f"{delivery.source}: schema {schema!r} is not known here")
        model, handler = known
        return handler(model.model_validate_json(delivery.value or b""))


def route(*handlers: tuple[type[PublicEvent], Handler]) -> EventRouter:
    """A router for these event types."""
    versions: dict[str, dict[bytes, tuple[type[PublicEvent], Handler]]] = {}
    for model, handler in handlers:
        schemas = versions.setdefault(model.event_type, {})
        if schemas.setdefault(schema_name(model).encode(), (model, handler)) != (model, handler):
            raise ValueError(f"{schema_name(model)} has a handler already")
    return EventRouter(versions)
