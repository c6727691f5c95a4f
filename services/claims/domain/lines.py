"""The lines of a claim, as claimed and as assessed, and how a claim can end."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from contracts.vocabulary.faults import Fault


class ClosingKind(StrEnum):
    """Why a claim was closed. Stored for ever: a value is never renamed."""

    PAID = "paid"
    ZERO = "zero"
    DECLINED = "declined"


class ClaimedLine(BaseModel):
    """What is claimed under one coverage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line_no: int
    coverage: str
    claimed_minor: int


class AssessedLine(BaseModel):
    """What is payable on one line; a fault says why it is declined, and then nothing is payable.

    `available_minor` is what was left of the coverage's sum insured before this line, None where the
    coverage has no limit or the line is not covered at all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    line_no: int
    coverage: str
    claimed_minor: int
    payable_minor: int
    available_minor: int | None = None
    fault: Fault | None = None


def payable_total(lines: tuple[AssessedLine, ...]) -> int:
    """What is payable on all lines, in minor units."""
    return sum(line.payable_minor for line in lines)


def faults_of(lines: tuple[AssessedLine, ...]) -> tuple[Fault, ...]:
    """Every different fault once, in the order of the lines."""
    return tuple(dict.fromkeys(line.fault for line in lines if line.fault is not None))
