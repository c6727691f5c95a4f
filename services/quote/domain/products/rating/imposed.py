"""Loadings that underwriting imposes on one order: exact, before the one rounding, each a step of the working."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from services.quote.domain.products.rating.lookup import Entry
from services.quote.domain.products.rating.plan import applies
from services.quote.domain.products.ratio import Exact, Ratio, total
from services.quote.domain.products.tariff import RatedStep

Heads: TypeAlias = Callable[[str, int], int]
"""For how many heads a part stands, by coverage and place of its subject."""

_ORDER = "*"
_HUNDRED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImposedLoading:
    """A loading on one order: `percent` of the premium before loadings, or `amount_minor` once.

    It is for the coverages named, or all, and for the subject at `subject`, or each; an amount is shared between
    them in proportion to their premiums. `name` and `by` say where it comes from.
    """

    name: str
    by: str = "underwriting"
    percent: Ratio | None = None
    amount_minor: int = 0
    coverages: tuple[str, ...] = ()
    subject: str | None = None

    @property
    def origin(self) -> str:
        """Where it comes from, in the words of the working."""
        return f"loading {self.name}, by {self.by}"

    def is_for(self, code: str, path: str) -> bool:
        """Whether it loads this coverage of the subject at `path`; an empty path stands for all subjects together."""
        return applies(self.coverages, code) and (not path or self.subject in (None, path))


def percentages(imposed: Sequence[ImposedLoading], code: str, path: str) -> Iterator[Entry]:
    """The percentages for one coverage of one subject, as loadings of the tariff would be found."""
    for each in imposed:
        if each.percent is not None and each.is_for(code, path):
            yield Entry(each.percent.numerator, each.percent.denominator, each.percent.text, each.origin, "")


def with_amounts(
    parts: dict[str, list[Exact]],
    paths: Sequence[str],
    heads: Heads,
    imposed: Sequence[ImposedLoading],
    steps: list[RatedStep],
) -> dict[str, list[Exact]]:
    """The exact prices of a head, by coverage and subject (those at `paths`), with their shares of the imposed amounts.

    All `heads` of a part together bear its share; a member who joins later has the price of a head, loaded as well.
    Where nothing has a price, the first part with a head takes the amount.
    """
    for each in imposed:
        places = [(code, place) for code in parts for place, path in enumerate(paths) if each.is_for(code, path)]
        if each.percent is not None or not places:
            continue
        whole = total(parts[code][place].times(heads(code, place)) for code, place in places)
        bearing = places if whole.numerator else [at for at in places if heads(*at)][:1] or places[:1]
        loaded = {code: list(own) for code, own in parts.items()}
        for code, place in bearing:
            part = parts[code][place]
            if whole.numerator:
                share = part.times(each.amount_minor * whole.denominator, whole.numerator)
            else:
                share = Exact(each.amount_minor, heads(code, place) or 1)
            loaded[code][place] = total((part, share))
        parts = loaded
        codes = dict.fromkeys(code for code, _ in places)
        told_for = next(iter(codes)) if len(codes) == 1 else _ORDER
        words = f"{each.origin}, minor units" + ("" if len(places) == 1 else ", in proportion to the premiums")
        steps.append(RatedStep(told_for, each.subject or "", str(each.amount_minor), words, "", "loading"))
    return parts


def given_parts(
    code: str, premium_minor: int, subjects: int, imposed: Sequence[ImposedLoading], steps: list[RatedStep]
) -> list[Exact]:
    """A premium that an underwriter set for so many subjects together, with the percentages imposed on it."""
    steps.append(RatedStep(code, "", str(premium_minor), "premium set by the underwriter, minor units"))
    price = _with_percentages(Exact(premium_minor), code, imposed, steps)
    return [price, *(Exact(0) for _ in range(subjects - 1))]


def loaded_premiums(
    premiums: Mapping[str, int], imposed: Sequence[ImposedLoading], steps: list[RatedStep]
) -> dict[str, int]:
    """Premiums by coverage that no tariff gave, in minor units, with what is imposed on them, rounded once."""
    parts = {code: [_with_percentages(Exact(minor), code, imposed, steps)] for code, minor in premiums.items()}
    loaded = with_amounts(parts, ("",), lambda _code, _place: 1, imposed, steps)
    return {code: total(own).rounded_minor() for code, own in loaded.items()}


def _with_percentages(price: Exact, code: str, imposed: Sequence[ImposedLoading], steps: list[RatedStep]) -> Exact:
    """The price of all subjects together with its percentages, each of the price as it comes in."""
    loaded = [price]
    for numerator, denominator, value, origin, row in percentages(imposed, code, ""):
        loaded.append(price.times(numerator, denominator * _HUNDRED))
        steps.append(RatedStep(code, "", f"{value} %", origin, row, "loading"))
    return total(loaded)
