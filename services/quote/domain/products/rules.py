"""What a line of business has to say about itself: which facts its risks offer to tariffs and underwriting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from contracts.vocabulary.products import ProductLine

FactValue: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that product documents may build on: the order's field behind it, and whether it is a number.

    `values` are all that a category can be, where the line knows them.
    """

    field: str
    numeric: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that is rated by itself, with its facts; `path` says where it stands in the order.

    `count` is how many heads it stands for: a group may tell a headcount instead of members one by one.
    """

    path: str
    facts: Mapping[str, FactValue]
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRules:
    """A line as data: its facts, and how a risk yields them on the day that cover starts.

    Rating and refusal are the same for all lines: they work on facts and the product's own document.
    """

    line: ProductLine
    facts: Mapping[str, Fact]
    subjects: Callable[[Any, date], tuple[Subject, ...]]
