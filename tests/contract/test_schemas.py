"""The committed JSON Schemas are those of the models, keep what was released, and fit what is on the wire."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts.schema_files import (
    SCHEMAS,
    IncompatibleSchemas,
    broken_promises,
    main,
    message_versions,
    rendered,
    write,
)
from tests.support.golden import GOLDEN

MESSAGES = message_versions()
CHANNELS = [message for message in MESSAGES if message.sender == "channel"]
OURS = [message for message in MESSAGES if message.sender != "channel"]

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {"order_no": {"type": "string"}, "premium_minor": {"type": "integer"}},
    "required": ["order_no"],
}


def committed(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return read


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object schema inside a schema."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for inner in schema.values():
            yield from objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects(inner)


def released(folder: Path, *names: str) -> Path:
    """A folder in which these names are released, each with the order's schema."""
    (folder / "RELEASED").write_text("# released\n" + "".join(f"{name}  # since 0.1\n" for name in names))
    for name in names:
        (folder / f"{name}.json").write_text(rendered(ORDER))
    return folder


def test_every_message_has_a_name_of_its_own() -> None:
    names = [message.name for message in MESSAGES]
    assert len(set(names)) == len(names)


def test_committed_schemas_are_those_of_the_models() -> None:
    wanted = {f"{message.name}.json": rendered(message.schema()) for message in MESSAGES}
    found = {path.name: path.read_text(encoding="utf-8") for path in SCHEMAS.glob("*.json")}
    assert found == wanted, "run `python -m contracts.schema_files` and commit what it writes"


def test_no_released_schema_is_broken() -> None:
    assert broken_promises({message.name: message.schema() for message in MESSAGES}) == []


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
def test_a_schema_is_valid_and_fits_its_golden_file(message: Any) -> None:
    schema = committed(message.name)
    jsonschema.Draft202012Validator.check_schema(schema)
    sample = json.loads((GOLDEN / "wire" / message.sender / f"{message.name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(sample)


@pytest.mark.parametrize("message", OURS, ids=lambda message: message.name)
def test_what_may_be_absent_is_optional(message: Any) -> None:
    # Fields without a value are left out on the wire, so a required one would make the message unreadable.
    for schema in objects(committed(message.name)):
        nullable = {name for name, field in schema["properties"].items() if {"type": "null"} in field.get("anyOf", [])}
        assert nullable.isdisjoint(schema.get("required", []))


@pytest.mark.parametrize("message", OURS, ids=lambda message: message.name)
def test_our_messages_are_open_to_new_fields(message: Any) -> None:
    assert "additionalProperties" not in committed(message.name)


@pytest.mark.parametrize("message", CHANNELS, ids=lambda message: message.name)
def test_a_channel_message_with_an_unknown_field_does_not_fit(message: Any) -> None:
    sample = json.loads((GOLDEN / "wire" / "channel" / f"{message.name}.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(committed(message.name))
    assert validator.is_valid(sample)
    assert not validator.is_valid({**sample, "order_number": "O-1"})


def test_new_and_changed_schemas_are_written(tmp_path: Path) -> None:
    folder = released(tmp_path, "order.placed.v1")
    wider = {**ORDER, "properties": {**ORDER["properties"], "campaign": {"type": "string"}}}
    changed = write({"order.placed.v1": wider, "order.moved.v1": ORDER}, folder)
    assert [path.name for path in changed] == ["order.moved.v1.json", "order.placed.v1.json"]
    assert json.loads((folder / "order.placed.v1.json").read_text()) == wider
    assert write({"order.placed.v1": wider, "order.moved.v1": ORDER}, folder) == []


def test_a_schema_that_was_never_released_is_removed_with_its_message(tmp_path: Path) -> None:
    folder = released(tmp_path, "order.placed.v1")
    write({"order.placed.v1": ORDER, "order.moved.v1": ORDER}, folder)
    assert [path.name for path in write({"order.placed.v1": ORDER}, folder)] == ["order.moved.v1.json"]
    assert not (folder / "order.moved.v1.json").exists()


def test_a_released_schema_is_never_overwritten_by_one_that_breaks_it(tmp_path: Path) -> None:
    folder = released(tmp_path, "order.placed.v1")
    narrower = {**ORDER, "required": ["order_no", "premium_minor"]}
    with pytest.raises(IncompatibleSchemas) as refusal:
        write({"order.placed.v1": narrower, "order.moved.v1": ORDER}, folder)
    (sentence,) = refusal.value.args
    assert "order.placed.v1.json: field premium_minor was optional and is now required" in sentence
    assert "new schema_version" in sentence
    assert json.loads((folder / "order.placed.v1.json").read_text()) == ORDER
    assert not (folder / "order.moved.v1.json").exists()


def test_a_released_message_cannot_disappear(tmp_path: Path) -> None:
    (sentence,) = broken_promises({}, released(tmp_path, "order.placed.v1"))
    assert "no message declares it any more" in sentence


def test_a_released_file_cannot_disappear(tmp_path: Path) -> None:
    folder = released(tmp_path, "order.placed.v1")
    (folder / "order.placed.v1.json").unlink()
    (sentence,) = broken_promises({"order.placed.v1": ORDER}, folder)
    assert "restore it" in sentence


def test_the_command_says_that_all_is_current() -> None:
    said: list[str] = []
    assert main(said.append) == 0
    assert said == ["0 schema files changed.\n"]
