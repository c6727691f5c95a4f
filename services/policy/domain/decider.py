"""The rules of issuance: one policy term an order, no two terms of a contract on the same day."""

from dataclasses import replace
from typing import assert_never

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.identifiers import policy_number
from contracts.vocabulary.products import CoverTerms
from services.kernel.decider import Decider
from services.policy.domain.commands import (
    AwaitPayment,
    ClearSandbox,
    ConfirmPayment,
    IssuePolicy,
    PolicyCommand,
    ReleaseApplication,
)
from services.policy.domain.events import (
    ApplicationReleased,
    IssuanceFailed,
    PaymentAwaited,
    PaymentConfirmed,
    PolicyEvent,
    PolicyIssued,
    PolicyRenewed,
    SandboxCleared,
)
from services.policy.domain.state import OrderKey, PolicyState, PolicyTerm


def decide(command: PolicyCommand, state: PolicyState) -> list[PolicyEvent]:
    """What happens on a command."""
    match command:
        case IssuePolicy():
            return _issue(command.terms, state)
        case AwaitPayment():
            return _await_payment(command, state)
        case ConfirmPayment():
            return _confirm_payment(command, state)
        case ReleaseApplication():
            return _release(command, state)
        case ClearSandbox():
            return [_cleared(command)]
        case _:
            assert_never(command)


def _issue(terms: CoverTerms, state: PolicyState) -> list[PolicyEvent]:
    if state.is_settled(_key(terms)):
        return []
    clash = next((term for term in state.terms if term.period.overlaps(terms.period)), None)
    if clash is not None:
        fault = Fault(
            code=FaultCode.OVERLAPPING_TERM,
            path="effective",
            message=f"policy {clash.policy_no} of this contract covers {clash.period.effective} to "
            f"{clash.period.expiry} already; order a term that starts on or after its expiry",
        )
        return [
            IssuanceFailed(
                contract_id=terms.contract_id, channel=terms.channel, order_no=terms.order_no, faults=(fault,)
            )
        ]
    term_no = len(state.terms) + 1
    kind = PolicyIssued if term_no == 1 else PolicyRenewed
    return [kind(policy_no=policy_number(terms.contract_id, term_no), term_no=term_no, terms=terms)]


def _await_payment(command: AwaitPayment, state: PolicyState) -> list[PolicyEvent]:
    terms = command.terms
    order = _key(terms)
    if state.is_settled(order) or order in state.awaiting:
        return []
    if terms.premium_minor == 0:
        # Gift cover: no money will ever come, so there is nothing to wait for.
        return _issue(terms, state)
    awaited = PaymentAwaited(terms=terms)
    if order in state.paid_orders:
        return [awaited, *_issue(terms, state)]
    return [awaited]


def _confirm_payment(command: ConfirmPayment, state: PolicyState) -> list[PolicyEvent]:
    order = (command.channel, command.order_no)
    if state.is_settled(order) or order in state.paid_orders:
        return []
    # Quote's and billing's topics are read side by side, so the money may be heard of before the terms.
    confirmed = PaymentConfirmed(contract_id=command.contract_id, channel=command.channel, order_no=command.order_no)
    awaited = state.awaiting.get(order)
    return [confirmed] if awaited is None else [confirmed, *_issue(awaited, state)]


def _release(command: ReleaseApplication, state: PolicyState) -> list[PolicyEvent]:
    # An order that is issued stays so, and quote has been told: the one who waits for an answer gets it from that.
    if state.is_settled((command.channel, command.order_no)):
        return []
    return [ApplicationReleased(contract_id=command.contract_id, channel=command.channel, order_no=command.order_no)]


def _key(terms: CoverTerms) -> OrderKey:
    return (terms.channel, terms.order_no)


def _cleared(command: ClearSandbox) -> SandboxCleared:
    return SandboxCleared(
        channel=command.channel, lane=command.lane, cleared_by=command.cleared_by, reason=command.reason
    )


def evolve(state: PolicyState, event: PolicyEvent) -> PolicyState:
    """What is true after an event."""
    match event:
        case PolicyIssued() | PolicyRenewed():
            terms = event.terms
            order = _key(terms)
            term = PolicyTerm(policy_no=event.policy_no, order=order, period=terms.period)
            return replace(_without(state, order), terms=(*state.terms, term))
        case PaymentAwaited():
            return replace(state, awaiting={**state.awaiting, _key(event.terms): event.terms})
        case PaymentConfirmed():
            return replace(state, paid_orders=state.paid_orders | {(event.channel, event.order_no)})
        case IssuanceFailed():
            failed = (event.channel, event.order_no)
            return replace(_without(state, failed), failed_orders=state.failed_orders | {failed})
        case ApplicationReleased():
            released = (event.channel, event.order_no)
            return replace(_without(state, released), released_orders=state.released_orders | {released})
        case SandboxCleared():
            return state
        case _:
            assert_never(event)


def _without(state: PolicyState, order: OrderKey) -> PolicyState:
    """The state in which that order waits for nothing."""
    return replace(state, awaiting={known: waits for known, waits in state.awaiting.items() if known != order})


POLICY_DECIDER: Decider[PolicyCommand, PolicyState, PolicyEvent] = Decider(
    initial_state=PolicyState(), decide=decide, evolve=evolve
)
