"""The rules of a counter-offer: made by an underwriter, taken or refused by the customer, or lapsed."""

from datetime import date

from services.kernel.errors import CommandRefused
from services.quote.domain.events import ApplicationAccepted, ApplicationEvent
from services.quote.domain.order import Order
from services.quote.domain.pricing import Price, price
from services.quote.domain.products import subjects_of
from services.quote.domain.products.disclosures import declared
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.referral_guards import (
    check_authority,
    counted_under,
    names_of,
    referred_now,
    standing_offer,
    undecided,
)
from services.quote.domain.releases import last_day_to_pay
from services.quote.domain.state import Application, Referral
from services.quote.domain.underwriting.commands import (
    ExpireApplication,
    MakeCounterOffer,
    RefuseCounterOffer,
    TakeCounterOffer,
    WithdrawApplication,
)
from services.quote.domain.underwriting.events import (
    ApplicationExpired,
    ApplicationReferred,
    ApplicationWithdrawn,
    CounterOffered,
    CounterOfferRefused,
    CounterOfferTaken,
)
from services.quote.domain.underwriting.offers import open_until, with_coverages


def make(command: MakeCounterOffer, state: Application) -> list[ApplicationEvent]:
    """Offer other terms, within the underwriter's authority."""
    outcome = state.outcome
    referred = None if state.referral is None else state.referral.referred
    if referred is None:
        raise CommandRefused(
            "counter_offer_open", "the product's rules made an offer; the customer takes or refuses it"
        )
    priced = _priced(command, state.order, referred)
    coverages = priced.rated or ()
    terms = with_coverages(referred.terms, coverages)
    if isinstance(outcome, CounterOffered) and (outcome.terms, outcome.offered_by) == (terms, command.offered_by):
        return []
    referred_now(state, command.order_no)
    _check_not_started(command.offered_on, state.order)
    if referred.priced and coverages == referred.terms.coverages:
        raise CommandRefused("offer_changes_nothing", "the offer is what was ordered; accept the application instead")
    check_authority(command.level, command.offered_by, referred.authority, terms)
    return [
        CounterOffered(
            terms=terms,
            rated_minor=referred.terms.premium_minor if referred.priced else None,
            alterations=command.alterations,
            excluded=command.excluded,
            reasons=referred.reasons,
            valid_until=open_until(command.offered_on, referred.offer_valid_days, state.order.effective),
            offered_by=command.offered_by,
            reason=command.reason,
            referred_for=referred.reasons[0].code,
            pay_within_days=referred.pay_within_days,
            working=priced.working,
        )
    ]


def _priced(command: MakeCounterOffer, order: Order, referred: ApplicationReferred) -> Price:
    ordered = {coverage.code: coverage for coverage in referred.terms.coverages}
    premiums = dict(command.premiums)
    named = {*command.excluded, *premiums, *(code for one in command.alterations for code in one.coverages)}
    if unknown := sorted(named - ordered.keys()):
        raise CommandRefused(
            "coverage_not_ordered", f"{', '.join(unknown)} is not in this order; it has {', '.join(ordered)}"
        )
    if kept := sorted(set(command.excluded) & set(referred.mandatory)):
        raise CommandRefused(
            "coverage_mandatory", f"the product is not sold without {', '.join(kept)}; decline instead"
        )
    missing = sorted(ordered.keys() - premiums.keys() - set(command.excluded))
    if not referred.priced and missing:
        raise CommandRefused("premium_missing", f"the tariff has no rate; give the premium of {', '.join(missing)}")
    if not ordered.keys() - set(command.excluded):
        raise CommandRefused("nothing_left", "the offer leaves no coverage; decline the application instead")
    priced = price(
        order.without(command.excluded),
        ProductVersion.of(command.product),
        declared(subjects_of(order.risk, order.effective), order.disclosures),
        [one.imposed(command.reason, command.offered_by) for one in command.alterations],
        premiums,
    )
    if priced.rated is None:
        raise CommandRefused("not_priced", "; ".join(fault.message for fault in priced.faults))
    return priced


def take(command: TakeCounterOffer, state: Application, referral: Referral) -> list[ApplicationEvent]:
    """Accept on the offered terms; after its last day an offer cannot be taken."""
    if referral.offer_taken:
        return []
    offer = standing_offer(state, command.order_no)
    # Offers of before may be open for longer than to the day on which cover starts.
    _check_not_started(command.taken_on, state.order)
    if command.taken_on > offer.valid_until:
        raise CommandRefused("counter_offer_lapsed", f"the counter-offer was open to {offer.valid_until}; order anew")
    return [
        CounterOfferTaken(**names_of(state), taken_by=command.taken_by),
        ApplicationAccepted(
            terms=offer.terms,
            decided_by=offer.offered_by,
            reason=offer.reason,
            referred_for=offer.referred_for,
            customer=state.order.policyholder_id,
            pay_by=last_day_to_pay(offer.pay_within_days, command.taken_on),
            placed_on=state.order.placed_at.date(),
        ),
    ]


def _check_not_started(day: date, order: Order) -> None:
    if day > order.effective:
        raise CommandRefused(
            "cover_started", f"cover would have started on {order.effective}; let the customer order anew"
        )


def withdraw(command: RefuseCounterOffer | WithdrawApplication, state: Application) -> list[ApplicationEvent]:
    """End the application at the customer's wish."""
    if isinstance(state.outcome, ApplicationWithdrawn):
        return []
    names = names_of(state)
    if isinstance(command, RefuseCounterOffer):
        offer = standing_offer(state, command.order_no)
        return [
            CounterOfferRefused(**names, refused_by=command.refused_by),
            ApplicationWithdrawn(
                **names,
                withdrawn_by=command.refused_by,
                reason="the counter-offer was refused",
                referred_for=offer.referred_for,
            ),
        ]
    waiting = undecided(state, command.order_no)
    return [
        ApplicationWithdrawn(
            **names,
            withdrawn_by=command.withdrawn_by,
            reason=command.reason,
            referred_for=counted_under(waiting),
        )
    ]


def expire(command: ExpireApplication, state: Application, referral: Referral) -> list[ApplicationEvent]:
    """End an application whose offer or question was not answered in time."""
    if isinstance(state.outcome, ApplicationExpired):
        return []
    waiting = undecided(state, command.order_no)
    waits = waiting if isinstance(waiting, CounterOffered) else referral.question
    if waits is None:
        raise CommandRefused(
            "nothing_to_expire", f"order {command.order_no} waits for the underwriter, not for the customer"
        )
    until = waits.valid_until if isinstance(waits, CounterOffered) else waits.until
    if command.expired_on <= until:
        raise CommandRefused("not_expired", f"the customer may answer up to and including {until}")
    return [
        ApplicationExpired(**names_of(state), expired_on=command.expired_on, referred_for=counted_under(waiting)),
    ]
