"""Other terms than were ordered: loadings on the premium, and coverages left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contracts.vocabulary.money import divide_half_up, split
from contracts.vocabulary.products import CoverageTerms, CoverTerms
from services.quote.domain.products.ratio import Ratio
from services.quote.domain.products.underwriting import AuthorityLevel


@dataclass(frozen=True, slots=True)
class Alteration:
    """A loading: `percent` of the premium, or `amount_minor`, on the named coverages, on all where none is named.

    `basis_minor` are the premiums that a percentage is taken of, by coverage, where it is not the whole one: the
    premium of one insured person, say.
    """

    percent: str | None = None
    amount_minor: int | None = None
    coverages: tuple[str, ...] = ()
    basis_minor: dict[str, int] | None = None


def altered(
    coverages: Sequence[CoverageTerms], alterations: Iterable[Alteration], excluded: Iterable[str]
) -> tuple[CoverageTerms, ...]:
    """The coverages that are left, with their loadings; each loading is rounded once, and none is taken of another."""
    left_out = frozenset(excluded)
    left = {coverage.code: coverage for coverage in coverages if coverage.code not in left_out}
    loadings = dict.fromkeys(left, 0)
    for alteration in alterations:
        named = [code for code in left if not alteration.coverages or code in alteration.coverages]
        for code, amount_minor in _loading(alteration, {code: left[code].premium_minor for code in named}).items():
            loadings[code] += amount_minor
    return tuple(
        coverage.model_copy(update={"premium_minor": coverage.premium_minor + loadings[code]})
        for code, coverage in left.items()
    )


def with_coverages(terms: CoverTerms, coverages: tuple[CoverageTerms, ...]) -> CoverTerms:
    """The same terms for these coverages at their premiums."""
    premium_minor = sum(coverage.premium_minor for coverage in coverages)
    return terms.model_copy(update={"coverages": coverages, "premium_minor": premium_minor})


def sum_insured_minor(terms: CoverTerms) -> int:
    """The sums insured of all coverages together; unlimited ones count nothing."""
    return sum(coverage.sum_insured_minor or 0 for coverage in terms.coverages)


def level_needed(authority: Sequence[AuthorityLevel], terms: CoverTerms) -> int:
    """The least level that may accept these terms: 0 where anybody may, one above the highest where none suffices."""
    insured_minor = sum_insured_minor(terms)
    for level in authority:
        if level.suffices(terms.premium_minor, insured_minor):
            return level.level
    return authority[-1].level + 1 if authority else 0


def _loading(alteration: Alteration, premiums: Mapping[str, int]) -> dict[str, int]:
    if not premiums:
        return {}
    if alteration.percent is None:
        # In proportion to the premiums; where there are none, to nobody's disadvantage on the first coverage.
        amount_minor = alteration.amount_minor or 0
        return split(amount_minor, premiums) if any(premiums.values()) else {next(iter(premiums)): amount_minor}
    ratio = Ratio.of(alteration.percent)
    basis = premiums if alteration.basis_minor is None else alteration.basis_minor
    return {code: divide_half_up(basis.get(code, 0) * ratio.numerator, ratio.denominator * 100) for code in premiums}
