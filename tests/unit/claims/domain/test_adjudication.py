"""Adjudication: cover on the day of loss, coverage bought, currency, limits, straight-through limit."""

from datetime import date
from typing import Any

import pytest

from contracts.vocabulary.faults import FaultCode
from services.claims.domain.commands import ApproveClaim, DeclineClaim
from services.claims.domain.events import (
    ClaimAdjudicated,
    ClaimApproved,
    ClaimClosed,
    ClaimDeclined,
    ClaimReported,
    ReserveChanged,
)
from services.claims.domain.lines import AssessedLine, ClosingKind
from tests.support.builders import CHANNEL, CONTRACT
from tests.support.decider_spec import DeciderSpec
from tests.unit.claims.examples import CLAIM, POLICY, REPORTED_AT, claims, history, loss, register, registered

DECLINED = (ClaimReported, ClaimAdjudicated, ClaimDeclined, ClaimClosed)
APPROVED = (ClaimReported, ClaimAdjudicated, ReserveChanged, ClaimApproved)


def result(spec: DeciderSpec) -> list[tuple[int, FaultCode | None]]:
    """Payable sum and reason of each line."""
    adjudicated: Any = spec.decided[1]
    assert isinstance(adjudicated, ClaimAdjudicated)
    return [(line.payable_minor, line.fault.code if line.fault else None) for line in adjudicated.lines]


def test_a_covered_loss_is_reserved_and_approved_straight_through() -> None:
    notice = loss(("Windscreen", 45_000), description="stone chip")
    line = AssessedLine(line_no=1, coverage="Windscreen", claimed_minor=45_000, payable_minor=45_000)
    claims.given(registered()).when(notice).then(
        ClaimReported(
            contract_id=CONTRACT,
            channel=CHANNEL,
            claim_no=CLAIM,
            notice_no="N-1",
            content_digest="digest-1",
            policy_no=POLICY,
            loss_date=date(2026, 5, 1),
            reported_at=REPORTED_AT,
            currency="EUR",
            claimed_minor=45_000,
            lines=notice.lines,
            description="stone chip",
        ),
        ClaimAdjudicated(
            contract_id=CONTRACT,
            claim_no=CLAIM,
            term_no=1,
            currency="EUR",
            payable_minor=45_000,
            lines=(line,),
        ),
        ReserveChanged(contract_id=CONTRACT, claim_no=CLAIM, outstanding_minor=45_000, currency="EUR"),
        ClaimApproved(
            contract_id=CONTRACT,
            channel=CHANNEL,
            claim_no=CLAIM,
            notice_no="N-1",
            approved_minor=45_000,
            currency="EUR",
            lines=(line,),
        ),
    )


def test_a_notice_that_comes_before_the_cover_is_declined_as_policy_unknown() -> None:
    spec = claims.given().when(loss(("TPLM", 100), ("Windscreen", 100)))
    spec.then_types(*DECLINED)
    assert result(spec) == [(0, FaultCode.POLICY_UNKNOWN), (0, FaultCode.POLICY_UNKNOWN)]
    assert spec.decided[0].policy_no is None


def test_a_decline_stands_when_the_cover_comes_later() -> None:
    declined = history(loss(("TPLM", 100)))
    claims.given(*declined, registered()).when(loss(("TPLM", 100))).then_nothing()


@pytest.mark.parametrize(
    ("day", "covered"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ],
)
def test_cover_runs_from_its_first_day_to_the_day_before_expiry(day: date, covered: bool) -> None:
    spec = claims.given(registered()).when(loss(("Windscreen", 100), loss_date=day))
    assert result(spec) == [(100, None) if covered else (0, FaultCode.NO_COVER_IN_FORCE)]


def test_the_term_in_force_on_the_day_of_loss_decides_not_the_latest() -> None:
    second = registered(2, coverages=register().terms.coverages[:1])
    spec = claims.given(registered(), second).when(loss(("TPLM", 100)))
    assert result(spec) == [(100, None)]
    later = claims.given(registered(), second).when(loss(("TPLM", 100), loss_date=date(2027, 1, 1)))
    assert result(later) == [(0, FaultCode.GUARANTEE_NOT_BOUGHT)]


def test_a_claim_in_another_currency_is_declined() -> None:
    spec = claims.given(registered()).when(loss(("TPLM", 100), currency="USD"))
    spec.then_types(*DECLINED)
    assert result(spec) == [(0, FaultCode.WRONG_CURRENCY)]


def test_a_claim_that_is_covered_in_part_is_approved_for_that_part() -> None:
    spec = claims.given(registered()).when(loss(("Theft", 70_000), ("Windscreen", 30_000)))
    spec.then_types(*APPROVED)
    assert result(spec) == [(0, FaultCode.GUARANTEE_NOT_BOUGHT), (30_000, None)]
    approved = spec.decided[3]
    assert approved.approved_minor == 30_000
    assert [line.fault is None for line in approved.lines] == [False, True]
    assert approved.lines[0].fault.path == "lines.0.coverage"


def test_a_covered_claim_over_nothing_is_closed_at_zero_without_a_reserve() -> None:
    spec = claims.given(registered()).when(loss(("Windscreen", 0)))
    spec.then_types(ClaimReported, ClaimAdjudicated, ClaimClosed)
    closed = spec.decided[2]
    assert (closed.kind, closed.paid_minor) == (ClosingKind.ZERO, 0)
    assert len(closed.lines) == 1


def test_a_zero_claim_that_is_not_covered_is_declined() -> None:
    claims.given(registered()).when(loss(("Theft", 0))).then_types(*DECLINED)


def test_a_claim_above_the_sum_insured_is_paid_up_to_it() -> None:
    spec = claims.given(registered()).when(loss(("TPLM", 1_000_001)))
    assert result(spec) == [(1_000_000, None)]
    assert spec.decided[1].lines[0].available_minor == 1_000_000


def test_the_second_claim_on_a_limit_gets_what_the_first_one_left() -> None:
    first = history(register(), loss(("TPLM", 900_000)))
    spec = claims.given(*first).when(loss(("TPLM", 900_000), notice_no="N-2", content_digest="digest-2"))
    assert result(spec) == [(100_000, None)]


def test_a_claim_on_an_exhausted_limit_gets_nothing_and_the_reason() -> None:
    first = history(register(), loss(("TPLM", 1_000_000)))
    spec = claims.given(*first).when(loss(("TPLM", 1), notice_no="N-2", content_digest="digest-2"))
    spec.then_types(*DECLINED)
    assert result(spec) == [(0, FaultCode.LIMIT_EXHAUSTED)]


def test_two_lines_of_one_notice_share_a_limit() -> None:
    spec = claims.given(registered()).when(loss(("TPLM", 700_000), ("TPLM", 700_000), ("TPLM", 1)))
    assert result(spec) == [(700_000, None), (300_000, None), (0, FaultCode.LIMIT_EXHAUSTED)]
    assert spec.decided[3].approved_minor == 1_000_000


def test_nothing_claimed_on_an_exhausted_limit_is_still_covered() -> None:
    first = history(register(), loss(("TPLM", 1_000_000)))
    spec = claims.given(*first).when(loss(("TPLM", 0), notice_no="N-2", content_digest="digest-2"))
    spec.then_types(ClaimReported, ClaimAdjudicated, ClaimClosed)


def test_each_term_has_its_sum_insured_anew() -> None:
    first = history(register(), register(2), loss(("TPLM", 1_000_000)))
    renewed = loss(("TPLM", 400_000), notice_no="N-2", content_digest="digest-2", loss_date=date(2027, 3, 1))
    assert result(claims.given(*first).when(renewed)) == [(400_000, None)]


@pytest.mark.parametrize(("claimed_minor", "waits"), [(50_000, False), (50_001, True)])
def test_a_claim_above_the_straight_through_limit_waits_for_a_person(claimed_minor: int, waits: bool) -> None:
    cover = registered(straight_through_claim_minor=50_000)
    spec = claims.given(cover).when(loss(("Windscreen", claimed_minor)))
    spec.then_types(*(APPROVED[:3] if waits else APPROVED))


def test_a_claim_that_waits_holds_its_share_of_the_limit() -> None:
    waiting = history(register(straight_through_claim_minor=0), loss(("TPLM", 1_000_000)))
    other = loss(("TPLM", 5_000), notice_no="N-2", content_digest="digest-2")
    assert result(claims.given(*waiting).when(other)) == [(0, FaultCode.LIMIT_EXHAUSTED)]


def test_what_a_person_declines_is_free_for_other_claims_again() -> None:
    declined = history(
        register(straight_through_claim_minor=0),
        loss(("TPLM", 1_000_000)),
        DeclineClaim(claim_no=CLAIM, declined_by="Ada", reason="staged"),
    )
    other = loss(("TPLM", 5_000), notice_no="N-2", content_digest="digest-2")
    assert result(claims.given(*declined).when(other)) == [(5_000, None)]


def test_what_a_person_cuts_is_free_for_other_claims_again() -> None:
    cut = history(
        register(straight_through_claim_minor=0),
        loss(("TPLM", 1_000_000)),
        ApproveClaim(claim_no=CLAIM, approved_by="Ada", approved_minor=600_000),
    )
    other = loss(("TPLM", 900_000), notice_no="N-2", content_digest="digest-2")
    assert result(claims.given(*cut).when(other)) == [(400_000, None)]
