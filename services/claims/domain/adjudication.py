"""The rules of adjudication: a notice's lines against the cover in force and what is left of its limits."""

from dataclasses import replace

from contracts.vocabulary.identifiers import is_sandbox
from services.claims.domain import findings
from services.claims.domain.commands import ReportLoss
from services.claims.domain.events import (
    ClaimAdjudicated,
    ClaimApproved,
    ClaimClosed,
    ClaimDeclined,
    ClaimReported,
    ClaimsEvent,
    ReserveChanged,
)
from services.claims.domain.lines import AssessedLine, ClosingKind, payable_total
from services.claims.domain.state import CoverState, CoverTerm


def adjudicate(command: ReportLoss, claim_no: str, state: CoverState) -> list[ClaimsEvent]:
    """A new claim from its notice to its decision, or to the person who must take it."""
    if is_sandbox(command.channel) != state.is_test:
        # A policy number reaches any contract, but a trial never finds a real one, nor the other way round.
        state = replace(state, terms=())
    term = state.term_on(command.loss_date)
    lines = _assess(command, term, state)
    payable_minor = payable_total(lines)
    events: list[ClaimsEvent] = [
        ClaimReported(
            contract_id=command.contract_id,
            channel=command.channel,
            claim_no=claim_no,
            notice_no=command.notice_no,
            content_digest=command.content_digest,
            policy_no=None if term is None else term.policy_no,
            loss_date=command.loss_date,
            reported_at=command.reported_at,
            currency=command.currency,
            claimed_minor=sum(line.claimed_minor for line in command.lines),
            lines=command.lines,
            description=command.description,
        ),
        ClaimAdjudicated(
            contract_id=command.contract_id,
            claim_no=claim_no,
            term_no=None if term is None else term.term_no,
            currency=command.currency,
            payable_minor=payable_minor,
            lines=lines,
        ),
    ]
    if payable_minor > 0:
        events.append(
            ReserveChanged(
                contract_id=command.contract_id,
                claim_no=claim_no,
                outstanding_minor=payable_minor,
                currency=command.currency,
            )
        )
    events.extend(_straight_through(command, claim_no, term, lines, payable_minor))
    return events


def _straight_through(
    command: ReportLoss,
    claim_no: str,
    term: CoverTerm | None,
    lines: tuple[AssessedLine, ...],
    payable_minor: int,
) -> list[ClaimsEvent]:
    if term is None or all(line.fault is not None for line in lines):
        declined = ClaimDeclined(
            contract_id=command.contract_id,
            channel=command.channel,
            claim_no=claim_no,
            notice_no=command.notice_no,
            currency=command.currency,
            lines=lines,
        )
        return [declined, _closed(command, claim_no, ClosingKind.DECLINED)]
    if payable_minor == 0:
        return [_closed(command, claim_no, ClosingKind.ZERO, lines)]
    limit_minor = term.straight_through_claim_minor
    if limit_minor is not None and payable_minor > limit_minor:
        return []
    approved = ClaimApproved(
        contract_id=command.contract_id,
        channel=command.channel,
        claim_no=claim_no,
        notice_no=command.notice_no,
        approved_minor=payable_minor,
        currency=command.currency,
        lines=lines,
    )
    return [approved]


def _closed(command: ReportLoss, claim_no: str, kind: ClosingKind, lines: tuple[AssessedLine, ...] = ()) -> ClaimClosed:
    return ClaimClosed(
        contract_id=command.contract_id,
        channel=command.channel,
        claim_no=claim_no,
        notice_no=command.notice_no,
        kind=kind,
        paid_minor=0,
        currency=command.currency,
        lines=lines,
    )


def _assess(command: ReportLoss, term: CoverTerm | None, state: CoverState) -> tuple[AssessedLine, ...]:
    if term is None:
        # One fault for the whole notice: it is the same on every line, and the channel hears it once.
        fault = findings.no_cover_in_force(command.loss_date) if state.terms else findings.policy_unknown()
        return tuple(
            AssessedLine(
                line_no=line.line_no,
                coverage=line.coverage,
                claimed_minor=line.claimed_minor,
                payable_minor=0,
                fault=fault,
            )
            for line in command.lines
        )
    taken_minor: dict[str, int] = {}
    return tuple(_assess_line(place, command, term, state, taken_minor) for place in range(len(command.lines)))


def _assess_line(
    place: int, command: ReportLoss, term: CoverTerm, state: CoverState, taken_minor: dict[str, int]
) -> AssessedLine:
    # `taken_minor` is what the lines before this one take: two lines of a notice may share a limit.
    line = command.lines[place]
    coverage = line.coverage
    payable_minor = 0
    available_minor = None
    fault = None
    if coverage not in term.sums_insured_minor:
        fault = findings.guarantee_not_bought(place, coverage, term.policy_no)
    elif command.currency != term.currency:
        fault = findings.wrong_currency(term.currency, term.policy_no)
    else:
        payable_minor = line.claimed_minor
        sum_insured_minor = term.sums_insured_minor[coverage]
        if sum_insured_minor is not None:
            before_minor = state.taken_minor.get((term.term_no, coverage), 0) + taken_minor.get(coverage, 0)
            available_minor = max(sum_insured_minor - before_minor, 0)
            payable_minor = min(payable_minor, available_minor)
            if available_minor == 0 and line.claimed_minor > 0:
                fault = findings.limit_exhausted(place, coverage, term.policy_no)
        taken_minor[coverage] = taken_minor.get(coverage, 0) + payable_minor
    return AssessedLine(
        line_no=line.line_no,
        coverage=coverage,
        claimed_minor=line.claimed_minor,
        payable_minor=payable_minor,
        available_minor=available_minor,
        fault=fault,
    )
