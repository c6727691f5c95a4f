"""What is wrong with a row, said so that the person who owns the file can mend it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

SHOWN_CHARACTERS_MAX = 40

_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this message",
    "string_pattern_mismatch": "{shown} does not have the form {pattern}",
    "string_too_short": "is empty",
    "string_too_long": "{shown} has more than {max_length} characters",
    "greater_than": "{shown} must be more than {gt}",
    "greater_than_equal": "{shown} must be at least {ge}",
    "less_than": "{shown} must be less than {lt}",
    "less_than_equal": "{shown} must be at most {le}",
    "int_type": "{shown} is not a whole number",
    "int_parsing": "{shown} is not a whole number",
    "literal_error": "{shown} must be {expected}",
    "enum": "{shown} must be {expected}",
    "too_short": "needs at least {min_length} entry",
    "too_long": "has more than {max_length} entries",
    "timezone_aware": "{shown} needs a time zone, such as Z",
    "union_tag_invalid": "{tag} is not one of {expected_tags}",
    "union_tag_not_found": "{discriminator} is missing",
}


@dataclass(frozen=True, slots=True)
class RowFault:
    """`line` is the first line of the row in the file; `field` is the message field, empty for the whole row."""

    line: int
    field: str
    reason: str


def shown(value: object) -> str:
    """A value in quotation marks, cut where it is long, with control characters made visible."""
    text = value if isinstance(value, str) else str(value)
    cut = text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "..."
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut) + '"'


def contract_faults(error: ValidationError, message: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Dotted path and sentence of everything that the contract refuses in `message`."""
    details = error.errors(include_url=False)
    return [(".".join(_path(detail["loc"], message)), _sentence(detail)) for detail in details]


def _path(location: Sequence[int | str], message: Mapping[str, Any]) -> list[str]:
    # The location also names the alternative of a union that was tried; a sender does not know that word.
    place: Any = message
    path: list[str] = []
    for depth, part in enumerate(location):
        inside = isinstance(part, int) or (isinstance(place, Mapping) and part in place)
        if inside or depth == len(location) - 1:
            path.append(str(part))
            place = place[part] if inside else None
    return path


def _sentence(detail: ErrorDetails) -> str:
    template = _SENTENCES.get(detail["type"])
    context = {name: str(value) for name, value in detail.get("ctx", {}).items()}
    if template is not None:
        return template.format_map({**context, "shown": shown(detail["input"])})
    words = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    is_value = isinstance(detail["input"], str | int)
    return f"{shown(detail['input'])} {words}" if is_value else words
