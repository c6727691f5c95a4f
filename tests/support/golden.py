"""Golden files: one stored sample of each message and log event, written once and read for ever."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from contracts.schema_files import MessageVersion
from services.kernel.messages import DomainEvent

GOLDEN = Path(__file__).parents[1] / "contract" / "golden"


def wire_path(message: MessageVersion) -> Path:
    """Where the sample of a message that crosses a boundary lies: `wire/<sender>/<type>.v<version>.json`."""
    return GOLDEN / "wire" / message.sender / f"{message.name}.json"


def log_path(service: str, event: type[DomainEvent], version: int | None = None) -> Path:
    """Where the sample of a service's own event lies: `log/<service>/<type>.v<version>.json`, newest if not given."""
    return GOLDEN / "log" / service / f"{event.event_type}.v{version or event.schema_version}.json"


def content(sample: BaseModel) -> dict[str, Any]:
    """What was said in a sample, as JSON: fields added later with a default do not change it."""
    said: dict[str, Any] = json.loads(sample.model_dump_json(exclude_unset=True))
    return said


def write_missing(path: Path, sample: BaseModel) -> bool:
    """Write a sample where there is none yet; says whether it did. A golden file is never written again."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # The log keeps every field of an event; on the wire, what is absent is left out.
    said = json.loads(sample.model_dump_json(exclude_none=not isinstance(sample, DomainEvent)))
    path.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return True


def missing(paths: Mapping[str, Path]) -> list[str]:
    """Names of what has no golden file, with the place where it belongs."""
    return [f"{name}: {path.relative_to(GOLDEN)}" for name, path in sorted(paths.items()) if not path.exists()]
