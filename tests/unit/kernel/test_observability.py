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


def test_other_sentences_and_other_loggers_are_not_held_back() -> None:
    thinned = Thinned("aiokafka", seconds=5)
    assert thinned.filter(record(1))
    assert thinned.filter(record(1, "something else"))
    ours = [record(1, name="services.kernel.relay") for _ in range(3)]
    assert all(thinned.filter(one) for one in ours)
