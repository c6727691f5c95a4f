"""What has happened to cover and claims. Stored for ever: add optional fields or a new version."""

from datetime import date, datetime
from typing import ClassVar, TypeAlias

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.time import CoverPeriod
from contracts.vocabulary.wording import WordingReference
from services.claims.domain.lines import AssessedLine, ClaimedLine, ClosingKind
from services.kernel.messages import DomainEvent


class CoverRegistered(DomainEvent):
    """A term is in force. `sums_insured_minor` has every coverage bought, None for one without limit.

    `wording` is what claims of the term are held against, where the product names one.
    """

    event_type: ClassVar[str] = "cover.registered"
    contract_id: str
    policy_no: str
    term_no: int
    channel: str
    product_code: str
    period: CoverPeriod
    currency: str
    sums_insured_minor: dict[str, int | None]
    straight_through_claim_minor: int | None
    wording: WordingReference | None = None


class ClaimReported(DomainEvent):
    """A loss was notified. `policy_no` is the term in force on the loss date, None where there is none."""

    event_type: ClassVar[str] = "claim.reported"
    contract_id: str
    channel: str
    claim_no: str
    notice_no: str
    content_digest: str
    policy_no: str | None
    loss_date: date
    reported_at: datetime
    currency: str
    claimed_minor: int
    lines: tuple[ClaimedLine, ...]
    description: str | None = None


class ClaimAdjudicated(DomainEvent):
    """Each line was checked against cover and limits; what is payable is taken from the limits now."""

    event_type: ClassVar[str] = "claim.adjudicated"
    contract_id: str
    claim_no: str
    term_no: int | None
    currency: str
    payable_minor: int
    lines: tuple[AssessedLine, ...]


class ReserveChanged(DomainEvent):
    """The sum expected and not yet paid, after the change."""

    event_type: ClassVar[str] = "claim.reserve_changed"
    contract_id: str
    claim_no: str
    outstanding_minor: int
    currency: str


class ClaimApproved(DomainEvent):
    """The sum may be paid; `approved_by` is None where the claim went straight through."""

    event_type: ClassVar[str] = "claim.approved"
    contract_id: str
    channel: str
    claim_no: str
    notice_no: str
    approved_minor: int
    currency: str
    lines: tuple[AssessedLine, ...]
    approved_by: str | None = None


class ClaimDeclined(DomainEvent):
    """Nothing is paid; every line has its reason. `declined_by` is None where no person decided."""

    event_type: ClassVar[str] = "claim.declined"
    contract_id: str
    channel: str
    claim_no: str
    notice_no: str
    currency: str
    lines: tuple[AssessedLine, ...]
    declined_by: str | None = None
    reason: str | None = None


class PaymentRecorded(DomainEvent):
    """Billing has paid the claim out."""

    event_type: ClassVar[str] = "claim.payment_recorded"
    contract_id: str
    claim_no: str
    paid_minor: int
    currency: str


class ClaimClosed(DomainEvent):
    """Nothing is left to do. `lines` is given where closing at zero is the decision itself."""

    event_type: ClassVar[str] = "claim.closed"
    contract_id: str
    channel: str
    claim_no: str
    notice_no: str
    kind: ClosingKind
    paid_minor: int
    currency: str
    lines: tuple[AssessedLine, ...] = ()


class NoticeRefused(DomainEvent):
    """A loss notice was not taken in. `source` says where it lies (topic/partition/offset)."""

    event_type: ClassVar[str] = "loss_notice.refused"
    contract_id: str
    channel: str
    notice_no: str
    content_digest: str
    source: str
    faults: tuple[Fault, ...]


class SandboxCleared(DomainEvent):
    """What a sandbox channel did before is put away: read models drop it, the log keeps it."""

    event_type: ClassVar[str] = "sandbox.cleared"
    channel: str
    lane: str
    cleared_by: str
    reason: str


ClaimsEvent: TypeAlias = (
    CoverRegistered
    | ClaimReported
    | ClaimAdjudicated
    | ReserveChanged
    | ClaimApproved
    | ClaimDeclined
    | PaymentRecorded
    | ClaimClosed
    | NoticeRefused
    | SandboxCleared
)
CLAIMS_EVENTS: tuple[type[ClaimsEvent], ...] = (
    CoverRegistered,
    ClaimReported,
    ClaimAdjudicated,
    ReserveChanged,
    ClaimApproved,
    ClaimDeclined,
    PaymentRecorded,
    ClaimClosed,
    NoticeRefused,
    SandboxCleared,
)
