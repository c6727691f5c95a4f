"""Turns what a validator found into faults: a stable code, the field's path, and a sentence that helps to mend it."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, get_args

from pydantic import ValidationError

from contracts.vocabulary.evidence import EvidenceCode, PagePath, Sha256
from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.identifiers import (
    ChannelCode,
    CoverageCode,
    ExternalNumber,
    PolicyNumber,
    ProductCode,
)
from contracts.vocabulary.money import Currency

FAULTS_MAX = 50
"""A message may hold thousands of mistakes; nobody reads that many, and an event has a size limit."""

_STEP_MAX = 64
_DISCRIMINATORS = ("line", "method", "kind")
_QUOTED = re.compile(r"'([^']*)'")
_UNPRINTABLE = re.compile(r"[^!-~]")

_WHOLE_NUMBER = "must be a whole number, without quotes and without a decimal point"
_DAY = "must be a day that exists, written as YYYY-MM-DD"
_MOMENT = "must be a moment with its zone, such as 2026-01-31T09:30:00Z"
_TEXT = "must be a text in quotes"

_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "missing": "is required; add it",
        "union_tag_not_found": "is required; add it",
        "extra_forbidden": "is not a field of this message; remove it or correct its name",
        "int_type": _WHOLE_NUMBER,
        "int_parsing": _WHOLE_NUMBER,
        "int_parsing_size": _WHOLE_NUMBER,
        "int_from_float": _WHOLE_NUMBER,
        "greater_than": "must be above {gt}",
        "greater_than_equal": "must be at least {ge}",
        "less_than": "must be below {lt}",
        "less_than_equal": "must be at most {le}",
        "string_type": _TEXT,
        "string_unicode": _TEXT,
        "string_too_short": "must have at least {min_length} characters that are not blanks",
        "string_too_long": "must have at most {max_length} characters",
        "too_short": "must have at least {min_length} entries",
        "too_long": "must have at most {max_length} entries",
        "enum": "must be {expected}",
        "literal_error": "must be {expected}",
        "bool_type": "must be true or false",
        "bool_parsing": "must be true or false",
        "dict_type": "must be an object with named fields",
        "model_type": "must be an object with named fields",
        "model_attributes_type": "must be an object with named fields",
        "tuple_type": "must be a list",
        "list_type": "must be a list",
        "timezone_aware": _MOMENT,
        "json_invalid": "is not JSON that can be read: {error}",
    }
)

_CODES: Mapping[str, FaultCode] = MappingProxyType(
    {
        "missing": FaultCode.MISSING_FIELD,
        "union_tag_not_found": FaultCode.MISSING_FIELD,
        "extra_forbidden": FaultCode.UNKNOWN_FIELD,
        "json_invalid": FaultCode.NOT_JSON,
    }
)


def _pattern(constrained: object) -> str:
    return str(get_args(constrained)[1].pattern)


_FORMS: Mapping[str, str] = MappingProxyType(
    {
        _pattern(ExternalNumber): "must be 1 to 64 visible ASCII characters without blanks",
        _pattern(Currency): "must be a currency code of three capital letters, such as EUR",
        _pattern(ChannelCode): "must be 1 to 32 letters, digits or hyphens",
        _pattern(CoverageCode): "must be 1 to 40 letters, digits or hyphens",
        _pattern(ProductCode): "must be 1 to 40 small letters, digits or hyphens",
        _pattern(EvidenceCode): "must be 1 to 64 letters, digits, dots, hyphens or underscores",
        _pattern(Sha256): "must be a SHA-256 digest in 64 small hexadecimal digits",
        _pattern(PagePath): "must be the path of a page, such as /health/basic, with at most 200 symbols",
        _pattern(PolicyNumber): "must be a policy number such as P01-7K3M-9QX2-ZB4T-8HCW-5",
    }
)


def faults_of(error: ValidationError, content: object) -> tuple[Fault, ...]:
    """All faults of `content` (the parsed message), at most FAULTS_MAX and a last one that counts the rest."""
    found = error.errors(include_url=False, include_input=False)
    # A list whose entries are all bad is reported as too short as well, which the sender did not write.
    bad = {tuple(entry["loc"][:place]) for entry in found for place in range(1, len(entry["loc"]))}
    found = [entry for entry in found if entry["type"] != "too_short" or tuple(entry["loc"]) not in bad]
    return at_most([_fault(entry, content) for entry in found[: FAULTS_MAX + 1]], len(found))


def at_most(faults: Sequence[Fault], count: int | None = None) -> tuple[Fault, ...]:
    """The first FAULTS_MAX faults, and one that says how many more of `count` there are (default: all of them)."""
    listed = tuple(faults[:FAULTS_MAX])
    more = (len(faults) if count is None else count) - len(listed)
    if more <= 0:
        return listed
    message = f"{more} more faults are not listed; mend these first"
    return (*listed, Fault(code=FaultCode.INVALID_FIELD, message=message))


def _fault(entry: Any, content: object) -> Fault:
    kind, context = entry["type"], entry.get("ctx", {})
    location = tuple(entry["loc"])
    if kind.startswith("union_tag_"):
        location = (*location, _QUOTED.findall(context["discriminator"])[0])
    path = field_path(location, content)
    return Fault(
        code=_CODES.get(kind, FaultCode.INVALID_FIELD),
        path=path,
        message=f"{path or 'the message'} {_sentence(kind, context)}",
    )


def _sentence(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return f"is not valid: {context['error']}"
    if kind == "string_pattern_mismatch":
        return _FORMS.get(context["pattern"], "must not hold other characters than this field may")
    if kind == "union_tag_invalid":
        return f"must be one of {', '.join(_QUOTED.findall(context['expected_tags']))}"
    if kind.startswith("datetime_"):
        return _MOMENT
    if kind.startswith("date_"):
        return _DAY
    sentence = _SENTENCES.get(kind)
    return "has a value that is not valid here" if sentence is None else sentence.format_map(context)


def field_path(location: tuple[int | str, ...], content: Any) -> str:
    """The dotted path of a field as the sender wrote it, with nothing in it that cannot be printed.

    A validator also names the chosen variant of a union, which is no field: it is left out.
    """
    steps: list[str] = []
    entered = False
    for step in location:
        if step == "[key]" or (entered and _is_variant(step, content)):
            entered = False
            continue
        if isinstance(content, Mapping) and step in content:
            content = content[step]
        elif isinstance(content, list) and step in range(len(content)):
            content = content[int(step)]
        steps.append(_UNPRINTABLE.sub("?", str(step))[:_STEP_MAX])
        entered = True
    return ".".join(steps)


def _is_variant(step: int | str, content: Any) -> bool:
    return isinstance(content, Mapping) and any(content.get(name) == step for name in _DISCRIMINATORS)
