"""What a line of business has to say about itself: which facts its risks offer to tariffs and underwriting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from contracts.vocabulary.persons import Answer

FactValue: TypeAlias = str | int
Joiners: TypeAlias = tuple[tuple[date, int], ...]
"""Heads by the day that they join, the first day first."""


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

    `answers` are a person's own disclosures, None where there is nobody to ask. `cover` maps the coverages
    that insure the subject to its own sum insured in minor units; None means all of the order, as it has them.
    `count` is how many heads it stands for from the first day on: members of a group who are priced alike are
    rated once, and `counted_as` says who they are. `joiners` are those of them who are covered from a later day.
    """

    path: str
    facts: Mapping[str, FactValue]
    answers: Mapping[str, Answer] | None = None
    cover: Mapping[str, int | None] | None = None
    count: int = 1
    counted_as: str = ""
    joiners: Joiners = ()

    @property
    def heads(self) -> int:
        """All who are covered at some time of the term."""
        return self.count + sum(heads for _, heads in self.joiners)

    def is_insured_by(self, coverage: str) -> bool:
        """Whether a coverage of the order insures this subject."""
        return self.cover is None or coverage in self.cover

    def sum_insured_minor(self, coverage: str, of_order_minor: int | None) -> int | None:
        """The subject's own sum insured under a coverage, else that of the order."""
        return of_order_minor if self.cover is None else self.cover[coverage]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRules:
    """A line as data: its facts, and how a risk yields them on the day that cover starts.

    Rating and refusal are the same for all lines: they work on facts and the product's own document.
    `asks_persons` says that insured persons answer disclosures of their own; `census_path` is where a group's
    members stand in the order, None for a line without a census.
    """

    facts: Mapping[str, Fact]
    subjects: Callable[[Any, date], tuple[Subject, ...]]
    asks_persons: bool = False
    census_path: str | None = None
