"""What has happened to a policy. These shapes are stored for ever: add optional fields or a new version."""

from typing import ClassVar, TypeAlias

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.products import CoverTerms
from services.kernel.messages import DomainEvent


class PolicyIssued(DomainEvent):
    """The contract's first term is in force."""

    event_type: ClassVar[str] = "policy.issued"
    policy_no: str
    term_no: int
    terms: CoverTerms


class PolicyRenewed(DomainEvent):
    """A further term of the contract is in force."""

    event_type: ClassVar[str] = "policy.renewed"
    policy_no: str
    term_no: int
    terms: CoverTerms


class PaymentAwaited(DomainEvent):
    """Terms are agreed and wait for their premium (pay-before-cover)."""

    event_type: ClassVar[str] = "policy.payment_awaited"
    terms: CoverTerms


class PaymentConfirmed(DomainEvent):
    """The premium came before the terms did; issue as soon as they are known."""

    event_type: ClassVar[str] = "policy.payment_confirmed"
    contract_id: str
    channel: str
    order_no: str


class IssuanceFailed(DomainEvent):
    """The agreed terms could not be put in force."""

    event_type: ClassVar[str] = "policy.issuance_failed"
    contract_id: str
    channel: str
    order_no: str
    faults: tuple[Fault, ...]


class ApplicationReleased(DomainEvent):
    """The order was ended before it was issued, and will not be issued any more, whatever is paid."""

    event_type: ClassVar[str] = "policy.application_released"
    contract_id: str
    channel: str
    order_no: str


class SandboxCleared(DomainEvent):
    """What a sandbox channel did before is put away: read models drop it, the log keeps it."""

    event_type: ClassVar[str] = "sandbox.cleared"
    channel: str
    lane: str
    cleared_by: str
    reason: str


PolicyEvent: TypeAlias = (
    PolicyIssued
    | PolicyRenewed
    | PaymentAwaited
    | PaymentConfirmed
    | IssuanceFailed
    | ApplicationReleased
    | SandboxCleared
)
POLICY_EVENTS: tuple[type[PolicyEvent], ...] = (
    PolicyIssued,
    PolicyRenewed,
    PaymentAwaited,
    PaymentConfirmed,
    IssuanceFailed,
    ApplicationReleased,
    SandboxCleared,
)
