"""What a group product says beyond its coverages: classes, headcount, leavers, and how a census is counted."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, Strict

from contracts.vocabulary.identifiers import CoverageCode
from contracts.vocabulary.lines.group import MEMBERS_MAX, ClassCode, GroupMember
from contracts.vocabulary.money import PositiveMinor
from contracts.vocabulary.products import COVERAGES_MAX
from services.quote.domain.products.part import DocumentPart, Title
from services.quote.domain.products.rules import FactValue, Subject
from services.quote.domain.products.tariff import ByDay, ShortPeriod

CLASSES_MAX = 50
CENSUS_PATH = "risk.members"
AGE_FACT = "age"
CLASS_FACT = "cover_class"
RELATION_FACT = "relation"
_TOLD_APART_BY = (AGE_FACT, "gender", CLASS_FACT, RELATION_FACT)


class ClassOfCover(DocumentPart):
    """A class that an employer puts members in: the coverages that insure them, each with the sum per member.

    A sum is null for a coverage without one. Of these coverages a class has what the order buys.
    """

    code: ClassCode
    title: Title
    sums_insured_minor: Annotated[
        dict[CoverageCode, PositiveMinor | None], Field(min_length=1, max_length=COVERAGES_MAX)
    ]


class AgeBand(DocumentPart):
    """Ages that are counted together, both included."""

    at_least: Annotated[int, Strict(), Field(ge=0, le=130)]
    at_most: Annotated[int, Strict(), Field(ge=0, le=130)]

    def __str__(self) -> str:
        return f"{self.at_least} to {self.at_most}"

    def holds(self, age: int) -> bool:
        """Whether the age is of this band."""
        return self.at_least <= age <= self.at_most


Blending: TypeAlias = Literal["group", "class"]


class Leavers(DocumentPart):
    """What a member who leaves within the term has cost: `keeps` of the premium, by day or by months begun.

    The rest is given back; nothing of it after a claim, unless `refund_after_claim`.
    """

    keeps: ShortPeriod = ByDay(method="by-day")
    refund_after_claim: bool = False


class GroupTerms(DocumentPart):
    """What only a group has. Members of the same facts and age band are rated once and counted.

    The tariff's own age bands are made of whole `age_bands`. `minimum_headcount` counts those who are covered from the
    first day. With `names_required` each of these is named; who joins later is named on that day. `blended` asks for
    one rate per head, of the whole group or of each class, instead of each member's own.
    """

    minimum_headcount: Annotated[int, Strict(), Field(ge=1, le=MEMBERS_MAX)]
    classes: Annotated[tuple[ClassOfCover, ...], Field(min_length=1, max_length=CLASSES_MAX)]
    age_bands: Annotated[tuple[AgeBand, ...], Field(min_length=1, max_length=50)]
    names_required: bool = False
    blended: Blending | None = None
    leavers: Leavers = Leavers()


def joins_later(member: GroupMember, effective: date) -> bool:
    """Whether a member is covered from a later day than the first."""
    return member.joins is not None and member.joins > effective


def counted(subjects: Sequence[Subject], bands: Sequence[AgeBand]) -> tuple[Subject, ...]:
    """The census by band and facts, in the order of the first member of each: one subject with its count.

    Its path is that of the first member. A member of no band stays alone, for the tariff to find no rate for.
    """
    of_age = {age: band for band in bands for age in range(band.at_least, band.at_most + 1)}
    groups: dict[tuple[tuple[str, FactValue], ...], Subject] = {}
    joiners: dict[tuple[tuple[str, FactValue], ...], Counter[date]] = {}
    for subject in subjects:
        band = of_age.get(_age(subject.facts))
        facts = subject.facts if band is None else {**subject.facts, AGE_FACT: band.at_least}
        key = tuple(facts.items())
        first = groups.get(key)
        if first is None:
            label = _label(subject.facts if band is None else {**subject.facts, AGE_FACT: str(band)})
            groups[key] = replace(subject, facts=facts, counted_as=label)
        else:
            groups[key] = replace(first, count=first.count + subject.count)
        for joins, heads in subject.joiners:
            joiners.setdefault(key, Counter())[joins] += heads
    for key, days in joiners.items():
        groups[key] = replace(groups[key], joiners=tuple(sorted(days.items())))
    return tuple(groups.values())


def _age(facts: Mapping[str, FactValue]) -> int:
    age = facts.get(AGE_FACT)
    return age if isinstance(age, int) else -1


def _label(facts: Mapping[str, FactValue]) -> str:
    return "members of " + ", ".join(f"{name} {facts[name]}" for name in _TOLD_APART_BY if name in facts)


def class_sums(terms: GroupTerms) -> Iterator[tuple[str, Mapping[str, int | None]]]:
    """Each class with its sums insured by coverage, in minor units."""
    for each in terms.classes:
        yield each.code, each.sums_insured_minor
