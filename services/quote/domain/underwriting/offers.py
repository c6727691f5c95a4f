"""Other terms than were ordered: loadings on the premium, and coverages left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from contracts.vocabulary.products import CoverageTerms, CoverTerms
from services.quote.domain.products.rating.imposed import ImposedLoading
from services.quote.domain.products.ratio import Ratio
from services.quote.domain.products.underwriting import AuthorityLevel


def _untold(text: str | None) -> bool:
    return text is None


@dataclass(frozen=True, slots=True)
class Alteration:
    """A loading: `percent` of the premium, or `amount_minor`, on the named coverages, on all where none is named.

    `subject` is the path of the one insured that it is for, `code` the rule that it comes from, None where a person
    imposed it. `basis_minor` is only in events from before loadings were part of the rating: the premiums, by
    coverage, that a percentage was taken of.
    """

    percent: str | None = None
    amount_minor: int | None = None
    coverages: tuple[str, ...] = ()
    basis_minor: dict[str, int] | None = None
    subject: Annotated[str | None, Field(exclude_if=_untold)] = None
    code: Annotated[str | None, Field(exclude_if=_untold)] = None

    def imposed(self, name: str, by: str) -> ImposedLoading:
        """As the rating takes it; `name` and `by` say in the working where it comes from."""
        return ImposedLoading(
            name=name,
            by=by,
            percent=None if self.percent is None else Ratio.of(self.percent),
            amount_minor=self.amount_minor or 0,
            coverages=self.coverages,
            subject=self.subject,
        )


def open_until(offered_on: date, days: int, effective: date) -> date:
    """The last day of an offer: `days` after it was made, never later than the day on which its cover starts."""
    return min(offered_on + timedelta(days=days), effective)


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
