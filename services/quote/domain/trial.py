"""Trial premium: what an order would cost and whether it would be taken, decided by the same rules and not recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.money import instalments
from contracts.vocabulary.products import CoverageTerms
from contracts.vocabulary.time import add_months
from services.quote.domain import applications
from services.quote.domain.commands import SubmitApplication
from services.quote.domain.events import ApplicationEvent, PremiumRated
from services.quote.domain.products.rating.census import CensusRating
from services.quote.domain.products.tariff import RatedStep
from services.quote.domain.state import NothingYet

_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialInstalment:
    """One invoice that would be issued; the amount in minor units."""

    due: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFrequency:
    """A way of paying that the product offers, its premium and its invoices."""

    frequency: str
    premium_minor: int
    instalments: tuple[TrialInstalment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How an order would end (`outcome`, such as accepted or declined), with every fault and the price if there is one.

    Amounts are in minor units of `currency`; `working` is every step to them, `census` a group's headcount and rates.
    """

    outcome: str
    faults: tuple[Fault, ...]
    product: str
    product_version: int | None
    currency: str
    premium_minor: int | None
    coverages: tuple[CoverageTerms, ...]
    working: tuple[RatedStep, ...]
    frequencies: tuple[TrialFrequency, ...]
    census: CensusRating | None = None


def trial(command: SubmitApplication, *, at_our_price: bool) -> Trial:
    """Try an order. `at_our_price`: it names no premium of its own and takes the one that it is priced at."""
    events = _decided(command, at_our_price=at_our_price)
    rated = _rated(events)
    last = events[-1]
    return Trial(
        outcome=last.event_type.rpartition("_")[2],
        faults=tuple(getattr(last, "faults", ())),
        product=command.order.product,
        product_version=None if command.product is None else command.product.document.version,
        currency=command.order.currency,
        premium_minor=None if rated is None else rated.premium_minor,
        coverages=() if rated is None else rated.coverages,
        working=() if rated is None else rated.working,
        frequencies=() if rated is None else tuple(_frequencies(command)),
        census=None if rated is None else rated.census,
    )


def _decided(command: SubmitApplication, *, at_our_price: bool) -> Sequence[ApplicationEvent]:
    events = applications.decide(command, NothingYet())
    rated = _rated(events)
    if not at_our_price or rated is None:
        return events
    order = command.order.model_copy(update={"premium_minor": rated.premium_minor})
    return applications.decide(replace(command, order=order), NothingYet())


def _rated(events: Sequence[ApplicationEvent]) -> PremiumRated | None:
    return next((event for event in events if isinstance(event, PremiumRated)), None)


def _frequencies(command: SubmitApplication) -> Iterator[TrialFrequency]:
    """Each frequency that the product offers; a tariff may ask for it, so each is priced by itself."""
    if command.product is None:
        return
    for frequency in command.product.document.frequencies:
        order = command.order.model_copy(update={"frequency": frequency})
        rated = _rated(_decided(replace(command, order=order), at_our_price=True))
        if rated is None:
            continue
        count = frequency.instalments
        yield TrialFrequency(
            frequency=frequency,
            premium_minor=rated.premium_minor,
            instalments=tuple(
                TrialInstalment(
                    due=add_months(order.effective, place * _MONTHS_A_YEAR // count), amount_minor=amount_minor
                )
                for place, amount_minor in enumerate(instalments(rated.premium_minor, count))
            ),
        )
