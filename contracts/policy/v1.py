"""Events of `policy.events.v1`: the life of a policy."""

from typing import ClassVar

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.identifiers import ChannelCode, ContractId, ExternalNumber, PolicyNumber
from contracts.vocabulary.model import PublicEvent
from contracts.vocabulary.products import CoverTerms


class PolicyIssued(PublicEvent):
    """A contract's first term is in force for its period."""

    event_type: ClassVar[str] = "policy.issued"
    policy_no: PolicyNumber
    term_no: int
    terms: CoverTerms


class PolicyRenewed(PublicEvent):
    """A further term of the same contract is in force for its period."""

    event_type: ClassVar[str] = "policy.renewed"
    policy_no: PolicyNumber
    term_no: int
    terms: CoverTerms


class IssuanceFailed(PublicEvent):
    """An accepted application could not become a policy."""

    event_type: ClassVar[str] = "policy.issuance_failed"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber
    faults: tuple[Fault, ...]


class ApplicationReleased(PublicEvent):
    """An accepted application has not become a policy and never will."""

    event_type: ClassVar[str] = "policy.application_released"
    contract_id: ContractId
    channel: ChannelCode
    order_no: ExternalNumber


class SandboxCleared(PublicEvent):
    """What a sandbox channel did before is gone from all read models; one in each partition, keyed by its `lane`."""

    event_type: ClassVar[str] = "policy.sandbox_cleared"
    channel: ChannelCode
    lane: str
    cleared_by: str
    reason: str


EVENTS: tuple[type[PublicEvent], ...] = (
    PolicyIssued,
    PolicyRenewed,
    IssuanceFailed,
    SandboxCleared,
    ApplicationReleased,
)
