"""The gate of form: raw bytes of a channel to a message of the contract, or to everything that is wrong with them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn

from pydantic import ValidationError

from contracts.channel.v1 import CHANNEL_MESSAGES, ChannelMessage
from contracts.topics import ORDER_BYTES_MAX
from contracts.vocabulary.faults import Fault, FaultCode
from services.quote.domain.form import faults_of, field_path
from services.quote.domain.products.group_change import CensusChange

SCHEMA_VERSION = 1

_REFERENCE_FIELDS = ("order_no", "payment_no", "notice_no")
_VISIBLE = re.compile(r"[!-~]{1,64}")

_MODELS: Mapping[str, type[ChannelMessage]] = MappingProxyType(
    {str(model.model_fields["type"].annotation.__args__[0]): model for model in CHANNEL_MESSAGES}  # type: ignore[union-attr]
)


@dataclass(frozen=True, slots=True)
class Malformed:
    """What is wrong with a message, and as much of its identity as can be read."""

    faults: tuple[Fault, ...]
    message_type: str | None = None
    reference: str | None = None


class _NotOneMeaning(ValueError):
    """The text is JSON to some readers only, or means different things to different readers."""


def read_message(value: bytes | None) -> ChannelMessage | Malformed:
    """The message of a record's value, or all its faults."""
    if not value:
        return _unreadable("the message is empty; send one JSON object")
    if len(value) > ORDER_BYTES_MAX:
        too_large = f"the message has {len(value)} bytes; at most {ORDER_BYTES_MAX} are taken"
        return Malformed((Fault(code=FaultCode.TOO_LARGE, message=too_large),))
    try:
        content = _json(value)
    except _NotOneMeaning as error:
        return _unreadable(f"the message {error}")
    if not isinstance(content, dict):
        return _unreadable("the message is JSON but no object; send one object with named fields")
    model = _model_of(content)
    if isinstance(model, Fault):
        return _malformed(content, (model,))
    try:
        # Strictly, as billing and claims read theirs: "44" is no number, and 0 no date.
        return model.model_validate_json(value, strict=True)
    except ValidationError as error:
        return _malformed(content, tuple(faults_of(error, content)))


def read_census_change(content: Mapping[str, Any]) -> CensusChange | Malformed:
    """A change of a census out of parsed JSON, read as strictly as a message, or all its faults below `change`."""
    try:
        return CensusChange.model_validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        found = faults_of(error, content)
        below = (fault.model_copy(update={"path": f"change.{fault.path}".rstrip(".")}) for fault in found)
        return Malformed(tuple(below))


def _json(value: bytes) -> Any:
    try:
        return json.loads(value.decode(), object_pairs_hook=_named_once, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise _NotOneMeaning("is not UTF-8; send JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _NotOneMeaning(f"is not JSON: {error.msg.split(' (')[0]} at {place}") from None
    except RecursionError:
        raise _NotOneMeaning("is nested too deep") from None
    except _NotOneMeaning:
        raise
    except ValueError:
        # The one thing left that the reader refuses: a number of thousands of digits.
        raise _NotOneMeaning("holds a number with too many digits") from None


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _NotOneMeaning(f"gives the field {field_path((twice,), fields)} twice in one object; give it once")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise _NotOneMeaning(f"holds {name}, which is no JSON number")


def _model_of(content: Mapping[str, Any]) -> type[ChannelMessage] | Fault:
    message_type, version = content.get("type"), content.get("schema_version")
    model = _MODELS.get(message_type) if isinstance(message_type, str) else None
    if model is None:
        message = f"type must be one of {', '.join(_MODELS)}"
        return Fault(code=FaultCode.UNKNOWN_SCHEMA, path="type", message=message)
    if version != SCHEMA_VERSION or isinstance(version, bool):
        message = f"schema_version of {message_type} must be {SCHEMA_VERSION}"
        return Fault(code=FaultCode.UNKNOWN_SCHEMA, path="schema_version", message=message)
    return model


def _malformed(content: Mapping[str, Any], faults: tuple[Fault, ...]) -> Malformed:
    reference = next((content[name] for name in _REFERENCE_FIELDS if name in content), None)
    return Malformed(faults, _visible(content.get("type")), _visible(reference))


def _visible(value: object) -> str | None:
    return value if isinstance(value, str) and _VISIBLE.fullmatch(value) else None


def _unreadable(message: str) -> Malformed:
    return Malformed((Fault(code=FaultCode.NOT_JSON, message=message),))
