"""Copies the project, plants violations in the copy and runs the project's own linters there."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.architecture.sources import ROOT

LINT_SECONDS_MAX = 60
_LINTED = ("contracts", "services", "infra")
_EDGE = re.compile(r"([\w.]+) -> ([\w.]+)")


@dataclass(frozen=True)
class Plant:
    """An import that a rule forbids: written at the end of `module`, reported as `importer -> imported`."""

    module: str
    imported: str

    @property
    def edge(self) -> tuple[str, str]:
        """How the report names it. Packages from elsewhere are reported by their first name."""
        ours = self.imported.startswith(tuple(f"{part}." for part in _LINTED))
        return (self.module, self.imported if ours else self.imported.split(".")[0])


def copy_of_the_project(folder: Path) -> Path:
    """A copy of everything that the linters read."""
    for part in _LINTED:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def plant(folder: Path, plants: Iterable[Plant]) -> None:
    """Write the imports into the copy; a module that does not exist is made."""
    for each in plants:
        path = folder / each.module.replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        with file.open("a", encoding="utf-8") as opened:
            opened.write(f"\nimport {each.imported}\n")


def broken_import_rules(folder: Path) -> Mapping[str, frozenset[tuple[str, str] | str]]:
    """Broken rules by name, each with the imports (and the words of exhaustive rules) that break it."""
    program = (
        "import sys; sys.path.insert(0, '.'); sys.argv[0] = 'lint-imports'; "
        "from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    done = _run(folder, [sys.executable, "-c", program, "--no-cache"])
    if done.returncode not in (0, 1) or "Contracts:" not in done.stdout:
        raise RuntimeError(f"import-linter did not run:\n{done.stdout}{done.stderr}")
    broken: defaultdict[str, set[tuple[str, str] | str]] = defaultdict(set)
    rule = ""
    details = done.stdout.partition("Broken contracts")[2].splitlines()
    for line, below in pairwise([*details, ""]):
        if line and below and set(below) == {"-"}:
            rule = line
        elif rule:
            broken[rule].update(_EDGE.findall(line))
            with contextlib.suppress(ValueError):
                broken[rule].add(line[line.index("services.") :].strip())
    return {name: frozenset(found) for name, found in broken.items()}


def banned_calls(folder: Path, file: str) -> frozenset[str]:
    """Names that ruff's banned-api rule reports in a file of the copy."""
    done = _run(folder, [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=json", file])
    found = json.loads(done.stdout)
    return frozenset(
        re.findall(r"`([\w.]+)` is banned", " ".join(f["message"] for f in found if f["code"] == "TID251"))
    )


def _run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    # A wide terminal without colours: rules and imports are then one line each.
    environment = {**os.environ, "COLUMNS": "1000", "NO_COLOR": "1", "PYTHONPATH": ""}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LINT_SECONDS_MAX, check=False
    )
