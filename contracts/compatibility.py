"""Decides whether a JSON Schema may take the place of the released one of the same message version.

A released version may gain optional fields, values of an enumeration and kinds of a discriminated union.
All else would break someone: a reader of new messages, or a reader of the old ones that stay on the topics for ever.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "discriminator"})
_COMPARED_APART = frozenset({"properties", "required", "enum", "oneOf", "anyOf", "items", "prefixItems", "const"})
_ADVICE = "keep it, or declare a new schema_version of the message (contracts/README.md)"


def incompatibilities(name: str, released: Schema, proposed: Schema) -> list[str]:
    """One sentence for each incompatible change from `released` to `proposed`, empty where there is none.

    `name` is the file's name; every sentence names it, the field and what to do.
    """
    return [f"{name}: {change}; {_ADVICE}" for change in _Comparison(released, proposed).changes()]


class _Comparison:
    """One walk through both schemas at once; references are followed, so a renamed class is no change."""

    def __init__(self, released: Schema, proposed: Schema) -> None:
        self._released = released
        self._proposed = proposed
        self._seen: set[tuple[str, str]] = set()

    def changes(self) -> Iterator[str]:
        yield from self._nodes("", self._released, self._proposed)

    def _nodes(self, field: str, old: Any, new: Any) -> Iterator[str]:
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):
            if old != new:
                yield f"{_named(field)} was {_shown(old)} and is now {_shown(new)}"
            return
        references = (old.get("$ref", ""), new.get("$ref", ""))
        if all(references):
            if references in self._seen:
                return
            self._seen.add(references)
        old, new = _resolved(self._released, old), _resolved(self._proposed, new)
        yield from _keywords(field, old, new)
        yield from _values(field, old, new)
        yield from self._fields(field, old, new)
        yield from self._kinds(field, old, new)
        yield from self._elements(field, old, new)

    def _fields(self, field: str, old: Schema, new: Schema) -> Iterator[str]:
        old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
        old_required, new_required = set(old.get("required", ())), set(new.get("required", ()))
        for name in old_fields:
            path = _below(field, name)
            if name not in new_fields:
                yield f"{_named(path)} is gone"
                continue
            if name in new_required - old_required:
                yield f"{_named(path)} was optional and is now required"
            if name in old_required - new_required:
                yield f"{_named(path)} was always there and is now optional"
            yield from self._nodes(path, old_fields[name], new_fields[name])
        for name in new_fields:
            if name not in old_fields and name in new_required:
                yield f"{_named(_below(field, name))} is new and required, and older messages lack it"

    def _kinds(self, field: str, old: Schema, new: Schema) -> Iterator[str]:
        """Alternatives: each old one needs an equal among the new; only a discriminated union may gain one."""
        for keyword, may_grow in (("oneOf", "discriminator" in new), ("anyOf", False)):
            old_kinds, new_kinds = old.get(keyword), new.get(keyword)
            if old_kinds is None or new_kinds is None:
                if old_kinds != new_kinds:
                    yield f"{_named(field)} has other alternatives ({keyword})"
                continue
            if len(new_kinds) > len(old_kinds) and not may_grow:
                yield f"{_named(field)} has a further alternative ({keyword})"
            remaining = list(new_kinds)
            for kind in old_kinds:
                differences = [(list(self._fresh(field, kind, other)), other) for other in remaining]
                if not differences:
                    yield f"{_named(field)} has lost an alternative ({keyword})"
                    continue
                # The nearest alternative is the changed one; its differences are what people need to read.
                nearest, chosen = min(differences, key=lambda pair: len(pair[0]))
                remaining.remove(chosen)
                yield from nearest

    def _fresh(self, field: str, old: Schema, new: Schema) -> Iterator[str]:
        trial = _Comparison(self._released, self._proposed)
        trial._seen = set(self._seen)
        yield from trial._nodes(field, old, new)

    def _elements(self, field: str, old: Schema, new: Schema) -> Iterator[str]:
        if "items" in old or "items" in new:
            yield from self._nodes(f"{field}[]", old.get("items", True), new.get("items", True))
        old_places, new_places = old.get("prefixItems", ()), new.get("prefixItems", ())
        if len(old_places) != len(new_places):
            yield f"{_named(field)} has {len(new_places)} places instead of {len(old_places)}"
        for place, (before, after) in enumerate(zip(old_places, new_places, strict=False)):
            yield from self._nodes(f"{field}[{place}]", before, after)


def _resolved(whole: Schema, node: Schema) -> Schema:
    """The schema that `node` stands for; keywords beside a reference stay."""
    while "$ref" in node:
        target: Schema = whole["$defs"][node["$ref"].removeprefix("#/$defs/")]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _keywords(field: str, old: Schema, new: Schema) -> Iterator[str]:
    """Type, format, pattern, limits, default: whatever a reader may build on stays as it is."""
    for keyword in sorted((old.keys() | new.keys()) - _ANNOTATIONS - _COMPARED_APART):
        before, after = old.get(keyword), new.get(keyword)
        if before != after or (keyword in old) != (keyword in new):
            yield f"{_named(field)} has another {keyword}: {_shown(before)} became {_shown(after)}"


def _values(field: str, old: Schema, new: Schema) -> Iterator[str]:
    """Enumerations may grow. A `const` is an enumeration of one."""
    before, after = _enumerated(old), _enumerated(new)
    if before is None or after is None:
        if before != after:
            yield f"{_named(field)} is {'no longer' if after is None else 'now'} an enumeration"
        return
    lost = [value for value in before if value not in after]
    if lost:
        yield f"{_named(field)} has lost the value {', '.join(_shown(value) for value in lost)}"


def _enumerated(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _below(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _named(field: str) -> str:
    return f"field {field}" if field else "the message itself"


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)
