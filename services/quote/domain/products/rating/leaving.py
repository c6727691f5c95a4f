"""What is given back for a member who leaves a group within the term, by the rule of the product's document."""

from dataclasses import dataclass
from datetime import date

from contracts.vocabulary.money import divide_half_up, unearned
from services.quote.domain.products.group_terms import Leavers
from services.quote.domain.products.rating.short_period import short_share
from services.quote.domain.products.tariff import ByDay


@dataclass(frozen=True, slots=True)
class MemberTerm:
    """The contract's days `[effective, expiry)`, and the first day that the member is covered, `starts`."""

    effective: date
    expiry: date
    starts: date

    @property
    def days(self) -> int:
        """Days of the whole contract."""
        return (self.expiry - self.effective).days

    def unearned_minor(self, premium_minor: int, day: date) -> int:
        """The part of a premium for the whole term that pays for the days from `day` on."""
        return unearned(premium_minor, (self.expiry - day).days, self.days)


def given_back(rule: Leavers, premium_minor: int, term: MemberTerm, until: date, *, claimed: bool) -> tuple[int, str]:
    """Minor units for one who is covered up to the day before `until`, with the wording of how.

    `premium_minor` is what the member costs for the whole term. It is never more than what the member was charged.
    """
    if claimed and not rule.refund_after_claim:
        return 0, "nothing is given back after a claim"
    charged_minor = term.unearned_minor(premium_minor, term.starts)
    if until <= term.starts:
        return charged_minor, f"cover would begin on {term.starts}; all is given back"
    if isinstance(rule.keeps, ByDay):
        left = (term.expiry - until).days
        return term.unearned_minor(premium_minor, until), f"{left} of {term.days} days"
    numerator, denominator, words = short_share(rule.keeps, term.starts, until, term.expiry)
    # A premium for a short term is a share of the yearly one already.
    whole, of_whole, _ = short_share(rule.keeps, term.effective, term.expiry, term.expiry)
    kept_minor = divide_half_up(premium_minor * numerator * of_whole, denominator * whole)
    return max(charged_minor - kept_minor, 0), f"{words}: {kept_minor} of {charged_minor} minor units are kept"
