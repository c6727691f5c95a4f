"""Decisions by a person: approve all or less, decline, and what is refused."""

import pytest

from contracts.vocabulary.faults import FaultCode
from services.claims.domain.commands import ApproveClaim, DeclineClaim, RecordPayment
from services.claims.domain.events import ClaimApproved, ClaimClosed, ClaimDeclined, ReserveChanged
from services.claims.domain.lines import ClosingKind
from tests.support.builders import CONTRACT
from tests.unit.claims.examples import CLAIM, claims, history, loss, register

WAITING = history(
    register(straight_through_claim_minor=0), loss(("Theft", 5_000), ("Windscreen", 20_001), ("TPLM", 10_000))
)
APPROVE = ApproveClaim(claim_no=CLAIM, approved_by="Ada")
DECLINE = DeclineClaim(claim_no=CLAIM, declined_by="Ada", reason="the car was not there")


def test_a_person_approves_the_adjudicated_sum() -> None:
    spec = claims.given(*WAITING).when(APPROVE).then_types(ClaimApproved)
    approved = spec.decided[0]
    assert (approved.approved_minor, approved.approved_by) == (30_001, "Ada")
    assert [line.payable_minor for line in approved.lines] == [0, 20_001, 10_000]


def test_a_person_may_approve_less_and_the_lines_still_add_up() -> None:
    spec = claims.given(*WAITING).when(ApproveClaim(claim_no=CLAIM, approved_by="Ada", approved_minor=10_000))
    spec.then_types(ReserveChanged, ClaimApproved)
    reserve, approved = spec.decided
    assert reserve.outstanding_minor == approved.approved_minor == 10_000
    # 10,000 x 20,001 / 30,001 = 6,666.78 and x 10,000 / 30,001 = 3,333.22: the cent left goes to the first.
    assert [line.payable_minor for line in approved.lines] == [0, 6_667, 3_333]


@pytest.mark.parametrize(
    ("approved_minor", "code"),
    [
        (30_002, "approved_sum_too_high"),
        (0, "approved_sum_not_positive"),
        (-1, "approved_sum_not_positive"),
    ],
)
def test_a_sum_outside_what_was_adjudicated_is_refused(approved_minor: int, code: str) -> None:
    command = ApproveClaim(claim_no=CLAIM, approved_by="Ada", approved_minor=approved_minor)
    claims.given(*WAITING).when(command).then_refused(code)


def test_a_person_declines_and_the_rules_own_reasons_stay() -> None:
    spec = claims.given(*WAITING).when(DECLINE)
    spec.then_types(ReserveChanged, ClaimDeclined, ClaimClosed)
    reserve, declined, closed = spec.decided
    assert reserve == ReserveChanged(contract_id=CONTRACT, claim_no=CLAIM, outstanding_minor=0, currency="EUR")
    assert [line.fault.code for line in declined.lines] == [
        FaultCode.GUARANTEE_NOT_BOUGHT,
        FaultCode.DECLINED_BY_ADJUSTER,
        FaultCode.DECLINED_BY_ADJUSTER,
    ]
    assert declined.lines[1].fault.message == "the car was not there"
    assert declined.declined_by == "Ada"
    assert closed.kind is ClosingKind.DECLINED


@pytest.mark.parametrize("command", [APPROVE, DECLINE])
def test_an_unknown_claim_cannot_be_decided(command: ApproveClaim | DeclineClaim) -> None:
    claims.given().when(command).then_refused("claim_unknown")


@pytest.mark.parametrize("command", [APPROVE, DECLINE])
def test_a_claim_that_went_straight_through_cannot_be_decided(command: ApproveClaim | DeclineClaim) -> None:
    straight = history(register(), loss(("Windscreen", 100)))
    claims.given(*straight).when(command).then_refused("claim_not_awaiting_decision")


@pytest.mark.parametrize("command", [APPROVE, DECLINE])
def test_a_claim_closed_at_zero_cannot_be_decided(command: ApproveClaim | DeclineClaim) -> None:
    zero = history(register(), loss(("Windscreen", 0)))
    claims.given(*zero).when(command).then_refused("claim_not_awaiting_decision")


def test_the_same_approval_again_changes_nothing_even_after_payment() -> None:
    paid = history(
        register(straight_through_claim_minor=0),
        loss(("Windscreen", 100)),
        APPROVE,
        RecordPayment(claim_no=CLAIM, paid_minor=100, currency="EUR"),
    )
    claims.given(*paid).when(APPROVE).then_nothing()
    claims.given(*paid).when(DECLINE).then_refused("claim_not_awaiting_decision")


def test_another_decision_after_the_first_is_refused() -> None:
    approved = history(register(straight_through_claim_minor=0), loss(("Windscreen", 100)), APPROVE)
    for other in (
        ApproveClaim(claim_no=CLAIM, approved_by="Grace"),
        ApproveClaim(claim_no=CLAIM, approved_by="Ada", approved_minor=99),
        DECLINE,
    ):
        claims.given(*approved).when(other).then_refused("claim_not_awaiting_decision")


def test_the_same_decline_again_changes_nothing() -> None:
    declined = history(register(straight_through_claim_minor=0), loss(("Windscreen", 100)), DECLINE)
    claims.given(*declined).when(DECLINE).then_nothing()
    claims.given(*declined).when(APPROVE).then_refused("claim_not_awaiting_decision")
