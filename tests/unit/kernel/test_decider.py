"""The decider's fold."""

from tests.support.tally import DECIDER, Counted, State, TallyClosed

EVENTS = (Counted(tally="t1", amount=5), Counted(tally="t1", amount=7), TallyClosed(tally="t1"))


def test_the_state_is_the_fold_of_the_events() -> None:
    assert DECIDER.fold(EVENTS) == State(total=12, closed=True)
    assert DECIDER.fold(()) == State()


def test_a_fold_may_go_on_from_a_state() -> None:
    assert DECIDER.fold(EVENTS[1:], DECIDER.fold(EVENTS[:1])) == DECIDER.fold(EVENTS)
