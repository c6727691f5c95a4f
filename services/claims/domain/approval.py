"""The rules for the person who decides a claim above the straight-through limit."""

from contracts.vocabulary.money import split
from services.claims.domain import findings
from services.claims.domain.commands import ApproveClaim, DeclineClaim
from services.claims.domain.events import (
    ClaimApproved,
    ClaimClosed,
    ClaimDeclined,
    ClaimsEvent,
    ReserveChanged,
)
from services.claims.domain.lines import AssessedLine, ClosingKind, payable_total
from services.claims.domain.state import Claim, CoverState, Decision
from services.kernel.errors import CommandRefused


def claim_of(state: CoverState, claim_no: str) -> Claim:
    """The claim. Raises CommandRefused `claim_unknown` where the contract has none of that number."""
    claim = state.claims.get(claim_no)
    if claim is None:
        raise CommandRefused("claim_unknown", f"this contract has no claim {claim_no}")
    return claim


def approve(command: ApproveClaim, state: CoverState) -> list[ClaimsEvent]:
    """Approve the adjudicated sum or less.

    Raises CommandRefused `claim_unknown`, `claim_not_awaiting_decision`, `approved_sum_not_positive` or
    `approved_sum_too_high`.
    """
    claim = claim_of(state, command.claim_no)
    adjudicated_minor = payable_total(claim.lines)
    approved_minor = adjudicated_minor if command.approved_minor is None else command.approved_minor
    if claim.decision is not None:
        if claim.decision == Decision(True, approved_minor, command.approved_by):
            return []
        raise _decided_already(claim, claim.decision)
    if approved_minor <= 0:
        raise CommandRefused(
            "approved_sum_not_positive", "the approved sum must be above zero; decline the claim instead"
        )
    if approved_minor > adjudicated_minor:
        raise CommandRefused(
            "approved_sum_too_high",
            f"the adjudicated sum is {adjudicated_minor} minor units {claim.currency}",
        )
    approved = ClaimApproved(
        contract_id=claim.contract_id,
        channel=claim.channel,
        claim_no=claim.claim_no,
        notice_no=claim.notice_no,
        approved_minor=approved_minor,
        currency=claim.currency,
        lines=_reduced(claim.lines, adjudicated_minor, approved_minor),
        approved_by=command.approved_by,
    )
    return [*reserve_at(claim, approved_minor), approved]


def decline(command: DeclineClaim, state: CoverState) -> list[ClaimsEvent]:
    """Pay nothing; lines that the rules declined keep their own reasons.

    Raises CommandRefused `claim_unknown` or `claim_not_awaiting_decision`.
    """
    claim = claim_of(state, command.claim_no)
    if claim.decision is not None:
        if claim.decision == Decision(False, 0, command.declined_by, command.reason):
            return []
        raise _decided_already(claim, claim.decision)
    declined = ClaimDeclined(
        contract_id=claim.contract_id,
        channel=claim.channel,
        claim_no=claim.claim_no,
        notice_no=claim.notice_no,
        currency=claim.currency,
        lines=tuple(
            line if line.fault else _declined(place, line, command.reason) for place, line in enumerate(claim.lines)
        ),
        declined_by=command.declined_by,
        reason=command.reason,
    )
    return [*reserve_at(claim, 0), declined, closed(claim, ClosingKind.DECLINED, paid_minor=0)]


def reserve_at(claim: Claim, outstanding_minor: int) -> list[ClaimsEvent]:
    """The change that brings the reserve to this sum; nothing where it stands there already."""
    if claim.outstanding_minor == outstanding_minor:
        return []
    return [
        ReserveChanged(
            contract_id=claim.contract_id,
            claim_no=claim.claim_no,
            outstanding_minor=outstanding_minor,
            currency=claim.currency,
        )
    ]


def closed(claim: Claim, kind: ClosingKind, *, paid_minor: int) -> ClaimClosed:
    """The closing of a claim that was decided before."""
    return ClaimClosed(
        contract_id=claim.contract_id,
        channel=claim.channel,
        claim_no=claim.claim_no,
        notice_no=claim.notice_no,
        kind=kind,
        paid_minor=paid_minor,
        currency=claim.currency,
    )


def _decided_already(claim: Claim, decision: Decision) -> CommandRefused:
    outcome = "approved" if decision.approved else "declined"
    by = decision.decided_by or "the straight-through rules"
    return CommandRefused("claim_not_awaiting_decision", f"claim {claim.claim_no} was {outcome} by {by} already")


def _reduced(lines: tuple[AssessedLine, ...], adjudicated_minor: int, approved_minor: int) -> tuple[AssessedLine, ...]:
    if approved_minor == adjudicated_minor:
        return lines
    # A lower sum falls on the lines in proportion to what was payable, so no line is paid above its limit.
    parts = split(approved_minor, {line.line_no: line.payable_minor for line in lines})
    return tuple(line.model_copy(update={"payable_minor": parts[line.line_no]}) for line in lines)


def _declined(place: int, line: AssessedLine, reason: str) -> AssessedLine:
    return line.model_copy(update={"payable_minor": 0, "fault": findings.declined_by_adjuster(place, reason)})
