"""Read model `claim_line`: one row for each line of a claim, with its result and reason."""

from enum import StrEnum

from services.claims.domain.events import ClaimAdjudicated, ClaimApproved, ClaimDeclined, ClaimsEvent
from services.claims.domain.lines import AssessedLine
from services.kernel.messages import Recorded
from services.kernel.projection import Projection, Put


class LineDecision(StrEnum):
    """Whether a line is covered (there may be nothing to pay on it) or declined for a reason."""

    COVERED = "covered"
    DECLINED = "declined"


claim_line = Projection(
    name="claim_line",
    version=1,
    columns={
        "claim_no": "text",
        "line_no": "integer",
        "coverage": "text",
        "claimed_minor": "bigint",
        "payable_minor": "bigint",
        "decision": "text",
        "reason_code": "text",
    },
    key=("claim_no", "line_no"),
)


def decision_on(line: AssessedLine) -> LineDecision:
    """A line is declined exactly where it has a fault."""
    return LineDecision.COVERED if line.fault is None else LineDecision.DECLINED


@claim_line.on(ClaimAdjudicated)
def add_lines(event: ClaimAdjudicated, _recorded: Recorded[ClaimsEvent]) -> list[Put]:
    """What the rules say of each line."""
    return _rows(event.claim_no, event.lines)


@claim_line.on(ClaimApproved)
def cut_lines(event: ClaimApproved, _recorded: Recorded[ClaimsEvent]) -> list[Put] | None:
    """A person may approve less; straight through, the adjudicated lines stand."""
    return None if event.approved_by is None else _rows(event.claim_no, event.lines)


@claim_line.on(ClaimDeclined)
def decline_lines(event: ClaimDeclined, _recorded: Recorded[ClaimsEvent]) -> list[Put] | None:
    """A person may decline what the rules would pay; straight through, the adjudicated lines stand."""
    return None if event.declined_by is None else _rows(event.claim_no, event.lines)


def _rows(claim_no: str, lines: tuple[AssessedLine, ...]) -> list[Put]:
    return [
        Put(
            {
                "claim_no": claim_no,
                "line_no": line.line_no,
                "coverage": line.coverage,
                "claimed_minor": line.claimed_minor,
                "payable_minor": line.payable_minor,
                "decision": decision_on(line),
                "reason_code": None if line.fault is None else line.fault.code,
            }
        )
        for line in lines
    ]
