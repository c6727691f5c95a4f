"""Read model `claim_line_total`: decided lines by reporting channel, coverage, decision, reason and currency."""

from services.claims.domain.events import ClaimApproved, ClaimClosed, ClaimDeclined, ClaimsEvent, SandboxCleared
from services.claims.domain.lines import AssessedLine
from services.claims.projections.claim_line import LineDecision, decision_on
from services.kernel.messages import Recorded
from services.kernel.projection import Add, Projection

NO_REASON = ""
"""The reason code of covered lines: a key column cannot be null."""

claim_line_total = Projection(
    name="claim_line_total",
    version=1,
    columns={
        "channel": "text",
        "coverage": "text",
        "decision": "text",
        "reason_code": "text",
        "currency": "text",
        "lines": "bigint",
        "claimed_minor": "bigint",
        "payable_minor": "bigint",
        "zero_lines": "bigint",
    },
    key=("channel", "coverage", "decision", "reason_code", "currency"),
)


@claim_line_total.on(ClaimApproved)
def count_approved(event: ClaimApproved, _recorded: Recorded[ClaimsEvent]) -> list[Add]:
    """The lines of an approved claim, covered and declined ones."""
    return [_counted(line, event.channel, event.currency) for line in event.lines]


@claim_line_total.on(ClaimDeclined)
def count_declined(event: ClaimDeclined, _recorded: Recorded[ClaimsEvent]) -> list[Add]:
    """The lines of a declined claim."""
    return [_counted(line, event.channel, event.currency) for line in event.lines]


@claim_line_total.on(ClaimClosed)
def count_zero(event: ClaimClosed, _recorded: Recorded[ClaimsEvent]) -> list[Add]:
    """A closing has lines only where it is the decision, at zero; so each line is counted once."""
    return [_counted(line, event.channel, event.currency) for line in event.lines]


def _counted(line: AssessedLine, channel: str, currency: str) -> Add:
    decision = decision_on(line)
    return Add(
        {
            "channel": channel,
            "coverage": line.coverage,
            "decision": decision,
            "reason_code": NO_REASON if line.fault is None else line.fault.code,
            "currency": currency,
        },
        {
            "lines": 1,
            "claimed_minor": line.claimed_minor,
            "payable_minor": line.payable_minor,
            "zero_lines": int(decision is LineDecision.COVERED and line.payable_minor == 0),
        },
    )


@claim_line_total.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
