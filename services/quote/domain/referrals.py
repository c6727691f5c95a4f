"""The rules of a referral: what underwriters and customers may do with an application that no rule decided."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from contracts.vocabulary.faults import Fault, FaultCode
from services.kernel.errors import CommandRefused, CorruptHistory
from services.quote.domain import counter_offers, releases
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined, ApplicationEvent
from services.quote.domain.referral_guards import check_authority, names_of, referred_now, undecided
from services.quote.domain.state import Application, NothingYet, Referral
from services.quote.domain.underwriting.commands import (
    AcceptReferral,
    AssignReferral,
    DeclineReferral,
    ExpireApplication,
    MakeCounterOffer,
    NoteReferral,
    ProvideInformation,
    ReferralCommand,
    RefuseCounterOffer,
    RequestInformation,
    TakeCounterOffer,
    WithdrawApplication,
)
from services.quote.domain.underwriting.events import (
    ApplicationAssessed,
    ApplicationExpired,
    ApplicationReferred,
    ApplicationWithdrawn,
    CounterOffered,
    CounterOfferRefused,
    CounterOfferTaken,
    InformationProvided,
    InformationRequested,
    ReferralAssigned,
    ReferralNoted,
    UnderwritingEvent,
)


def decide(command: ReferralCommand, state: Application | NothingYet) -> Sequence[ApplicationEvent]:
    """What happens on a command about a referral. Raises CommandRefused with a code of its own for each rule."""
    if (
        isinstance(state, Application)
        and isinstance(command, WithdrawApplication | ExpireApplication)
        and releases.is_past_offers(state)
    ):
        return releases.request(command, state)
    if isinstance(state, NothingYet) or state.referral is None:
        raise CommandRefused(
            "application_not_referred",
            f"order {command.order_no} waits for nobody here: nothing was asked and nothing offered",
        )
    match command:
        case AssignReferral() | NoteReferral() | RequestInformation() | ProvideInformation():
            return _work(command, state, state.referral)
        case AcceptReferral():
            return _accept(command, state)
        case DeclineReferral():
            return _decline(command, state)
        case MakeCounterOffer():
            return counter_offers.make(command, state)
        case TakeCounterOffer():
            return counter_offers.take(command, state, state.referral)
        case RefuseCounterOffer() | WithdrawApplication():
            return counter_offers.withdraw(command, state)
        case ExpireApplication():
            return counter_offers.expire(command, state, state.referral)
        case _:
            assert_never(command)


def _work(
    command: AssignReferral | NoteReferral | RequestInformation | ProvideInformation,
    state: Application,
    referral: Referral,
) -> list[ApplicationEvent]:
    names = names_of(state)
    match command:
        case AssignReferral():
            undecided(state, command.order_no)
            if referral.underwriter == command.underwriter:
                return []
            return [ReferralAssigned(**names, underwriter=command.underwriter, assigned_by=command.assigned_by)]
        case NoteReferral():
            undecided(state, command.order_no)
            if (command.noted_by, command.note) in referral.notes:
                return []
            return [ReferralNoted(**names, noted_by=command.noted_by, note=command.note)]
        case RequestInformation():
            referred_now(state, command.order_no)
            asked = InformationRequested(
                **names, requested_by=command.requested_by, question=command.question, until=command.until
            )
            return [] if referral.question == asked else [asked]
        case ProvideInformation():
            if referral.question is None and command.answer in referral.answers:
                return []
            referred_now(state, command.order_no)
            if referral.question is None:
                raise CommandRefused("no_question_open", f"nothing was asked about order {command.order_no}")
            return [InformationProvided(**names, provided_by=command.provided_by, answer=command.answer)]
        case _:
            assert_never(command)


def _accept(command: AcceptReferral, state: Application) -> list[ApplicationEvent]:
    outcome = state.outcome
    if isinstance(outcome, ApplicationAccepted) and outcome.decided_by == command.accepted_by:
        return []
    referred = referred_now(state, command.order_no)
    if not referred.priced:
        raise CommandRefused(
            "not_priced", "the tariff has no rate for this order; make a counter-offer that gives premiums"
        )
    check_authority(command.level, command.accepted_by, referred.authority, referred.terms)
    return [
        ApplicationAccepted(
            terms=referred.terms,
            decided_by=command.accepted_by,
            reason=command.reason,
            referred_for=referred.reasons[0].code,
            customer=state.order.policyholder_id,
            pay_by=releases.last_day_to_pay(referred.pay_within_days, command.accepted_on),
            placed_on=state.order.placed_at.date(),
        )
    ]


def _decline(command: DeclineReferral, state: Application) -> list[ApplicationEvent]:
    fault = Fault(code=FaultCode.DECLINED_BY_UNDERWRITER, message=command.reason)
    outcome = state.outcome
    if isinstance(outcome, ApplicationDeclined) and outcome.decided_by == command.declined_by:
        return []
    referred = referred_now(state, command.order_no)
    return [
        ApplicationDeclined(
            **names_of(state),
            product_code=referred.terms.product_code,
            faults=(fault,),
            decided_by=command.declined_by,
            referred_for=referred.reasons[0].code,
        )
    ]


def evolve(state: Application, event: UnderwritingEvent) -> Application:
    """What is true of an application after an event of underwriting."""
    if isinstance(event, ApplicationAssessed):
        return state
    if isinstance(event, ApplicationReferred):
        return replace(state, outcome=event, referral=Referral(referred=event))
    if isinstance(event, CounterOffered):
        return replace(state, outcome=event, referral=replace(state.referral or Referral(), offer=event, question=None))
    if isinstance(event, ApplicationWithdrawn | ApplicationExpired):
        return replace(state, outcome=event)
    if state.referral is None:
        raise CorruptHistory(f"{event.event_type} before the application was referred")
    return replace(state, referral=_worked(state.referral, event))


def _worked(
    referral: Referral,
    event: ReferralAssigned
    | ReferralNoted
    | InformationRequested
    | InformationProvided
    | CounterOfferTaken
    | CounterOfferRefused,
) -> Referral:
    match event:
        case ReferralAssigned():
            return replace(referral, underwriter=event.underwriter)
        case ReferralNoted():
            return replace(referral, notes=referral.notes | {(event.noted_by, event.note)})
        case InformationRequested():
            return replace(referral, question=event)
        case InformationProvided():
            return replace(referral, question=None, answers=(*referral.answers, event.answer))
        case CounterOfferTaken():
            return replace(referral, offer_taken=True)
        case CounterOfferRefused():
            return referral
        case _:
            assert_never(event)
