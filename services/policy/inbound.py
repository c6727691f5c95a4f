"""From foreign facts to commands: accepted applications, payments, and applications that shall end unissued."""

from collections.abc import Sequence

from contracts.billing.v1 import PaymentReceived
from contracts.quote.v1 import ApplicationAccepted, ReleaseRequested, SandboxCleared
from contracts.topics import ServiceName, events_topic
from contracts.vocabulary.products import SettlementMethod
from services.kernel.messages import Instruction
from services.kernel.routing import route
from services.policy.domain.commands import (
    AwaitPayment,
    ClearSandbox,
    ConfirmPayment,
    IssuePolicy,
    PolicyCommand,
    ReleaseApplication,
)

SOURCES = (events_topic(ServiceName.QUOTE), events_topic(ServiceName.BILLING))


def stream_of(contract_id: str) -> str:
    """The stream of a contract's policy."""
    return f"policy-{contract_id}"


def _to(contract_id: str, command: PolicyCommand) -> Instruction:
    return Instruction(lane=contract_id, stream=stream_of(contract_id), command=command)


def on_application_accepted(event: ApplicationAccepted) -> Sequence[Instruction]:
    """Issue now, or once the money is in, as the product's settlement method says."""
    terms = event.terms
    if terms.settlement is SettlementMethod.PAY_BEFORE_COVER:
        return (_to(terms.contract_id, AwaitPayment(terms=terms)),)
    return (_to(terms.contract_id, IssuePolicy(terms=terms)),)


def on_payment_received(event: PaymentReceived) -> Sequence[Instruction]:
    """Each order whose first instalment the payment settled may be waiting for it."""
    return tuple(
        _to(
            event.contract_id,
            ConfirmPayment(contract_id=event.contract_id, channel=paid.channel, order_no=paid.order_no),
        )
        for paid in event.paid_orders
    )


def on_release_requested(event: ReleaseRequested) -> Sequence[Instruction]:
    """Whether the order has ended or become a policy is decided here, on the one stream that sees both."""
    command = ReleaseApplication(contract_id=event.contract_id, channel=event.channel, order_no=event.order_no)
    return (_to(event.contract_id, command),)


def on_sandbox_cleared(event: SandboxCleared) -> Sequence[Instruction]:
    """Put away here as well what came before it in its partition."""
    command = ClearSandbox(channel=event.channel, lane=event.lane, cleared_by=event.cleared_by, reason=event.reason)
    return (Instruction(lane=event.lane, stream=f"sandbox-{event.lane}", command=command),)


react = route(
    (ApplicationAccepted, on_application_accepted),
    (PaymentReceived, on_payment_received),
    (ReleaseRequested, on_release_requested),
    (SandboxCleared, on_sandbox_cleared),
)
