"""What the world and the channel hear of claims, and what is said again when a notice is repeated."""

from datetime import UTC, datetime

from contracts.channel import notices_v1 as notices
from contracts.claims import v1
from contracts.vocabulary.faults import FaultCode
from services.claims.domain.commands import ApproveClaim, DeclineClaim, RecordPayment
from services.claims.domain.decider import CLAIMS_DECIDER
from services.claims.domain.events import CLAIMS_EVENTS, ClaimsEvent
from services.claims.outbound import repeat, to_wire
from services.kernel.messages import Notice, Outgoing, Recorded
from tests.support.builders import CHANNEL, CONTRACT
from tests.unit.claims.examples import CLAIM, SOURCE, history, loss, register

NOW = datetime(2026, 5, 2, 10, 0, tzinfo=UTC)
MANUAL = register(straight_through_claim_minor=0)
PAY = RecordPayment(claim_no=CLAIM, paid_minor=45_000, currency="EUR")


def recorded(event: ClaimsEvent) -> Recorded[ClaimsEvent]:
    """The event at some place in the log."""
    return Recorded(0, 1, f"cover-{CONTRACT}", 1, event, NOW, {}, b"")


def told(*commands: object) -> list[Outgoing]:
    """All that goes out over these commands."""
    return [outgoing for event in history(*commands) if (outgoing := to_wire(recorded(event)))]


def kinds(outgoing: list[Outgoing]) -> list[tuple[type, type | None]]:
    """Types of the public events and of the notices with them."""
    return [(type(out.event), type(out.notice.message) if out.notice else None) for out in outgoing]


def decision(approved: bool, approved_minor: int, *codes: FaultCode) -> tuple[object, ...]:
    """The parts of a ClaimDecided that matter."""
    return (approved, approved_minor, list(codes))


def said(notice: Notice | None) -> tuple[object, ...]:
    """The same parts of a notice."""
    assert notice is not None
    assert notice.channel == CHANNEL
    message = notice.message
    assert isinstance(message, notices.ClaimDecided)
    return decision(message.approved, message.approved_minor, *(fault.code for fault in message.faults))


def test_a_paid_claim_is_told_from_notice_to_closing() -> None:
    outgoing = told(register(), loss(("Windscreen", 45_000)), PAY)
    assert kinds(outgoing) == [
        (v1.ClaimReported, notices.ClaimRegistered),
        (v1.ReserveChanged, None),
        (v1.ClaimApproved, notices.ClaimDecided),
        (v1.ReserveChanged, None),
        (v1.ClaimClosed, None),
    ]
    assert {out.key for out in outgoing} == {CONTRACT}
    assert said(outgoing[2].notice) == decision(True, 45_000)


def test_a_declined_claim_is_told_with_its_reasons_once_each() -> None:
    outgoing = told(loss(("Windscreen", 45_000), ("TPLM", 100)))
    assert kinds(outgoing)[1:] == [(v1.ClaimDeclined, notices.ClaimDecided), (v1.ClaimClosed, None)]
    assert said(outgoing[1].notice) == decision(False, 0, FaultCode.POLICY_UNKNOWN)
    declined = outgoing[1].event
    assert isinstance(declined, v1.ClaimDeclined)
    assert [line.line_no for line in declined.lines] == [1, 2]


def test_closing_at_zero_is_told_as_an_approval_of_nothing() -> None:
    outgoing = told(register(), loss(("Windscreen", 0), ("Theft", 5)))
    assert kinds(outgoing)[1:] == [(v1.ClaimClosed, notices.ClaimDecided)]
    assert said(outgoing[1].notice) == decision(True, 0, FaultCode.GUARANTEE_NOT_BOUGHT)


def test_a_partly_declined_claim_tells_both_the_sum_and_the_reasons() -> None:
    outgoing = told(register(), loss(("Windscreen", 10), ("Theft", 5)))
    assert said(outgoing[2].notice) == decision(True, 10, FaultCode.GUARANTEE_NOT_BOUGHT)


def test_a_refused_notice_is_told_as_a_refused_message() -> None:
    other = loss(("Windscreen", 46_000), content_digest="digest-2", source="orders.shop.v1/0/9")
    out = told(register(), loss(("Windscreen", 45_000)), other)[-1]
    assert isinstance(out.event, v1.LossNoticeRefused)
    assert out.notice is not None
    message = out.notice.message
    assert isinstance(message, notices.MessageRefused)
    assert (message.source, message.message_type, message.reference) == (
        "orders.shop.v1/0/9",
        "loss.reported",
        "N-1",
    )
    assert message.faults[0].code is FaultCode.NOTICE_NUMBER_REUSED


def test_a_repeated_notice_gets_the_latest_outcome_again() -> None:
    notice = loss(("Windscreen", 45_000), source="orders.shop.v1/0/9")
    waiting = CLAIMS_DECIDER.fold(history(MANUAL, notice))
    registered = repeat(notice, waiting)
    assert registered is not None
    assert registered.message == notices.ClaimRegistered(contract_id=CONTRACT, notice_no="N-1", claim_no=CLAIM)
    approve = ApproveClaim(claim_no=CLAIM, approved_by="Ada", approved_minor=40_000)
    approved = CLAIMS_DECIDER.fold(history(MANUAL, notice, approve))
    assert said(repeat(notice, approved)) == decision(True, 40_000)
    decline = DeclineClaim(claim_no=CLAIM, declined_by="Ada", reason="staged")
    declined = CLAIMS_DECIDER.fold(history(MANUAL, notice, decline))
    assert said(repeat(notice, declined)) == decision(False, 0, FaultCode.DECLINED_BY_ADJUSTER)
    zero = loss(("Windscreen", 0))
    assert said(repeat(zero, CLAIMS_DECIDER.fold(history(register(), zero)))) == decision(True, 0)


def test_a_repeat_says_what_was_said_first() -> None:
    for commands in (
        (register(), loss(("Windscreen", 45_000), ("Theft", 5))),
        (register(), loss(("Windscreen", 0))),
        (loss(("Windscreen", 45_000)),),
    ):
        last = [out.notice for out in told(*commands) if out.notice][-1]
        assert repeat(commands[-1], CLAIMS_DECIDER.fold(history(*commands))) == last


def test_a_repeated_conflict_gets_its_refusal_again() -> None:
    first = loss(("Windscreen", 45_000))
    other = loss(("Windscreen", 46_000), content_digest="digest-2")
    state = CLAIMS_DECIDER.fold(history(register(), first, other))
    again = repeat(other, state)
    assert again is not None
    assert isinstance(again.message, notices.MessageRefused)
    assert again.message.source == SOURCE
    assert said(repeat(first, state)) == decision(True, 45_000)


def test_nothing_is_said_again_for_commands_that_no_channel_sent() -> None:
    state = CLAIMS_DECIDER.fold(history(register(), loss(("Windscreen", 45_000)), PAY))
    assert repeat(PAY, state) is None
    assert repeat(register(), state) is None


def test_every_event_has_an_answer_and_a_name_of_its_own() -> None:
    names = [event.event_type for event in CLAIMS_EVENTS]
    assert len(set(names)) == len(names)
