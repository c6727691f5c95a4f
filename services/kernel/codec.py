"""Events to stored bytes and back, with upcasting of older schema versions."""

from collections.abc import Sequence
from typing import Any

import orjson

from services.kernel.errors import UnknownEvent
from services.kernel.log.event_log import StoredEvent
from services.kernel.messages import DomainEvent, Recorded

EVENT_BYTES_MAX = 512 * 1024
"""Refused at append: one record that the broker rejects would poison the relay's producer."""


class EventCodec:
    """Encodes and decodes the events of one service. Types are found by `event_type`, never by class path."""

    def __init__(self, events: Sequence[type[DomainEvent]]) -> None:
        self._classes = {event.event_type: event for event in events}
        if len(self._classes) != len(events):
            raise ValueError("two events share one event_type")
        for event in events:
            if set(event.upcasters) != set(range(1, event.schema_version)):
                raise ValueError(
                    f"{event.event_type} is at schema version {event.schema_version} and has upcasters from "
                    f"{sorted(event.upcasters)}; it needs one from each version before it"
                )

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
        if schema > known.schema_version:
            newest = known.schema_version
            raise UnknownEvent(f"{event_type}.v{schema} is newer than this build, which knows v{newest}")
        if schema < 1:
            raise UnknownEvent(f"{event_type}.v{schema}: versions start at 1")
        content: dict[str, Any] = orjson.loads(data)
        for version in range(schema, known.schema_version):
            content = known.upcasters[version](content)
        return known.model_validate(content)

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
