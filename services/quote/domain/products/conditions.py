"""Conditions of underwriting rules: comparisons of facts with and, or and not, compiled once into closures."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import Field, SerializerFunctionWrapHandler, Strict, StringConstraints, model_serializer

from services.quote.domain.products.part import DocumentPart, PlainText
from services.quote.domain.products.rules import FactValue

FactReference = Annotated[
    str,
    StringConstraints(pattern=r"^((order|customer|channel)\.)?[a-z][a-z_]{0,39}(\.[A-Za-z0-9][A-Za-z0-9-]{0,39})?$"),
]
Number = Annotated[int, Strict()]
Value: TypeAlias = Number | PlainText

Facts: TypeAlias = Mapping[str, FactValue]
Test: TypeAlias = Callable[[Facts, Facts], bool]
"""Whether a condition holds for the facts of a subject and those of the application."""

APPLICATION_PREFIXES = ("order.", "customer.", "channel.")


def is_of_application(fact: str) -> bool:
    """Whether a fact belongs to the application as a whole, and not to each subject."""
    return fact.startswith(APPLICATION_PREFIXES)


class Condition(DocumentPart):
    """One of: `all` or `any` of some conditions, `not` one, or a comparison of a `fact`.

    A comparison may have several limits, which must all hold; `at_least` and `at_most` include their value.
    A fact that was not told meets no limit; `told` asks for that itself.
    """

    all: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=50)] | None = None
    any: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=50)] | None = None
    negated: "Condition | None" = Field(default=None, alias="not")
    fact: FactReference | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    equals: Value | None = None
    one_of: Annotated[tuple[Value, ...], Field(min_length=1, max_length=200)] | None = None
    told: Annotated[bool, Strict()] | None = None

    @model_serializer(mode="wrap")
    def _as_written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = write(self)
        return {"not" if name == "negated" else name: said for name, said in content.items() if said is not None}

    @property
    def parts(self) -> Iterator[tuple[str, "Condition"]]:
        """The conditions inside, each with its path from here."""
        for name, inner in (("all", self.all), ("any", self.any)):
            for place, part in enumerate(inner or ()):
                yield f"{name}.{place}", part
        if self.negated is not None:
            yield "not", self.negated

    @property
    def facts(self) -> frozenset[str]:
        """The names of all facts that it looks at."""
        own = frozenset() if self.fact is None else frozenset((self.fact,))
        return own.union(*(part.facts for _, part in self.parts))


def compiled(condition: Condition) -> Test:
    """The condition as a function; the document was checked, so nothing is left to find out when it is called."""
    if condition.all is not None:
        return _every(tuple(compiled(part) for part in condition.all))
    if condition.any is not None:
        return _some(tuple(compiled(part) for part in condition.any))
    if condition.negated is not None:
        inner = compiled(condition.negated)
        return lambda subject, application: not inner(subject, application)
    return _every(tuple(_limits(condition)))


def _every(tests: tuple[Test, ...]) -> Test:
    """Pairs of pairs: a loop over the tests takes twice as long."""
    first, others = tests[0], tests[1:]
    if not others:
        return first
    second = _every(others)
    return lambda subject, application: first(subject, application) and second(subject, application)


def _some(tests: tuple[Test, ...]) -> Test:
    first, others = tests[0], tests[1:]
    if not others:
        return first
    second = _some(others)
    return lambda subject, application: first(subject, application) or second(subject, application)


def _limits(condition: Condition) -> Iterator[Test]:
    name = condition.fact or ""
    holds: list[Callable[[FactValue | None], bool]] = []
    if condition.at_least is not None:
        holds.append(_at_least(condition.at_least))
    if condition.at_most is not None:
        holds.append(_at_most(condition.at_most))
    if condition.equals is not None:
        holds.append(_among(frozenset((condition.equals,))))
    if condition.one_of is not None:
        holds.append(_among(frozenset(condition.one_of)))
    if condition.told is not None:
        holds.append(_told(told=condition.told))
    for hold in holds:
        yield _of_application(name, hold) if is_of_application(name) else _of_subject(name, hold)


def _of_subject(name: str, holds: Callable[[FactValue | None], bool]) -> Test:
    return lambda subject, _: holds(subject.get(name))


def _of_application(name: str, holds: Callable[[FactValue | None], bool]) -> Test:
    return lambda _, application: holds(application.get(name))


def _at_least(limit: int) -> Callable[[FactValue | None], bool]:
    return lambda value: isinstance(value, int) and value >= limit


def _at_most(limit: int) -> Callable[[FactValue | None], bool]:
    return lambda value: isinstance(value, int) and value <= limit


def _among(values: frozenset[FactValue]) -> Callable[[FactValue | None], bool]:
    return lambda value: value in values


def _told(*, told: bool) -> Callable[[FactValue | None], bool]:
    return lambda value: (value is not None) is told
