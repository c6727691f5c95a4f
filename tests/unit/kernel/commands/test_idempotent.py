"""The fingerprint of a command: its content and its stream, not its circumstances."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from services.kernel.commands.idempotent import fingerprint
from services.kernel.messages import Instruction
from tests.support.tally import Asked, Close, Count, Explode, to

COUNT = to("t1", Count("t1", 5))


def test_the_fingerprint_is_known() -> None:
    assert fingerprint(COUNT).hex() == "323a3af4866a683fcd73b33ffcee719004dfc88792fd96180c6050f460d2aecd"


def test_the_cause_does_not_count() -> None:
    assert fingerprint(replace(COUNT, cause={"traceparent": "00-ab-cd-01"})) == fingerprint(COUNT)


@pytest.mark.parametrize("other", [to("t1", Count("t1", 6)), to("t2", Count("t1", 5)), to("t1", Count("t1", 5, "n"))])
def test_other_content_is_another_fingerprint(other: Instruction) -> None:
    assert fingerprint(other) != fingerprint(COUNT)


def test_two_commands_with_the_same_fields_differ_by_their_name() -> None:
    assert fingerprint(to("t1", Close("t1"))) != fingerprint(to("t1", Explode("t1")))


@dataclass(frozen=True)
class Nested:
    asked: Asked
    on: date


def test_models_and_dates_inside_a_command_count_by_their_content() -> None:
    one, same, other = (Nested(Asked(what="count", tally=tally), date(2026, 1, 5)) for tally in ("t1", "t1", "t2"))
    marks = [fingerprint(replace(COUNT, command=command)) for command in (one, same, other)]
    assert marks[0] == marks[1] != marks[2]
