"""Whatever a channel sends has exactly one outcome, and what goes out for it can always be written."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.vocabulary.model import PublicEvent
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationSubmitted,
    MessageRefused,
    PremiumRated,
)
from services.quote.outbound import repeat, to_wire
from tests.support.builders import health_order, motor_order
from tests.unit.quote.orders import instruction
from tests.unit.quote.test_outbound import recorded

MESSAGES = [motor_order(), health_order()]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=0, max_value=10**15),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", " ", "EUR", "2026-02-29", "9999-12-31T23:59:59-14:00", "motor", "\0", "x" * 5_000, "订单"]),
    st.sampled_from([[], {}, [[]], [{}], {"line": "health"}, {"line": "motor"}, -1, 0, 2**53 + 1, 10**15, 10**30]),
    st.lists(
        st.fixed_dictionaries({"code": st.sampled_from(["TPLM", "Inpatient", ""]), "premium_minor": st.integers(0)})
    ),
)


def paths_of(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [path, *(found for name, value in inner for found in paths_of(value, (*path, name)))]


def put(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(content) if isinstance(content, dict) else list(content)
    copy[path[0]] = put(content[path[0]], path[1:], value)
    return copy


@st.composite
def altered(draw: st.DrawFn) -> bytes:
    message = draw(st.sampled_from(MESSAGES))
    for _ in range(draw(st.integers(1, 3))):
        message = put(message, draw(st.sampled_from(paths_of(message))), draw(ODD))
    return json.dumps(message).encode()


def outcome_of(value: bytes) -> type:
    """The outcome of one message that comes twice."""
    found = instruction(value)
    events = QUOTE_DECIDER.decide(found.command, QUOTE_DECIDER.initial_state)
    state = QUOTE_DECIDER.fold(events)
    assert not QUOTE_DECIDER.decide(found.command, state)
    for event in events:
        outgoing = to_wire(recorded(event, found.stream))
        if outgoing is not None:
            written(outgoing.event)
            if outgoing.notice is not None:
                written(outgoing.notice.message)
    assert repeat(found.command, state) is not None
    assert all(isinstance(event, ApplicationSubmitted | PremiumRated) for event in events[:-1])
    return type(events[-1])


def written(event: PublicEvent) -> None:
    text = event.model_dump_json()
    assert "\\u0000" not in text
    assert type(event).model_validate_json(text) == event


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(altered())
def test_an_altered_order_has_one_outcome(value: bytes) -> None:
    assert outcome_of(value) in (MessageRefused, ApplicationDeclined, ApplicationAccepted)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_have_one_outcome(value: bytes) -> None:
    assert outcome_of(value) is MessageRefused
