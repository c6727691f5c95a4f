"""The rules of an accepted application that ends without a policy: withdrawn, or not paid in time.

Whether it ended or became a policy is decided in one place alone, the contract's stream in policy. Here it is asked
for, and recorded once policy has answered.
"""

from dataclasses import replace
from datetime import date, timedelta

from contracts.vocabulary.faults import Fault, FaultCode
from services.kernel.errors import CommandRefused
from services.quote.domain.answers.commands import RecordRelease
from services.quote.domain.answers.events import AnswerReceived, AnswerRefused, ReleaseRequested
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationEvent,
    ApplicationIssued,
)
from services.quote.domain.state import Application, NothingYet
from services.quote.domain.underwriting.commands import ExpireApplication, WithdrawApplication
from services.quote.domain.underwriting.events import (
    ApplicationExpired,
    ApplicationReferred,
    ApplicationWithdrawn,
    CounterOffered,
)

WITHDRAWAL = "withdrawal.requested"
"""Type of the message by which a channel withdraws an order."""


def with_payment_terms(event: ApplicationEvent, days: int | None, accepted_on: date) -> ApplicationEvent:
    """The decision on an order with the last day to pay, or with how many days there will be once it is accepted."""
    if days is None:
        return event
    if isinstance(event, ApplicationAccepted):
        return event.model_copy(update={"pay_by": last_day_to_pay(days, accepted_on)})
    if isinstance(event, ApplicationReferred | CounterOffered):
        return event.model_copy(update={"pay_within_days": days})
    return event


def last_day_to_pay(days: int | None, accepted_on: date | None) -> date | None:
    """The day up to and including which the premium may come; None where it does not matter."""
    return None if days is None or accepted_on is None else accepted_on + timedelta(days=days)


def is_past_offers(state: Application) -> bool:
    """Whether the application was decided or accepted, so that neither question nor offer can be open."""
    outcome = state.outcome
    if isinstance(outcome, ApplicationWithdrawn | ApplicationExpired):
        return outcome.after_acceptance
    return not isinstance(outcome, ApplicationReferred | CounterOffered)


def is_pending(state: Application) -> bool:
    """Whether policy has been asked and has not answered."""
    return state.release is not None and isinstance(state.outcome, ApplicationAccepted)


def request(command: WithdrawApplication | ExpireApplication, state: Application) -> list[ApplicationEvent]:
    """Ask policy to release an accepted application.

    Raises CommandRefused: `application_issued` where there is a policy, `application_decided` where there will be none,
    `nothing_to_expire` and `not_expired` where the calendar says no.
    """
    outcome = state.outcome
    if isinstance(outcome, ApplicationIssued):
        raise CommandRefused("application_issued", _issued(command.order_no, outcome.policy_no))
    wanted = ApplicationWithdrawn if isinstance(command, WithdrawApplication) else ApplicationExpired
    if isinstance(outcome, wanted):
        return []
    if not isinstance(outcome, ApplicationAccepted):
        raise CommandRefused("application_decided", f"order {command.order_no} has ended already, without a policy")
    if isinstance(command, ExpireApplication):
        _check_expired(command, outcome)
    if is_pending(state):
        return []
    names = {name: getattr(outcome.terms, name) for name in ("channel", "contract_id", "order_no")}
    if isinstance(command, ExpireApplication):
        return [ReleaseRequested(**names, kind="expiry", expired_on=command.expired_on)]
    return [ReleaseRequested(**names, kind="withdrawal", requested_by=command.withdrawn_by, reason=command.reason)]


def _check_expired(command: ExpireApplication, outcome: ApplicationAccepted) -> None:
    if outcome.pay_by is None:
        raise CommandRefused("nothing_to_expire", f"order {command.order_no} is accepted and has no day to pay by")
    if command.expired_on <= outcome.pay_by:
        raise CommandRefused("not_expired", f"the customer may pay up to and including {outcome.pay_by}")


def record(command: RecordRelease, state: Application | NothingYet) -> list[ApplicationEvent]:
    """The end of an application that policy has released."""
    outcome = None if isinstance(state, NothingYet) else state.outcome
    if isinstance(outcome, ApplicationWithdrawn | ApplicationExpired):
        return []
    release = None if isinstance(state, NothingYet) else state.release
    if release is None or not isinstance(outcome, ApplicationAccepted):
        raise CommandRefused("release_not_requested", f"nobody asked here to end order {command.order_no}")
    names = {"channel": command.channel, "contract_id": command.contract_id, "order_no": command.order_no}
    if release.expired_on is not None:
        return [ApplicationExpired(**names, expired_on=release.expired_on, after_acceptance=True)]
    return [
        ApplicationWithdrawn(
            **names, withdrawn_by=release.requested_by or "", reason=release.reason or "", after_acceptance=True
        )
    ]


def too_late(state: Application, policy_no: str) -> list[AnswerRefused]:
    """Withdrawals that waited for policy's decision, and were overtaken by the policy."""
    return [
        AnswerRefused(
            channel=waiting.channel,
            contract_id=waiting.contract_id,
            order_no=waiting.order_no,
            source=waiting.source,
            message_type=waiting.message_type,
            content_digest=waiting.content_digest,
            faults=(Fault(code=FaultCode.ORDER_ISSUED, path="order_no", message=_issued(waiting.order_no, policy_no)),),
        )
        for waiting in state.answers.values()
        if isinstance(waiting, AnswerReceived) and waiting.message_type == WITHDRAWAL
    ]


def _issued(order_no: str, policy_no: str) -> str:
    return f"order {order_no} is in force as policy {policy_no} and cannot be withdrawn; end the policy instead"


def evolve(state: Application, event: ReleaseRequested) -> Application:
    """What is true of an application once policy has been asked."""
    return replace(state, release=event)
