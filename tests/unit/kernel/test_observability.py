"""What a client library says again and again is written once in a while."""

import logging

from services.kernel.observability import Thinned


def record(seconds: float, message: str = "no broker at %s", name: str = "aiokafka.conn") -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, __file__, 1, message, ("here",), None)
    made.relativeCreated = seconds * 1000
    return made


def test_the_same_sentence_is_written_once_in_a_while_with_how_often_it_was_said() -> None:
    thinned = Thinned("aiokafka", seconds=5)
    assert [thinned.filter(record(seconds)) for seconds in (10, 11, 14.9)] == [True, False, False]
    later = record(15)
    assert thinned.filter(later)
    assert later.getMessage() == "no broker at here (2 times more since it was last written)"


def test_the_longer_it_goes_on_the_seldomer_it_is_written() -> None:
    thinned = Thinned("aiokafka", seconds=5, seconds_max=60)
    written = [second for second in range(300) if thinned.filter(record(second))]
    assert written == [0, 5, 15, 35, 75, 135, 195, 255]


def test_what_was_quiet_for_long_is_written_at_once_again() -> None:
    thinned = Thinned("aiokafka", seconds=5, seconds_max=60)
    for second in range(100):
        thinned.filter(record(second))
    again = record(200)
    assert thinned.filter(again)
    assert again.getMessage() == "no broker at here"


def test_other_sentences_are_not_held_back() -> None:
    thinned = Thinned("aiokafka", seconds=5)
    assert thinned.filter(record(1))
    assert thinned.filter(record(1, "something else"))
    assert all(thinned.filter(record(1, name="uvicorn.error")) for _ in range(3))


def test_of_our_own_sentences_only_the_very_same_are_held_back() -> None:
    thinned = Thinned("aiokafka", seconds=5)
    said = [
        ("log heads not readable: %s", "away"),
        ("log heads not readable: %s", "gone"),
        ("partition stopped: %s", "x"),
    ]
    for text, argument in said:
        own = [record(1, text, "services.kernel.publishing.relay") for _ in range(2)]
        for one in own:
            one.args = (argument,)
        assert [thinned.filter(one) for one in own] == [True, False]


def test_what_is_critical_is_never_held_back() -> None:
    thinned = Thinned("aiokafka", seconds=5)
    critical = [record(1, name="services.kernel.publishing.relay") for _ in range(2)]
    for one in critical:
        one.levelno = logging.CRITICAL
    assert all(thinned.filter(one) for one in critical)


def test_what_was_said_is_not_remembered_without_end() -> None:
    thinned = Thinned("aiokafka", seconds=5)
    for number in range(5_000):
        thinned.filter(record(1, f"sentence {number}"))
    assert len(thinned._said) <= 1_000
