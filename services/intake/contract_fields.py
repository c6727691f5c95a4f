"""The fields of a channel message as its contract declares them: which exist, and of what kind."""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import Any

from contracts.channel.v1 import CHANNEL_MESSAGES, ChannelMessage

SET_BY_INTAKE = ("type", "schema_version")
_SEVERAL = ("oneOf", "anyOf", "allOf")


class Conversion(StrEnum):
    """How the text of a cell becomes the value of a field."""

    TEXT = "text"
    INTEGER = "integer"
    MINOR = "minor"
    DATE = "date"
    INSTANT = "instant"
    BOOLEAN = "boolean"


_BY_FORMAT = {"date": Conversion.DATE, "date-time": Conversion.INSTANT}
_BY_TYPE = {"integer": Conversion.INTEGER, "boolean": Conversion.BOOLEAN}

MODELS: dict[str, type[ChannelMessage]] = {
    model.model_json_schema()["properties"]["type"]["const"]: model for model in CHANNEL_MESSAGES
}


def conversion_of(message: str, path: str) -> Conversion:
    """The conversion that suits a field, by its declared type. Raises KeyError where there is no such field.

    `path` is dotted; an entry of a list is named by its list alone, such as `coverages.premium_minor`.
    """
    schemas = list(_at(message, path))
    if not schemas:
        raise KeyError(path)
    if path.endswith("_minor"):
        return Conversion.MINOR
    for schema in schemas:
        for one in _alternatives(schema, _definitions(message)):
            if "properties" in one or "items" in one:
                raise KeyError(path)
            found = _BY_FORMAT.get(one.get("format", "")) or _BY_TYPE.get(one.get("type", ""))
            if found is not None:
                return found
    return Conversion.TEXT


def is_list(message: str, path: str) -> bool:
    """Whether the field is a list of entries."""
    definitions = _definitions(message)
    return any("items" in one for schema in _at(message, path) for one in _alternatives(schema, definitions))


def required_fields(message: str) -> tuple[str, ...]:
    """Top-level fields that every message must have, without those that intake sets."""
    required: list[str] = _schema(message)["required"]
    return tuple(name for name in required if name not in SET_BY_INTAKE)


@cache
def _schema(message: str) -> dict[str, Any]:
    return MODELS[message].model_json_schema()


def _definitions(message: str) -> dict[str, Any]:
    found: dict[str, Any] = _schema(message).get("$defs", {})
    return found


def _at(message: str, path: str) -> Iterator[dict[str, Any]]:
    places = [_schema(message)]
    for name in path.split("."):
        places = [
            one["properties"][name]
            for place in places
            for one in _entries(place, _definitions(message))
            if name in one.get("properties", {})
        ]
    yield from places


def _entries(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in _alternatives(schema, definitions):
        yield from _alternatives(one["items"], definitions) if "items" in one else (one,)


def _alternatives(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:
        yield from _alternatives(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
        return
    inner = [one for word in _SEVERAL for one in schema.get(word, ())]
    if not inner:
        yield schema
    for one in inner:
        yield from _alternatives(one, definitions)
