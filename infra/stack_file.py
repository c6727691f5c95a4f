"""The file by which other commands find the running stack."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from infra.local.process import same_process

FILE_NAME = "stack.json"


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack. `created` is the start time of its supervisor, so that a reused pid is not taken for it."""

    pid: int
    created: float
    kafka: str
    postgres: str
    urls: dict[str, str]


def current_stack(folder: Path) -> Stack | None:
    """The stack that runs in the folder; what a killed one left behind does not count."""
    try:
        stack = Stack(**json.loads((folder / FILE_NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return stack if process_of(stack) is not None else None


def process_of(stack: Stack) -> psutil.Process | None:
    return same_process(stack.pid, stack.created)


def write_stack(folder: Path, stack: Stack) -> None:
    """A reader sees the whole file or none."""
    partial = folder / f"{FILE_NAME}.partial"
    with partial.open("w") as file:
        json.dump(asdict(stack), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / FILE_NAME)


def remove_stack(folder: Path) -> None:
    (folder / FILE_NAME).unlink(missing_ok=True)
