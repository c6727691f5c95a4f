"""Read model `claim`: one row for each claim, with its sums and where it stands."""

from enum import StrEnum

from services.claims.domain.events import (
    ClaimAdjudicated,
    ClaimApproved,
    ClaimClosed,
    ClaimDeclined,
    ClaimReported,
    ClaimsEvent,
    PaymentRecorded,
    ReserveChanged,
    SandboxCleared,
)
from services.claims.domain.lines import ClosingKind
from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put


class ClaimStatus(StrEnum):
    """Where a claim stands; `adjudicated` waits for a person."""

    REPORTED = "reported"
    ADJUDICATED = "adjudicated"
    APPROVED = "approved"
    DECLINED = "declined"
    CLOSED = "closed"


claim = Projection(
    name="claim",
    version=1,
    columns={
        "claim_no": "text",
        "contract_id": "text",
        "policy_no": "text",
        "channel": "text",
        "notice_no": "text",
        "loss_date": "date",
        "status": "text",
        "closing": "text",
        "currency": "text",
        "claimed_minor": "bigint",
        "payable_minor": "bigint",
        "approved_minor": "bigint",
        "paid_minor": "bigint",
        "outstanding_minor": "bigint",
        "decided_by": "text",
        "reported_at": "timestamptz",
        "decided_at": "timestamptz",
        "closed_at": "timestamptz",
    },
    key=("claim_no",),
    indexes=(("contract_id",), ("channel", "notice_no"), ("status", "reported_at")),
)


@claim.on(ClaimReported)
def open_claim(event: ClaimReported, _recorded: Recorded[ClaimsEvent]) -> Put:
    """A new claim: nothing payable, reserved, approved or paid yet."""
    return Put(
        {
            "claim_no": event.claim_no,
            "contract_id": event.contract_id,
            "policy_no": event.policy_no,
            "channel": event.channel,
            "notice_no": event.notice_no,
            "loss_date": event.loss_date,
            "status": ClaimStatus.REPORTED,
            "currency": event.currency,
            "claimed_minor": event.claimed_minor,
            "payable_minor": 0,
            "approved_minor": 0,
            "paid_minor": 0,
            "outstanding_minor": 0,
            "reported_at": event.reported_at,
        }
    )


@claim.on(ClaimAdjudicated)
def note_adjudication(event: ClaimAdjudicated, _recorded: Recorded[ClaimsEvent]) -> Change:
    """What the rules would pay."""
    return Change(
        {
            "claim_no": event.claim_no,
            "status": ClaimStatus.ADJUDICATED,
            "payable_minor": event.payable_minor,
        }
    )


@claim.on(ReserveChanged)
def set_reserve(event: ReserveChanged, _recorded: Recorded[ClaimsEvent]) -> Change:
    """The reserve stands at this sum."""
    return Change({"claim_no": event.claim_no, "outstanding_minor": event.outstanding_minor})


@claim.on(ClaimApproved)
def note_approval(event: ClaimApproved, recorded: Recorded[ClaimsEvent]) -> Change:
    """The sum may be paid."""
    return Change(
        {
            "claim_no": event.claim_no,
            "status": ClaimStatus.APPROVED,
            "approved_minor": event.approved_minor,
            "decided_by": event.approved_by,
            "decided_at": recorded.recorded_at,
        }
    )


@claim.on(ClaimDeclined)
def note_decline(event: ClaimDeclined, recorded: Recorded[ClaimsEvent]) -> Change:
    """Nothing is paid."""
    return Change(
        {
            "claim_no": event.claim_no,
            "status": ClaimStatus.DECLINED,
            "decided_by": event.declined_by,
            "decided_at": recorded.recorded_at,
        }
    )


@claim.on(PaymentRecorded)
def note_payment(event: PaymentRecorded, _recorded: Recorded[ClaimsEvent]) -> Change:
    """A claim is paid once, so the sum is set and not added."""
    return Change({"claim_no": event.claim_no, "paid_minor": event.paid_minor})


@claim.on(ClaimClosed)
def close_claim(event: ClaimClosed, recorded: Recorded[ClaimsEvent]) -> Change:
    """Nothing is left to do; closing at zero is the decision as well."""
    row = {
        "claim_no": event.claim_no,
        "status": ClaimStatus.CLOSED,
        "closing": event.kind,
        "closed_at": recorded.recorded_at,
    }
    if event.kind is ClosingKind.ZERO:
        row["decided_at"] = recorded.recorded_at
    return Change(row)


@claim.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
