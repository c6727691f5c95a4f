"""Events to stored bytes and back, with upcasting of older schema versions."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from services.kernel.errors import UnknownEvent
from services.kernel.event_log import StoredEvent
from services.kernel.messages import DomainEvent, Recorded
from services.kernel.service import Upcaster

EVENT_BYTES_MAX = 512 * 1024
"""Refused at append: one record that the broker rejects would poison the relay's producer."""


class EventCodec:
    """Encodes and decodes the events of one service. Types are found by `event_type`, never by class path."""

    def __init__(self, events: Sequence[type[DomainEvent]], upcasters: Mapping[tuple[str, int], Upcaster]) -> None:
        self._classes = {event.event_type: event for event in events}
        if len(self._classes) != len(events):
            raise ValueError("two events share one event_type")
        self._upcasters = upcasters

    def encode(self, event: DomainEvent) -> bytes:
        """The event's JSON. Raises ValueError above EVENT_BYTES_MAX."""
        data = event.__pydantic_serializer__.to_json(event)
        if len(data) > EVENT_BYTES_MAX:
            raise ValueError(f"{event.event_type} of {len(data)} bytes is above the limit of {EVENT_BYTES_MAX}")
        return data

    def decode(self, event_type: str, schema: int, data: bytes) -> DomainEvent:
        """The event of stored bytes. Raises UnknownEvent for a type or version that was never declared."""
        known = self._classes.get(event_type)
        if known is None:
            raise UnknownEvent(f"{event_type}.v{schema} is not an event of this service")
        if schema == known.schema_version:
            event: DomainEvent = known.__pydantic_validator__.validate_json(data)
            return event
        return known.model_validate(self._upcast(event_type, schema, known.schema_version, orjson.loads(data)))

    def recorded(self, stored: StoredEvent) -> Recorded[Any]:
        """A stored event as the rest of the system sees it."""
        link = stored.link
        return Recorded(
            link.partition,
            link.position,
            link.stream,
            link.version,
            self.decode(link.type, link.schema, link.data),
            link.recorded_at,
            orjson.loads(link.meta),
            stored.digest,
        )

    def _upcast(self, event_type: str, schema: int, wanted: int, content: dict[str, Any]) -> dict[str, Any]:
        for version in range(schema, wanted):
            upcaster = self._upcasters.get((event_type, version))
            if upcaster is None:
                raise UnknownEvent(f"{event_type}.v{schema} cannot be read as v{wanted}: no upcaster from v{version}")
            content = upcaster(content)
        if schema > wanted:
            raise UnknownEvent(f"{event_type}.v{schema} is newer than this build, which knows v{wanted}")
        return content
