"""From policy's own events to what the others and the channel hear."""

from typing import assert_never

from contracts.channel import notices_v1 as notices
from contracts.policy import v1
from services.kernel.messages import Notice, Outgoing, Recorded
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


def to_wire(recorded: Recorded[PolicyEvent]) -> Outgoing | None:
    """The public event and the channel's notice of a log event; None for what stays inside."""
    event = recorded.event
    match event:
        case PolicyIssued():
            issued = v1.PolicyIssued(policy_no=event.policy_no, term_no=event.term_no, terms=event.terms)
            return Outgoing(event.terms.contract_id, issued, _in_force(event, renewal=False))
        case PolicyRenewed():
            renewed = v1.PolicyRenewed(policy_no=event.policy_no, term_no=event.term_no, terms=event.terms)
            return Outgoing(event.terms.contract_id, renewed, _in_force(event, renewal=True))
        case IssuanceFailed():
            failed = v1.IssuanceFailed(
                contract_id=event.contract_id,
                channel=event.channel,
                order_no=event.order_no,
                faults=event.faults,
            )
            notice = notices.IssuanceFailed(contract_id=event.contract_id, order_no=event.order_no, faults=event.faults)
            return Outgoing(event.contract_id, failed, Notice(event.channel, notice))
        case ApplicationReleased():
            # Quote, which knows why, tells the channel.
            released = v1.ApplicationReleased(
                contract_id=event.contract_id, channel=event.channel, order_no=event.order_no
            )
            return Outgoing(event.contract_id, released)
        case SandboxCleared():
            cleared = v1.SandboxCleared(
                channel=event.channel, lane=event.lane, cleared_by=event.cleared_by, reason=event.reason
            )
            return Outgoing(event.lane, cleared)
        case PaymentAwaited() | PaymentConfirmed():
            return None
        case _:
            assert_never(event)


def _in_force(event: PolicyIssued | PolicyRenewed, *, renewal: bool) -> Notice:
    terms = event.terms
    return Notice(
        terms.channel,
        notices.PolicyInForce(
            contract_id=terms.contract_id,
            order_no=terms.order_no,
            policy_no=event.policy_no,
            renewal=renewal,
            period=terms.period,
        ),
    )
