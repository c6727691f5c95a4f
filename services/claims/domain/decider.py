"""The rules of claims: cover is registered, each notice is decided once, payment closes the claim."""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from contracts.vocabulary.identifiers import claim_number
from services.claims.domain import findings
from services.claims.domain.adjudication import adjudicate
from services.claims.domain.approval import approve, claim_of, closed, decline, reserve_at
from services.claims.domain.commands import (
    ApproveClaim,
    ClaimsCommand,
    ClearSandbox,
    DeclineClaim,
    RecordPayment,
    RefuseNotice,
    RegisterCover,
    ReportLoss,
)
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
from services.claims.domain.lines import AssessedLine, ClosingKind
from services.claims.domain.state import Claim, CoverState, CoverTerm, Decision, LimitKey
from services.kernel.decider import Decider
from services.kernel.errors import CommandRefused, CorruptHistory


def decide(command: ClaimsCommand, state: CoverState) -> list[ClaimsEvent]:
    """What happens on a command."""
    match command:
        case RegisterCover():
            return _register_cover(command, state)
        case ReportLoss():
            return _report_loss(command, state)
        case RefuseNotice():
            return _refuse_notice(command, state)
        case ApproveClaim():
            return approve(command, state)
        case DeclineClaim():
            return decline(command, state)
        case RecordPayment():
            return _record_payment(command, state)
        case ClearSandbox():
            return [_cleared(command)]
        case _:
            assert_never(command)


def _register_cover(command: RegisterCover, state: CoverState) -> list[ClaimsEvent]:
    if any(term.term_no == command.term_no for term in state.terms):
        return []
    terms = command.terms
    registered = CoverRegistered(
        contract_id=terms.contract_id,
        policy_no=command.policy_no,
        term_no=command.term_no,
        channel=terms.channel,
        product_code=terms.product_code,
        period=terms.period,
        currency=terms.currency,
        sums_insured_minor={coverage.code: coverage.sum_insured_minor for coverage in terms.coverages},
        straight_through_claim_minor=terms.straight_through_claim_minor,
        wording=terms.wording,
    )
    return [registered]


def _report_loss(command: ReportLoss, state: CoverState) -> list[ClaimsEvent]:
    claim_no = claim_number(command.channel, command.notice_no)
    claim = state.claims.get(claim_no)
    if claim is None:
        return adjudicate(command, claim_no, state)
    if claim.content_digest == command.content_digest:
        return []
    refusal = RefuseNotice(
        contract_id=command.contract_id,
        channel=command.channel,
        notice_no=command.notice_no,
        content_digest=command.content_digest,
        source=command.source,
        faults=(findings.notice_number_reused(command.notice_no),),
    )
    return _refuse_notice(refusal, state)


def _refuse_notice(command: RefuseNotice, state: CoverState) -> list[ClaimsEvent]:
    if command.content_digest in state.refusals:
        return []
    refused = NoticeRefused(
        contract_id=command.contract_id,
        channel=command.channel,
        notice_no=command.notice_no,
        content_digest=command.content_digest,
        source=command.source,
        faults=command.faults,
    )
    return [refused]


def _record_payment(command: RecordPayment, state: CoverState) -> list[ClaimsEvent]:
    claim = claim_of(state, command.claim_no)
    if claim.closing is ClosingKind.PAID:
        return []
    if claim.decision is None or not claim.decision.approved or claim.closing is not None:
        raise CommandRefused("claim_not_approved", f"claim {claim.claim_no} was paid but is not approved")
    if claim.currency != command.currency:
        raise CommandRefused(
            "wrong_currency",
            f"claim {claim.claim_no} is in {claim.currency}, its payment in {command.currency}",
        )
    paid = PaymentRecorded(
        contract_id=claim.contract_id,
        claim_no=claim.claim_no,
        paid_minor=command.paid_minor,
        currency=claim.currency,
    )
    return [paid, *reserve_at(claim, 0), closed(claim, ClosingKind.PAID, paid_minor=command.paid_minor)]


def _cleared(command: ClearSandbox) -> SandboxCleared:
    return SandboxCleared(
        channel=command.channel, lane=command.lane, cleared_by=command.cleared_by, reason=command.reason
    )


def evolve(state: CoverState, event: ClaimsEvent) -> CoverState:
    """What is true after an event."""
    match event:
        case CoverRegistered():
            return replace(state, terms=(*state.terms, _term(event)))
        case ClaimReported():
            return _with(state, _reported(event))
        case ClaimAdjudicated():
            claim = replace(_known(state, event.claim_no), term_no=event.term_no)
            return _assessed(state, claim, event.lines)
        case ReserveChanged():
            claim = _known(state, event.claim_no)
            return _with(state, replace(claim, outstanding_minor=event.outstanding_minor))
        case ClaimApproved():
            decision = Decision(True, event.approved_minor, event.approved_by)
            claim = replace(_known(state, event.claim_no), decision=decision)
            return _assessed(state, claim, event.lines)
        case ClaimDeclined():
            decision = Decision(False, 0, event.declined_by, event.reason)
            claim = replace(_known(state, event.claim_no), decision=decision)
            return _assessed(state, claim, event.lines)
        case PaymentRecorded():
            claim = _known(state, event.claim_no)
            return _with(state, replace(claim, paid_minor=claim.paid_minor + event.paid_minor))
        case ClaimClosed():
            claim = _known(state, event.claim_no)
            # Closing at zero is a decision of its own: covered, with nothing to pay.
            return _with(state, replace(claim, decision=claim.decision or Decision(True), closing=event.kind))
        case NoticeRefused():
            return replace(state, refusals={**state.refusals, event.content_digest: event})
        case SandboxCleared():
            return state
        case _:
            assert_never(event)


def _term(event: CoverRegistered) -> CoverTerm:
    return CoverTerm(
        channel=event.channel,
        policy_no=event.policy_no,
        term_no=event.term_no,
        period=event.period,
        currency=event.currency,
        sums_insured_minor=event.sums_insured_minor,
        straight_through_claim_minor=event.straight_through_claim_minor,
    )


def _reported(event: ClaimReported) -> Claim:
    return Claim(
        contract_id=event.contract_id,
        channel=event.channel,
        claim_no=event.claim_no,
        notice_no=event.notice_no,
        content_digest=event.content_digest,
        currency=event.currency,
    )


def _known(state: CoverState, claim_no: str) -> Claim:
    claim = state.claims.get(claim_no)
    if claim is None:
        raise CorruptHistory(f"claim {claim_no} was never reported")
    return claim


def _with(state: CoverState, claim: Claim) -> CoverState:
    return replace(state, claims={**state.claims, claim.claim_no: claim})


def _assessed(state: CoverState, claim: Claim, lines: tuple[AssessedLine, ...]) -> CoverState:
    # The lines replace those before them, so what a person declined or cut is free for other claims again.
    return replace(
        state,
        claims={**state.claims, claim.claim_no: replace(claim, lines=lines)},
        taken_minor=_taken(state.taken_minor, claim, lines),
    )


def _taken(
    taken_minor: Mapping[LimitKey, int], claim: Claim, lines: tuple[AssessedLine, ...]
) -> Mapping[LimitKey, int]:
    if claim.term_no is None or claim.lines == lines:
        return taken_minor
    changed = dict(taken_minor)
    for line in claim.lines:
        changed[claim.term_no, line.coverage] -= line.payable_minor
    for line in lines:
        key = (claim.term_no, line.coverage)
        changed[key] = changed.get(key, 0) + line.payable_minor
    return changed


CLAIMS_DECIDER: Decider[ClaimsCommand, CoverState, ClaimsEvent] = Decider(
    initial_state=CoverState(), decide=decide, evolve=evolve
)
