"""Writes contracts/schemas: one JSON Schema for each version of each message, and never breaks a released one.

Run it with `python -m contracts.schema_files` after every change of a message.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

import contracts.billing.v1
import contracts.claims.v1
import contracts.policy.v1
import contracts.quote.v1
from contracts.channel.notices_v1 import NOTICES
from contracts.channel.v1 import CHANNEL_MESSAGES
from contracts.compatibility import incompatibilities
from contracts.envelope import schema_name
from contracts.vocabulary.model import PublicEvent

SCHEMAS = Path(__file__).parent / "schemas"
RELEASED = "RELEASED"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

EVENTS_BY_SERVICE: Mapping[str, tuple[type[PublicEvent], ...]] = {
    "quote": contracts.quote.v1.EVENTS,
    "policy": contracts.policy.v1.EVENTS,
    "billing": contracts.billing.v1.EVENTS,
    "claims": contracts.claims.v1.EVENTS,
}


class IncompatibleSchemas(ValueError):
    """A released schema would change in a way that breaks someone; `args` are the sentences that say which."""


@dataclass(frozen=True, slots=True)
class MessageVersion:
    """One version of a message: `<type>.v<version>`, who sends it (a service, `notices`, `channel`), its model."""

    name: str
    sender: str
    model: type[BaseModel]

    def schema(self) -> dict[str, Any]:
        """Its JSON Schema: of what we write for our own messages, of what we take for those of channels."""
        mode: Literal["validation", "serialization"] = "validation" if self.sender == "channel" else "serialization"
        body = self.model.model_json_schema(mode=mode, schema_generator=_WithoutFieldTitles)
        return {"$schema": DIALECT, "$id": f"{self.name}.json", **body}


class _WithoutFieldTitles(GenerateJsonSchema):
    """Leaves out titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the parent asks with it
        return False


def message_versions() -> tuple[MessageVersion, ...]:
    """Every message that crosses a boundary, by name."""
    versions = [
        MessageVersion(schema_name(event), sender, event)
        for sender, events in {**EVENTS_BY_SERVICE, "notices": NOTICES}.items()
        for event in events
    ]
    versions += [MessageVersion(channel_message_name(model), "channel", model) for model in CHANNEL_MESSAGES]
    return tuple(sorted(versions, key=lambda version: version.name))


def channel_message_name(model: type[BaseModel]) -> str:
    """`<type>.v<version>` of a channel message, which names both in its own body."""
    name, version = (get_args(model.model_fields[field].annotation)[0] for field in ("type", "schema_version"))
    return f"{name}.v{version}"


def rendered(schema: Mapping[str, Any]) -> str:
    """The one text form of a schema, equal for equal schemas."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def released_names(folder: Path = SCHEMAS) -> frozenset[str]:
    """Names in the folder's RELEASED list, one a line; `#` starts a remark."""
    lines = (folder / RELEASED).read_text(encoding="utf-8").splitlines()
    return frozenset(stripped for line in lines if (stripped := line.partition("#")[0].strip()))


def broken_promises(schemas: Mapping[str, Mapping[str, Any]], folder: Path = SCHEMAS) -> list[str]:
    """What `schemas` (by name) would break of the released files in `folder`, a sentence each."""
    broken = []
    for name in sorted(released_names(folder)):
        file = folder / f"{name}.json"
        if not file.exists():
            broken.append(f"{file.name}: is released and its file is gone; restore it from version control")
        elif name not in schemas:
            broken.append(f"{file.name}: is released and no message declares it any more; keep its model in contracts")
        else:
            baseline = json.loads(file.read_text(encoding="utf-8"))
            broken += incompatibilities(file.name, baseline, schemas[name])
    return broken


def write(schemas: Mapping[str, Mapping[str, Any]], folder: Path = SCHEMAS) -> list[Path]:
    """Write the files that differ and remove those of messages that were never released; returns both.

    Raises IncompatibleSchemas, before a single file is touched, where a released schema would break.
    """
    broken = broken_promises(schemas, folder)
    if broken:
        raise IncompatibleSchemas(*broken)
    wanted = {folder / f"{name}.json": rendered(schema) for name, schema in schemas.items()}
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    abandoned = [path for path in folder.glob("*.json") if path not in wanted]
    for path in changed:
        path.write_text(wanted[path], encoding="utf-8")
    for path in abandoned:
        path.unlink()
    return sorted((*changed, *abandoned))


def main(say: Callable[[str], object] = sys.stdout.write) -> int:
    """Bring contracts/schemas up to date; 1 where that would break a released version."""
    try:
        changed = write({version.name: version.schema() for version in message_versions()})
    except IncompatibleSchemas as refusal:
        say("Nothing was written:\n")
        for sentence in refusal.args:
            say(f"  {sentence}\n")
        return 1
    say(f"{len(changed)} schema files changed.\n")
    for path in changed:
        say(f"  {path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
