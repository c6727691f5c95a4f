"""The project's Python files, parsed once, for the tests that read source text."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parents[2]
PARTS = ("contracts", "services", "infra", "tests")

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file: its path below the project's root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def is_test(self) -> bool:
        """Whether the file belongs to the tests."""
        return self.path.startswith("tests/")

    @property
    def module(self) -> str:
        """The last part of the import path: the file's name, or its folder's for a package."""
        path = Path(self.path)
        return path.parent.name if path.stem == "__init__" else path.stem

    def functions(self) -> Iterator[Function]:
        """Every function and method."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def classes(self) -> Iterator[ast.ClassDef]:
        """Every class."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                yield node


def planted(text: str, path: str = "services/policy/planted.py") -> Source:
    """A made-up file, to see a rule fail."""
    return Source(path, text, ast.parse(text))


@cache
def sources(*parts: str) -> tuple[Source, ...]:
    """All files of these top folders (all four where none is named), in a fixed order."""
    files = [path for part in parts or PARTS for path in sorted((ROOT / part).rglob("*.py"))]
    return tuple(planted(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()) for path in files)
