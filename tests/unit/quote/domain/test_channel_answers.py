"""What a channel says about its order: carried out once, refused with a reason, evaluated anew once things changed."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.channel import notices_v1 as notices
from contracts.quote import v1
from contracts.vocabulary.faults import FaultCode
from services.kernel.errors import CommandRefused
from services.kernel.messages import Recorded
from services.quote.domain.answers.commands import AnswerOrder, RecordRelease
from services.quote.domain.answers.events import AnswerReceived, AnswerRefused, ReleaseRequested
from services.quote.domain.commands import RecordIssue, RecordIssueFailure
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationIssued,
    ApplicationNotIssued,
    ApplicationSubmitted,
    PremiumRated,
)
from services.quote.domain.underwriting.events import (
    ApplicationAssessed,
    ApplicationExpired,
    ApplicationWithdrawn,
    CounterOfferRefused,
    CounterOfferTaken,
    InformationProvided,
)
from services.quote.outbound import repeat, to_wire
from tests.support.builders import YEAR_2026
from tests.unit.quote.domain.test_referrals import ACCEPT, ASK, NAMES, after, counter, expire
from tests.unit.quote.orders import INBOUND, delivery, instruction, submit
from tests.unit.quote.underwritten import PRODUCT, REFERRED, application, decided, order, product

PAYABLE = product(pay_within_days=10)
WAITING = decided(order(), PAYABLE)
ISSUE = RecordIssue(**NAMES, policy_no="P01", renewal=False, period=YEAR_2026)
RELEASED = RecordRelease(**NAMES)


def message(kind: str, **fields: Any) -> dict[str, Any]:
    common = {"type": kind, "schema_version": 1, "order_no": "H-1", "answered_at": "2025-12-21T10:00:00Z"}
    return {**common, **fields}


def said(kind: str, **fields: Any) -> AnswerOrder:
    command = instruction(message(kind, **fields)).command
    assert isinstance(command, AnswerOrder)
    return command


TAKEN = said("counter_offer.answered", answer="taken", answered_by="Zhang")
REFUSED = said("counter_offer.answered", answer="refused", answered_by="Zhang")
WEIGHT = said("information.provided", answer="70 kg")
WITHDRAWN = said("withdrawal.requested", reason="changed his mind")
LATER = said("withdrawal.requested", reason="again", answered_at="2025-12-22T10:00:00Z")


def code_of(spec: Any) -> FaultCode:
    """The one fault of the one refusal that was decided."""
    (refusal,) = spec.then_types(AnswerRefused).decided
    (fault,) = refusal.faults
    assert isinstance(fault.code, FaultCode)
    return fault.code


def heard_again(command: AnswerOrder, history: Any) -> Any:
    state = QUOTE_DECIDER.fold(history)
    assert list(QUOTE_DECIDER.decide(command, state)) == []
    notice = repeat(command, state)
    return None if notice is None else type(notice.message)


def test_an_answer_goes_to_its_orders_lane_and_stream() -> None:
    given: dict[str, Any] = {"contract_no": "C-9", "book": "shared"}
    placed, found = instruction(order(**given)), instruction(message("withdrawal.requested", reason="no", **given))
    assert (found.lane, found.stream, found.unique) == (placed.lane, placed.stream, None)
    assert found.command.step.withdrawn_by == "shop"
    assert found.command.source == "orders.shop.v1/3/7"


def test_a_malformed_answer_is_told_every_fault() -> None:
    bad = message("counter_offer.answered", answer="maybe", answered_at="yesterday", order_no=7, why="x")
    (found,) = INBOUND.react_to_channel(delivery(bad))
    paths = {fault.path: fault.code for fault in found.command.faults}
    assert paths == {
        "answer": "invalid_field",
        "answered_at": "invalid_field",
        "order_no": "invalid_field",
        "why": "unknown_field",
    }


def test_a_counter_offer_is_taken_and_refused() -> None:
    after(counter()).when(TAKEN).then_types(AnswerReceived, CounterOfferTaken, ApplicationAccepted)
    after(counter()).when(REFUSED).then_types(AnswerReceived, CounterOfferRefused, ApplicationWithdrawn)


def test_a_question_is_answered_and_an_old_answer_does_not_answer_the_next() -> None:
    after(ASK).when(WEIGHT).then_types(AnswerReceived, InformationProvided)
    again = after(ASK, WEIGHT, ASK)
    again.when(WEIGHT).then_nothing()
    newer = said("information.provided", answer="70 kg", answered_at="2025-12-23T10:00:00Z")
    again.when(newer).then_types(AnswerReceived, InformationProvided)


@pytest.mark.parametrize(
    ("steps", "command", "code"),
    [
        ((), TAKEN, FaultCode.NO_COUNTER_OFFER),
        ((), WEIGHT, FaultCode.NO_QUESTION_OPEN),
        ((counter(),), WEIGHT, FaultCode.COUNTER_OFFER_OPEN),
        ((ACCEPT,), TAKEN, FaultCode.ORDER_DECIDED),
        ((counter(), REFUSED), TAKEN, FaultCode.ORDER_DECIDED),
        ((ACCEPT, ISSUE), WITHDRAWN, FaultCode.ORDER_ISSUED),
        ((ACCEPT, RecordIssueFailure(**NAMES, faults=())), WITHDRAWN, FaultCode.ORDER_DECIDED),
        (
            (counter(),),
            said("counter_offer.answered", answer="taken", answered_at="2026-01-01T00:00:00Z"),
            FaultCode.COUNTER_OFFER_LAPSED,
        ),
    ],
)
def test_what_is_not_possible_is_refused_with_a_code(steps: Any, command: AnswerOrder, code: FaultCode) -> None:
    refusal = after(*steps).when(command)
    assert code_of(refusal) is code
    assert heard_again(command, after(*steps, command).history) is notices.MessageRefused


def test_an_answer_to_an_order_that_was_not_referred_or_is_unknown_is_refused() -> None:
    assert code_of(application.given(*decided(order())).when(TAKEN)) is FaultCode.ORDER_NOT_REFERRED
    unknown = application.given().when(TAKEN)
    assert code_of(unknown) is FaultCode.ORDER_UNKNOWN
    assert heard_again(TAKEN, unknown.decided) is notices.MessageRefused


def test_an_answer_before_its_order_is_told_and_leaves_the_order_as_it_is() -> None:
    early = application.given().when(WITHDRAWN).decided
    placed = application.given(*early).when(submit(order(), product=PAYABLE))
    placed.then_types(ApplicationSubmitted, ApplicationAssessed, PremiumRated, ApplicationAccepted)
    # Sent again behind its order, the very same message is possible.
    application.given(*early, *placed.decided).when(WITHDRAWN).then_types(AnswerReceived, ReleaseRequested)


def test_a_refused_message_that_has_become_possible_is_carried_out() -> None:
    after(TAKEN, counter()).when(TAKEN).then_types(AnswerReceived, CounterOfferTaken, ApplicationAccepted)


def test_a_refusal_is_told_with_the_place_of_the_message() -> None:
    (refusal,) = after().when(TAKEN).decided
    outgoing = to_wire(Recorded(0, 1, "s", 1, refusal, datetime(2026, 1, 1, tzinfo=UTC), {}, b""))
    assert outgoing is not None
    assert outgoing.notice is not None
    assert isinstance(outgoing.event, v1.MessageRefused)
    told = outgoing.notice.message
    assert isinstance(told, notices.MessageRefused)
    assert (told.message_type, told.reference, told.source) == (
        "counter_offer.answered",
        "H-1",
        "orders.shop.v1/3/7",
    )


def test_a_refusal_of_the_rules_that_is_no_channels_business_stays_a_refusal() -> None:
    odd = AnswerOrder(
        **NAMES, source="s", message_type="m", content_digest="d",
        answered_at=datetime(2026, 1, 1, tzinfo=UTC), step=ACCEPT_WITHOUT_AUTHORITY,
    )  # fmt: skip
    with pytest.raises(CommandRefused, match="authority"):
        QUOTE_DECIDER.decide(odd, QUOTE_DECIDER.fold(REFERRED))


ACCEPT_WITHOUT_AUTHORITY: Any = type(ACCEPT)(order_no="H-1", accepted_by="li", level=0, reason="-")


def test_an_accepted_order_is_withdrawn_once_policy_has_released_it() -> None:
    asked = application.given(*WAITING).when(WITHDRAWN)
    asked.then_types(AnswerReceived, ReleaseRequested)
    asked.given(*WAITING, *asked.decided).when(RELEASED).then(
        ApplicationWithdrawn(**NAMES, withdrawn_by="shop", reason="changed his mind", after_acceptance=True)
    )
    assert heard_again(WITHDRAWN, [*WAITING, *asked.decided]) is None
    assert heard_again(LATER, after(WITHDRAWN, RELEASED, start=WAITING).history) is notices.OrderWithdrawn


def test_a_policy_that_was_issued_first_overtakes_every_withdrawal() -> None:
    late = after(WITHDRAWN, LATER, start=WAITING).when(ISSUE)
    late.then_types(ApplicationIssued, AnswerRefused, AnswerRefused)
    assert {refusal.faults[0].code for refusal in late.decided[1:]} == {FaultCode.ORDER_ISSUED}
    history = after(WITHDRAWN, LATER, ISSUE, start=WAITING).history
    assert heard_again(WITHDRAWN, history) is notices.MessageRefused
    failure = RecordIssueFailure(**NAMES, faults=())
    after(WITHDRAWN, start=WAITING).when(failure).then_types(ApplicationNotIssued)


def test_only_what_was_asked_for_is_released() -> None:
    application.given(*WAITING).when(RELEASED).then_refused("release_not_requested")
    application.given().when(RELEASED).then_refused("release_not_requested")


def test_an_unpaid_order_expires_after_its_last_day_and_not_before() -> None:
    # placed on 2025-12-20, payable within 10 days
    assert WAITING[-1].pay_by == date(2025, 12, 30)
    after(start=WAITING).when(expire(date(2025, 12, 30))).then_refused("not_expired")
    asked = after(start=WAITING).when(expire(date(2025, 12, 31)))
    asked.then(ReleaseRequested(**NAMES, kind="expiry", expired_on=date(2025, 12, 31)))
    after(expire(date(2025, 12, 31)), start=WAITING).when(RELEASED).then(
        ApplicationExpired(**NAMES, expired_on=date(2025, 12, 31), after_acceptance=True)
    )
    after(ISSUE, start=WAITING).when(expire(date(2026, 1, 31))).then_refused("application_issued")
    # The first wish stands, and the second is known.
    after(expire(date(2025, 12, 31)), start=WAITING).when(WITHDRAWN).then_types(AnswerReceived)
    after(WITHDRAWN, start=WAITING).when(expire(date(2025, 12, 31))).then_nothing()


def test_the_days_to_pay_begin_when_the_order_is_accepted() -> None:
    refers = product(pay_within_days=10, rules=PRODUCT.document.model_dump(mode="json")["underwriting"])
    referred = decided(order(insured=50_000_000, premium=130_910), refers)
    taken = after(counter(), TAKEN, start=referred).history[-1]
    assert (taken.pay_by, referred[-1].pay_within_days) == (date(2025, 12, 31), 10)
    accepted_on = date(2025, 12, 24)
    by_person = type(ACCEPT)(order_no="H-1", accepted_by="li", level=1, reason="good", accepted_on=accepted_on)
    assert after(by_person, start=referred).history[-1].pay_by == date(2026, 1, 3)
    assert decided(order())[-1].pay_by is None
