"""What the others and the channel hear, and what a channel hears when it repeats itself."""

from datetime import UTC, datetime
from typing import Any

from contracts.channel import notices_v1 as notices
from contracts.quote import v1
from services.kernel.messages import Instruction, Notice, Outgoing, Recorded
from services.quote.domain.commands import RecordIssue
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import QUOTE_EVENTS, QuoteEvent
from services.quote.domain.state import QuoteState
from services.quote.outbound import repeat, to_wire
from tests.support.builders import YEAR_2026, health_order, motor_order
from tests.unit.quote.orders import instruction

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def carried_out(*instructions: Instruction) -> tuple[list[Outgoing | None], QuoteState]:
    """What goes out for instructions to one stream, and the state after them."""
    sent: list[Outgoing | None] = []
    state: QuoteState = QUOTE_DECIDER.initial_state
    for one in instructions:
        for event in QUOTE_DECIDER.decide(one.command, state):
            # Out and back through the log's own form: what is stored must be enough.
            stored = type(event).model_validate_json(event.model_dump_json())
            assert stored == event
            sent.append(to_wire(recorded(stored, one.stream)))
            state = QUOTE_DECIDER.evolve(state, stored)
    return sent, state


def recorded(event: QuoteEvent, stream: str) -> Recorded[Any]:
    return Recorded(0, 1, stream, 1, event, NOW, {}, b"")


def issue(found: Instruction) -> Instruction:
    command = RecordIssue(
        channel="shop", contract_id=found.lane, order_no="O-1", policy_no="P01-" + "-".join(["0000"] * 4) + "-0",
        renewal=False, period=YEAR_2026,
    )  # fmt: skip
    return Instruction(lane=found.lane, stream=found.stream, command=command)


def types(sent: list[Outgoing | None]) -> list[type | None]:
    return [None if one is None else type(one.event) for one in sent]


def test_an_accepted_order_is_told_step_by_step_and_to_the_channel() -> None:
    found = instruction(motor_order())
    sent, _ = carried_out(found)
    assert types(sent) == [v1.ApplicationSubmitted, v1.PremiumRated, v1.ApplicationAccepted]
    assert all(one is not None and one.key == found.lane for one in sent)
    assert sent[2] is not None
    assert sent[2].notice == Notice(
        "shop",
        notices.OrderAccepted(
            contract_id=found.lane,
            order_no="O-1",
            premium_minor=14_410,
            currency="EUR",
            payment_due_before_cover=False,
        ),
    )


def test_money_before_cover_is_asked_for_in_the_notice() -> None:
    sent, _ = carried_out(instruction(health_order()))
    assert sent[2] is not None
    assert sent[2].notice is not None
    assert isinstance(sent[2].notice.message, notices.OrderAccepted)
    assert sent[2].notice.message.payment_due_before_cover


def test_the_working_stays_inside() -> None:
    sent, _ = carried_out(instruction(health_order()))
    assert sent[1] is not None
    assert "working" not in sent[1].event.model_dump()


def test_an_order_of_an_unknown_product_is_told_by_its_decline_alone() -> None:
    sent, _ = carried_out(instruction(motor_order(product="boat")))
    assert types(sent) == [None, v1.ApplicationDeclined]
    assert sent[1] is not None
    assert sent[1].notice is not None
    assert isinstance(sent[1].notice.message, notices.OrderDeclined)


def test_a_refused_message_is_told_and_told_again() -> None:
    found = instruction(b"{")
    sent, state = carried_out(found, instruction(b"{", offset=9))
    assert types(sent) == [v1.MessageRefused]
    assert sent[0] is not None
    assert sent[0].key == found.stream
    assert sent[0].notice is not None
    assert repeat(found.command, state) == sent[0].notice


def test_a_conflict_is_told_and_told_again_while_the_first_order_stands() -> None:
    first, other = instruction(motor_order()), instruction(motor_order(campaign="M2"), offset=8)
    sent, state = carried_out(first, other)
    conflict = sent[3]
    assert conflict is not None
    assert conflict.notice is not None
    assert isinstance(conflict.notice.message, notices.MessageRefused)
    assert (conflict.notice.message.message_type, conflict.notice.message.reference) == ("order.placed", "O-1")
    assert repeat(other.command, state) == conflict.notice
    assert sent[2] is not None
    assert repeat(first.command, state) == sent[2].notice


def test_a_repeated_order_hears_the_latest_outcome() -> None:
    found = instruction(motor_order())
    _, state = carried_out(found, issue(found))
    again = repeat(found.command, state)
    assert again is not None
    assert isinstance(again.message, notices.PolicyInForce)


def test_a_repeated_order_that_was_declined_hears_why_again() -> None:
    found = instruction(motor_order(currency="USD"))
    sent, state = carried_out(found)
    assert sent[1] is not None
    assert repeat(found.command, state) == sent[1].notice


def test_the_end_of_an_application_is_policys_to_tell() -> None:
    found = instruction(motor_order())
    sent, state = carried_out(found, issue(found))
    assert sent[3] is None
    assert repeat(issue(found).command, state) is None


def test_every_event_type_is_named_once() -> None:
    assert len({event.event_type for event in QUOTE_EVENTS}) == len(QUOTE_EVENTS)
