"""Events of `claims.events.v1`: notice, reserve, decision and closing of claims."""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.identifiers import (
    ChannelCode,
    ClaimNumber,
    ContractId,
    CoverageCode,
    ExternalNumber,
    PolicyNumber,
)
from contracts.vocabulary.model import ContractModel, PublicEvent
from contracts.vocabulary.money import Currency, NonNegativeMinor


class ClosingKind(StrEnum):
    """Why a claim was closed."""

    PAID = "paid"
    ZERO = "zero"
    DECLINED = "declined"


class AdjudicatedLine(ContractModel):
    """The result for one claimed coverage: payable, or the reason why it is not covered."""

    line_no: int
    coverage: CoverageCode
    claimed_minor: NonNegativeMinor
    payable_minor: NonNegativeMinor
    fault: Fault | None = None


class ClaimReported(PublicEvent):
    """A loss was notified. `policy_no` is the term in force on the loss date, if there is one."""

    event_type: ClassVar[str] = "claim.reported"
    contract_id: ContractId
    channel: ChannelCode
    claim_no: ClaimNumber
    notice_no: ExternalNumber
    policy_no: PolicyNumber | None = None
    loss_date: date
    claimed_minor: NonNegativeMinor
    currency: Currency


class ReserveChanged(PublicEvent):
    """The sum expected and not yet paid, after the change."""

    event_type: ClassVar[str] = "claim.reserve_changed"
    contract_id: ContractId
    claim_no: ClaimNumber
    outstanding_minor: NonNegativeMinor
    currency: Currency


class ClaimApproved(PublicEvent):
    """The sum may be paid; lines that were not covered are listed with their reasons."""

    event_type: ClassVar[str] = "claim.approved"
    contract_id: ContractId
    channel: ChannelCode
    claim_no: ClaimNumber
    notice_no: ExternalNumber
    approved_minor: NonNegativeMinor
    currency: Currency
    lines: tuple[AdjudicatedLine, ...]


class ClaimDeclined(PublicEvent):
    """Nothing is covered."""

    event_type: ClassVar[str] = "claim.declined"
    contract_id: ContractId
    channel: ChannelCode
    claim_no: ClaimNumber
    notice_no: ExternalNumber
    currency: Currency
    lines: tuple[AdjudicatedLine, ...]


class ClaimClosed(PublicEvent):
    """Nothing is left to do."""

    event_type: ClassVar[str] = "claim.closed"
    contract_id: ContractId
    channel: ChannelCode
    claim_no: ClaimNumber
    kind: ClosingKind
    paid_minor: NonNegativeMinor
    currency: Currency


class LossNoticeRefused(PublicEvent):
    """A loss notice was not taken in: no claim came of it. `contract_id` is the contract that it names.

    `source` says where the notice lies (topic/partition/offset).
    """

    event_type: ClassVar[str] = "loss_notice.refused"
    contract_id: ContractId
    channel: ChannelCode
    notice_no: ExternalNumber
    source: str
    faults: tuple[Fault, ...]


EVENTS: tuple[type[PublicEvent], ...] = (
    ClaimReported,
    ReserveChanged,
    ClaimApproved,
    ClaimDeclined,
    ClaimClosed,
    LossNoticeRefused,
)
