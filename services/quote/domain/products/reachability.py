"""Finds conditions that can never hold, and rules that others always decide before, by comparing boxes.

A condition is brought into alternatives of boxes: one range or set of values for each fact. That is exact for
what conditions can say; one that falls into too many boxes is taken to be reachable.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from services.quote.domain.products.conditions import Condition
from services.quote.domain.products.rules import FactValue

BOXES_MAX = 256

_LOWEST, _HIGHEST = -(10**18), 10**18


@dataclass(frozen=True, slots=True)
class Span:
    """Whole numbers from `low` to `high`, both included."""

    low: int = _LOWEST
    high: int = _HIGHEST


@dataclass(frozen=True, slots=True)
class Words:
    """Categories: these, or all but these."""

    words: frozenset[str]
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class NotTold:
    """The fact was not told."""


Allowed: TypeAlias = Span | Words | NotTold
Box: TypeAlias = Mapping[str, Allowed]


class _TooMany(Exception):
    """The condition has more alternatives than are compared."""


def boxes_of(condition: Condition, numeric: frozenset[str]) -> list[Box] | None:
    """The alternatives in which it holds: none where it never does, None where there are too many to tell.

    `numeric` names the facts that are numbers; all others are categories.
    """
    try:
        return _boxes(condition, numeric, wanted=True)
    except _TooMany:
        return None


def covered(box: Box, by: Iterable[Box]) -> bool:
    """Whether one of the boxes holds wherever `box` does."""
    return any(all(fact in box and _within(box[fact], allowed) for fact, allowed in larger.items()) for larger in by)


def _boxes(condition: Condition, numeric: frozenset[str], *, wanted: bool) -> list[Box]:
    if condition.negated is not None:
        return _boxes(condition.negated, numeric, wanted=not wanted)
    inner = condition.all if condition.all is not None else condition.any
    if inner is None:
        return _comparison(condition, numeric, wanted=wanted)
    parts = [_boxes(part, numeric, wanted=wanted) for part in inner]
    # What is not all of them is any that fails, and the other way round.
    if (condition.all is not None) is wanted:
        return _joined(parts)
    return _limited([box for part in parts for box in part])


def _joined(parts: Sequence[Sequence[Box]]) -> list[Box]:
    joined: list[Box] = [{}]
    for part in parts:
        joined = _limited([both for a, b in product(joined, part) if (both := _both(a, b)) is not None])
    return joined


def _limited(boxes: list[Box]) -> list[Box]:
    if len(boxes) > BOXES_MAX:
        raise _TooMany
    return boxes


def _comparison(condition: Condition, numeric: frozenset[str], *, wanted: bool) -> list[Box]:
    fact = condition.fact or ""
    limits: list[list[Allowed]] = []
    if condition.at_least is not None:
        limits.append([Span(low=condition.at_least)])
    if condition.at_most is not None:
        limits.append([Span(high=condition.at_most)])
    if condition.equals is not None:
        limits.append(_values((condition.equals,)))
    if condition.one_of is not None:
        limits.append(_values(condition.one_of))
    if condition.told is not None:
        limits.append(_anything(fact, numeric) if condition.told else [NotTold()])
    if wanted:
        return _joined([[{fact: allowed} for allowed in limit] for limit in limits])
    return _limited([{fact: allowed} for limit in limits for allowed in _complement(limit, fact, numeric)])


def _values(values: Iterable[FactValue]) -> list[Allowed]:
    numbers: list[Allowed] = [Span(value, value) for value in values if isinstance(value, int)]
    words = frozenset(value for value in values if isinstance(value, str))
    return [*numbers, Words(words)] if words else numbers


def _anything(fact: str, numeric: frozenset[str]) -> list[Allowed]:
    return [Span()] if fact in numeric else [Words(frozenset(), excluded=True)]


def _complement(limit: Sequence[Allowed], fact: str, numeric: frozenset[str]) -> list[Allowed]:
    if limit == [NotTold()]:
        return _anything(fact, numeric)
    left: list[Allowed] = [NotTold()]
    words = [allowed for allowed in limit if isinstance(allowed, Words)]
    if words:
        return left if words[0].excluded else [*left, Words(words[0].words, excluded=True)]
    low = _LOWEST
    for span in sorted((allowed for allowed in limit if isinstance(allowed, Span)), key=lambda span: span.low):
        if low < span.low:
            left.append(Span(low, span.low - 1))
        low = max(low, span.high + 1)
    return [*left, Span(low)] if low <= _HIGHEST else left


def _both(a: Box, b: Box) -> Box | None:
    both = dict(a)
    for fact, allowed in b.items():
        met = _met(both[fact], allowed) if fact in both else allowed
        if met is None:
            return None
        both[fact] = met
    return both


def _met(a: Allowed, b: Allowed) -> Allowed | None:
    match a, b:
        case Span(), Span():
            span = Span(max(a.low, b.low), min(a.high, b.high))
            return span if span.low <= span.high else None
        case Words(), Words():
            return _words_met(a, b)
        case NotTold(), NotTold():
            return a
        case _:
            return None


def _words_met(a: Words, b: Words) -> Words | None:
    if a.excluded and b.excluded:
        return Words(a.words | b.words, excluded=True)
    if a.excluded or b.excluded:
        some, out = (b, a) if a.excluded else (a, b)
        left = some.words - out.words
    else:
        left = a.words & b.words
    return Words(left) if left else None


def _within(small: Allowed, large: Allowed) -> bool:
    return _met(small, large) == small
