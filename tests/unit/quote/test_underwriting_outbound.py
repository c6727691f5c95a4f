"""What the world and the channel hear of a referral, step by step, and again where the channel asks again."""

from datetime import UTC, date, datetime
from typing import Any

from contracts.channel import notices_v1 as notices
from contracts.quote import v1
from contracts.vocabulary.model import PublicEvent
from services.kernel.messages import Recorded
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.outbound import repeat, to_wire
from tests.unit.quote.domain.test_referrals import (
    ACCEPT,
    ANSWER,
    ASK,
    DECLINE,
    NAMES,
    REFUSE,
    TAKE,
    WITHDRAW,
    after,
    counter,
    expire,
)
from tests.unit.quote.domain.test_registers import ADDED, APPOINTED, DISMISSED, REMOVED
from tests.unit.quote.orders import submit
from tests.unit.quote.underwritten import PRODUCT, REFERRED_ORDER

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def told(events: Any) -> list[tuple[type[PublicEvent], PublicEvent | None]]:
    """Type of the public event, and the notice, of each event that goes out."""
    sent = [to_wire(Recorded(0, 1, "s", 1, event, NOW, {}, b"")) for event in events]
    return [(type(one.event), one.notice.message if one.notice else None) for one in sent if one is not None]


def last_notice(*steps: Any) -> Any:
    return told(after(*steps).history)[-1][1]


def test_each_step_that_concerns_the_channel_is_a_public_event_with_its_notice() -> None:
    heard = told(after(ASK, ANSWER, counter(), TAKE).history)
    assert [(event, type(notice)) for event, notice in heard[2:]] == [
        (v1.ApplicationReferred, notices.OrderReferred),
        (v1.InformationRequested, notices.InformationWanted),
        (v1.CounterOffered, notices.CounterOfferMade),
        (v1.ApplicationAccepted, notices.OrderAccepted),
    ]


def test_the_channel_hears_why_and_on_which_terms() -> None:
    referred = last_notice()
    assert (referred.reasons[0].code, referred.reasons[0].zh) == ("high-sum", "因风险原因")
    assert last_notice(ASK).question == "Weight?"
    offer = last_notice(counter())
    assert (offer.premium_minor, offer.valid_until) == (163_638, date(2025, 12, 31))
    assert last_notice(counter(), TAKE).premium_minor == 163_638
    assert last_notice(DECLINE).faults[0].message == "too high"


def test_the_end_without_cover_is_told_too() -> None:
    names = {name: NAMES[name] for name in ("contract_id", "order_no")}
    assert last_notice(WITHDRAW) == notices.OrderWithdrawn(**names, reason="changed his mind")
    assert isinstance(last_notice(counter(), REFUSE), notices.OrderWithdrawn)
    assert last_notice(counter(), expire(date(2026, 1, 1))) == notices.OrderExpired(
        **names, expired_on=date(2026, 1, 1)
    )


def test_what_underwriters_do_among_themselves_stays_inside() -> None:
    assert told([ADDED, REMOVED, APPOINTED, DISMISSED]) == []


def test_a_channel_that_sends_the_order_again_hears_how_it_stands() -> None:
    again = submit(REFERRED_ORDER, product=PRODUCT)
    for steps, expected in (
        ((), notices.OrderReferred),
        ((counter(),), notices.CounterOfferMade),
        ((ACCEPT,), notices.OrderAccepted),
        ((WITHDRAW,), notices.OrderWithdrawn),
    ):
        notice = repeat(again, QUOTE_DECIDER.fold(after(*steps).history))
        assert notice is not None
        assert type(notice.message) is expected
