"""From claims' own events to what the others and the channel hear."""

from typing import assert_never

from contracts.channel import notices_v1 as notices
from contracts.claims import v1
from contracts.vocabulary.identifiers import claim_number
from services.claims.domain.commands import ClaimsCommand, RefuseNotice, ReportLoss
from services.claims.domain.events import (
    ClaimAdjudicated,
    ClaimApproved,
    ClaimClosed,
    ClaimDeclined,
    ClaimReported,
    ClaimsEvent,
    CoverRegistered,
    NoticeRefused,
    PaymentRecorded,
    ReserveChanged,
    SandboxCleared,
)
from services.claims.domain.lines import AssessedLine, ClosingKind, faults_of
from services.claims.domain.state import Claim, CoverState
from services.kernel.messages import Notice, Outgoing, Recorded

_NOTICE_TYPE = "loss.reported"


def to_wire(recorded: Recorded[ClaimsEvent]) -> Outgoing | None:
    """The public event and the channel's notice of a log event; None for what stays inside."""
    event = recorded.event
    match event:
        case ClaimReported():
            return _reported(event)
        case ReserveChanged():
            changed = v1.ReserveChanged(
                contract_id=event.contract_id,
                claim_no=event.claim_no,
                outstanding_minor=event.outstanding_minor,
                currency=event.currency,
            )
            return Outgoing(event.contract_id, changed)
        case ClaimApproved():
            return _approved(event)
        case ClaimDeclined():
            return _declined(event)
        case ClaimClosed():
            return _closed(event)
        case NoticeRefused():
            refused = v1.LossNoticeRefused(
                contract_id=event.contract_id,
                channel=event.channel,
                notice_no=event.notice_no,
                source=event.source,
                faults=event.faults,
            )
            return Outgoing(event.contract_id, refused, _notice_of_refusal(event))
        case CoverRegistered() | ClaimAdjudicated() | PaymentRecorded() | SandboxCleared():
            return None
        case _:
            assert_never(event)


def repeat(command: ClaimsCommand, state: CoverState) -> Notice | None:
    """The latest outcome again, for a loss notice that came again with the same content."""
    if not isinstance(command, ReportLoss | RefuseNotice):
        return None
    refused = state.refusals.get(command.content_digest)
    if refused is not None:
        return _notice_of_refusal(refused)
    claim = state.claims.get(claim_number(command.channel, command.notice_no))
    return None if claim is None else _notice_of_claim(claim)


def _reported(event: ClaimReported) -> Outgoing:
    reported = v1.ClaimReported(
        contract_id=event.contract_id,
        channel=event.channel,
        claim_no=event.claim_no,
        notice_no=event.notice_no,
        policy_no=event.policy_no,
        loss_date=event.loss_date,
        claimed_minor=event.claimed_minor,
        currency=event.currency,
    )
    return Outgoing(event.contract_id, reported, _notice_of_registration(event))


def _approved(event: ClaimApproved) -> Outgoing:
    approved = v1.ClaimApproved(
        contract_id=event.contract_id,
        channel=event.channel,
        claim_no=event.claim_no,
        notice_no=event.notice_no,
        approved_minor=event.approved_minor,
        currency=event.currency,
        lines=_public_lines(event.lines),
    )
    notice = _notice_of_decision(event, event.lines, approved=True, approved_minor=event.approved_minor)
    return Outgoing(event.contract_id, approved, notice)


def _declined(event: ClaimDeclined) -> Outgoing:
    declined = v1.ClaimDeclined(
        contract_id=event.contract_id,
        channel=event.channel,
        claim_no=event.claim_no,
        notice_no=event.notice_no,
        currency=event.currency,
        lines=_public_lines(event.lines),
    )
    return Outgoing(event.contract_id, declined, _notice_of_decision(event, event.lines, approved=False))


def _closed(event: ClaimClosed) -> Outgoing:
    closed = v1.ClaimClosed(
        contract_id=event.contract_id,
        channel=event.channel,
        claim_no=event.claim_no,
        kind=v1.ClosingKind(event.kind),
        paid_minor=event.paid_minor,
        currency=event.currency,
    )
    if event.kind is ClosingKind.ZERO:
        return Outgoing(event.contract_id, closed, _notice_of_decision(event, event.lines, approved=True))
    return Outgoing(event.contract_id, closed)


def _public_lines(lines: tuple[AssessedLine, ...]) -> tuple[v1.AdjudicatedLine, ...]:
    return tuple(
        v1.AdjudicatedLine(
            line_no=line.line_no,
            coverage=line.coverage,
            claimed_minor=line.claimed_minor,
            payable_minor=line.payable_minor,
            fault=line.fault,
        )
        for line in lines
    )


def _notice_of_claim(claim: Claim) -> Notice:
    decision = claim.decision
    if decision is None:
        return _notice_of_registration(claim)
    return _notice_of_decision(claim, claim.lines, approved=decision.approved, approved_minor=decision.approved_minor)


def _notice_of_registration(claim: ClaimReported | Claim) -> Notice:
    return Notice(
        claim.channel,
        notices.ClaimRegistered(contract_id=claim.contract_id, notice_no=claim.notice_no, claim_no=claim.claim_no),
    )


def _notice_of_decision(
    claim: ClaimApproved | ClaimDeclined | ClaimClosed | Claim,
    lines: tuple[AssessedLine, ...],
    *,
    approved: bool,
    approved_minor: int = 0,
) -> Notice:
    return Notice(
        claim.channel,
        notices.ClaimDecided(
            contract_id=claim.contract_id,
            notice_no=claim.notice_no,
            claim_no=claim.claim_no,
            approved=approved,
            approved_minor=approved_minor,
            currency=claim.currency,
            faults=faults_of(lines),
        ),
    )


def _notice_of_refusal(refused: NoticeRefused) -> Notice:
    return Notice(
        refused.channel,
        notices.MessageRefused(
            source=refused.source,
            message_type=_NOTICE_TYPE,
            reference=refused.notice_no,
            faults=refused.faults,
        ),
    )
