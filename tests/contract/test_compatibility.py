"""Which changes a released message version survives, and which need a new version."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from contracts.compatibility import incompatibilities

Schema = dict[str, Any]

RELEASED: Schema = {
    "$defs": {
        "Line": {
            "type": "object",
            "title": "Line",
            "properties": {"coverage": {"type": "string"}, "amount_minor": {"type": "integer", "maximum": 100}},
            "required": ["coverage", "amount_minor"],
        },
        "Motor": {"type": "object", "properties": {"line": {"const": "motor"}}, "required": ["line"]},
        "Health": {
            "type": "object",
            "properties": {"line": {"const": "health"}, "smoker": {"type": "boolean", "default": False}},
            "required": ["line"],
        },
        "Part": {"type": "object", "properties": {"parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}}}},
    },
    "type": "object",
    "description": "An order.",
    "properties": {
        "order_no": {"type": "string", "pattern": "^[0-9]+$"},
        "currency": {"enum": ["EUR", "CNY"], "type": "string"},
        "due": {"type": "string", "format": "date"},
        "campaign": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "frequency": {"type": "string", "default": "annual"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "maxItems": 50},
        "span": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}]},
        "risk": {
            "discriminator": {"propertyName": "line"},
            "oneOf": [{"$ref": "#/$defs/Motor"}, {"$ref": "#/$defs/Health"}],
        },
        "part": {"$ref": "#/$defs/Part"},
        "shares": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "required": ["order_no", "currency", "lines"],
}


def after(change: Callable[[Schema, Schema, Schema], Any]) -> list[str]:
    """What is wrong with the released schema after `change(schema, its properties, its $defs)`."""
    proposed = copy.deepcopy(RELEASED)
    change(proposed, proposed["properties"], proposed["$defs"])
    return incompatibilities("order.placed.v1.json", RELEASED, proposed)


def renamed_class(schema: Schema, fields: Schema, kinds: Schema) -> None:
    kinds["ClaimedLine"] = {**kinds.pop("Line"), "title": "ClaimedLine"}
    fields["lines"]["items"] = {"$ref": "#/$defs/ClaimedLine"}


def inlined_class(schema: Schema, fields: Schema, kinds: Schema) -> None:
    fields["lines"]["items"] = kinds.pop("Line")


def new_line_of_business(schema: Schema, fields: Schema, kinds: Schema) -> None:
    kinds["Travel"] = {"type": "object", "properties": {"line": {"const": "travel"}}, "required": ["line"]}
    fields["risk"]["oneOf"].insert(0, {"$ref": "#/$defs/Travel"})


@pytest.mark.parametrize(
    "change",
    [
        lambda schema, fields, kinds: None,
        lambda schema, fields, kinds: fields.update(book={"type": "string"}),
        lambda schema, fields, kinds: kinds["Line"]["properties"].update(note={"type": "string"}),
        lambda schema, fields, kinds: fields["currency"]["enum"].append("USD"),
        lambda schema, fields, kinds: schema.update(description="A buyer's order."),
        lambda schema, fields, kinds: fields["order_no"].update(title="Order number"),
        lambda schema, fields, kinds: schema["required"].reverse(),
        lambda schema, fields, kinds: fields["campaign"]["anyOf"].reverse(),
        lambda schema, fields, kinds: kinds["Motor"]["properties"].update(line={"enum": ["motor", "moto"]}),
        renamed_class,
        inlined_class,
        new_line_of_business,
    ],
)
def test_a_compatible_change_is_let_through(change: Callable[[Schema, Schema, Schema], Any]) -> None:
    assert after(change) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s, f, k: f.pop("due"), "field due is gone"),
        (lambda s, f, k: k["Line"]["properties"].pop("amount_minor"), "field lines[].amount_minor is gone"),
        (lambda s, f, k: (f.update(book={}), s["required"].append("book")), "field book is new and required"),
        (lambda s, f, k: s["required"].append("due"), "field due was optional and is now required"),
        (lambda s, f, k: s["required"].remove("currency"), "field currency was always there and is now optional"),
        (lambda s, f, k: f["order_no"].update(type="integer"), "field order_no has another type"),
        (lambda s, f, k: f["order_no"].update(pattern="^.*$"), "field order_no has another pattern"),
        (lambda s, f, k: f["order_no"].pop("pattern"), "field order_no has another pattern"),
        (lambda s, f, k: f["order_no"].update(maxLength=9), "field order_no has another maxLength"),
        (lambda s, f, k: f["due"].update(format="date-time"), "field due has another format"),
        (lambda s, f, k: f["currency"]["enum"].remove("CNY"), "field currency has lost the value 'CNY'"),
        (lambda s, f, k: f["currency"].pop("enum"), "field currency is no longer an enumeration"),
        (lambda s, f, k: f["due"].update(enum=["2026-01-01"]), "field due is now an enumeration"),
        (lambda s, f, k: f["frequency"].update(default="monthly"), "field frequency has another default"),
        (lambda s, f, k: f["lines"].update(maxItems=5), "field lines has another maxItems"),
        (lambda s, f, k: k["Line"]["properties"]["amount_minor"].update(maximum=9), "lines[].amount_minor has another"),
        (lambda s, f, k: f["lines"].update(items={"type": "string"}), "field lines[] has another type"),
        (lambda s, f, k: f["span"]["prefixItems"].pop(), "field span has 1 places instead of 2"),
        (lambda s, f, k: f["span"]["prefixItems"].insert(0, {"type": "string"}), "field span has 3 places"),
        (lambda s, f, k: f["campaign"].update(anyOf=[{"type": "string"}]), "field campaign has lost an alternative"),
        (
            lambda s, f, k: f["campaign"]["anyOf"].append({"type": "integer"}),
            "field campaign has a further alternative",
        ),
        (lambda s, f, k: f["risk"]["oneOf"].pop(), "field risk has lost an alternative (oneOf)"),
        (lambda s, f, k: k["Health"]["properties"].pop("smoker"), "field risk.smoker is gone"),
        (
            lambda s, f, k: k["Health"]["properties"]["line"].update(const="life"),
            "risk.line has lost the value 'health'",
        ),
        (lambda s, f, k: k["Part"].update(maxProperties=3), "field part has another maxProperties"),
        (lambda s, f, k: f["shares"].update(additionalProperties={"type": "number"}), "field shares has another"),
        (lambda s, f, k: s.update(additionalProperties=False), "the message itself has another additionalProperties"),
        (lambda s, f, k: f.update(due={"anyOf": [f["due"], {"type": "null"}]}), "field due has other alternatives"),
    ],
)
def test_a_change_that_would_break_someone_is_named(change: Callable[..., Any], said: str) -> None:
    sentences = after(change)
    assert any(said in sentence for sentence in sentences), sentences
    for sentence in sentences:
        assert sentence.startswith("order.placed.v1.json: ")
        assert sentence.endswith("keep it, or declare a new schema_version of the message (contracts/README.md)")


def test_every_broken_field_is_named_at_once() -> None:
    sentences = after(lambda schema, fields, kinds: (fields.pop("due"), fields.pop("frequency")))
    assert len(sentences) == 2
