"""What members of a group are charged beyond their exact prices: one blended rate per head, and parts of a term."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.vocabulary.money import split, unearned
from services.quote.domain.products.group_terms import CENSUS_PATH, CLASS_FACT, Blending
from services.quote.domain.products.rating.census import BlendedRate, blended_by_class, blended_rate
from services.quote.domain.products.rating.lookup import NoRate
from services.quote.domain.products.ratio import Exact, proportions, total
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.tariff import RatedStep

JOINER_STEPS_MAX = 300
"""Days of joining that the working tells one by one; with more of them it tells a sum for each kind of member."""

_ORDER = "*"


@dataclass(frozen=True, slots=True)
class _Item:
    """`heads` who join on one day: what each costs for the whole term, and for the days that are left of it."""

    place: int
    joins: date
    heads: int
    each_minor: int
    item_minor: int
    days_left: int


def head_prices(parts: Mapping[str, Sequence[Exact]], subjects: Sequence[Subject]) -> dict[int, int]:
    """What a head costs for the whole term, in minor units, by the place of each subject with joiners."""
    return {
        place: total(own[place] for own in parts.values()).rounded_minor()
        for place, subject in enumerate(subjects)
        if subject.joiners
    }


def with_joiners(
    premiums: Mapping[str, int],
    parts: Mapping[str, Sequence[Exact]],
    heads_minor: Mapping[int, int],
    subjects: Sequence[Subject],
    term: tuple[date, date],
    steps: list[RatedStep],
) -> dict[str, int]:
    """The premiums and the unearned part of each joiner's own at the day of joining, rounded for each joiner.

    `parts` are exact prices of a head, `term` is `[effective, expiry)`.
    """
    items = list(_items(heads_minor, subjects, term))
    found = dict(premiums)
    for item in items:
        weights = proportions({code: own[item.place] for code, own in parts.items()})
        if any(weights.values()):
            for code, part in split(item.item_minor, weights).items():
                found[code] += part * item.heads
    steps += _told(items, subjects, term)
    return found


def blended(
    wanted: Blending,
    premiums: dict[str, int],
    exact: Mapping[str, Sequence[Exact]],
    subjects: Sequence[Subject],
    term: tuple[date, date] | None,
    steps: list[RatedStep],
) -> tuple[dict[str, int], dict[int, int]]:
    """Premiums at one rate for every head, rounded once, and the rate of each subject with joiners, by its place.

    `exact` is what all heads of a subject cost. Raises NoRate where nobody of a joiner's class, or of the group, is
    covered from the first day: there is nothing then to blend.
    """
    premium_minor, heads = sum(premiums.values()), sum(subject.count for subject in subjects)
    if not heads:
        raise NoRate("heads that are covered from the first day", CENSUS_PATH)
    rates = {"": blended_rate(premium_minor, heads)}
    if wanted == "class":
        rates = blended_by_class(premium_minor, exact, subjects)
    for name, rate in rates.items():
        said = f"blended rate per head{f' of class {name}' if name else ''}: {rate.premium_minor} minor units by tariff"
        steps.append(RatedStep(_ORDER, "", str(rate.per_head_minor), f"{said}, {rate.heads} heads", "", "blended"))
    found = {
        place: _rate_of(subject, rates, wanted).per_head_minor
        for place, subject in enumerate(subjects)
        if subject.joiners
    }
    items = [] if term is None else list(_items(found, subjects, term))
    whole_minor = sum(rate.per_head_minor * rate.heads for rate in rates.values())
    whole_minor += sum(item.item_minor * item.heads for item in items)
    if term is not None:
        steps += _told(items, subjects, term)
    return (split(whole_minor, premiums) if any(premiums.values()) else premiums), found


def _rate_of(subject: Subject, rates: Mapping[str, BlendedRate], wanted: Blending) -> BlendedRate:
    name = "" if wanted == "group" else str(subject.facts.get(CLASS_FACT, ""))
    if name not in rates:
        raise NoRate(f"class {name}, of which nobody is covered from the first day", subject.path)
    return rates[name]


def _items(heads_minor: Mapping[int, int], subjects: Sequence[Subject], term: tuple[date, date]) -> Iterator[_Item]:
    effective, expiry = term
    for place, each_minor in heads_minor.items():
        for joins, heads in subjects[place].joiners:
            days_left = (expiry - joins).days
            item_minor = unearned(each_minor, days_left, (expiry - effective).days)
            yield _Item(place, joins, heads, each_minor, item_minor, days_left)


def _told(items: Sequence[_Item], subjects: Sequence[Subject], term: tuple[date, date]) -> Iterator[RatedStep]:
    """The joiners as steps of the working: each day of each kind of member, or each kind where that is too much."""
    if len(items) <= JOINER_STEPS_MAX:
        days = (term[1] - term[0]).days
        for item in items:
            said = f"from {item.joins}, {item.days_left} of {days} days: {item.item_minor} of {item.each_minor}"
            yield _step(subjects[item.place], item.item_minor * item.heads, item.heads, f"{said} minor units each")
        return
    by_kind: dict[int, list[_Item]] = {}
    for item in items:
        by_kind.setdefault(item.place, []).append(item)
    for place, own in by_kind.items():
        said = f"from {own[0].joins} to {own[-1].joins}, each the unearned part of {own[0].each_minor} minor units"
        heads = sum(item.heads for item in own)
        yield _step(subjects[place], sum(item.item_minor * item.heads for item in own), heads, said)


def _step(subject: Subject, amount_minor: int, heads: int, said: str) -> RatedStep:
    # What tells them apart comes last: a long working keeps the beginning of it.
    who = f"; {subject.counted_as}" if subject.counted_as else ""
    return RatedStep(_ORDER, subject.path, str(amount_minor), f"{heads} joining {said}{who}", "", "joiners")
