"""Unique keys: who may go on, and who takes the other way."""

from dataclasses import replace

from services.kernel.log.unique_keys import _allowed
from services.kernel.messages import Impossible
from tests.support.tally import Count, opening, to

ASKED = opening("t1", "shop", "O-1")


def test_the_owner_goes_on() -> None:
    assert _allowed(ASKED, {("order", "O-1"): "tally-t1"}) is ASKED


def test_somebody_else_takes_the_other_way() -> None:
    assert _allowed(ASKED, {("order", "O-1"): "tally-t9"}) is ASKED.otherwise


def test_the_same_number_in_another_scope_is_another_key() -> None:
    assert _allowed(ASKED, {("order", "O-1"): "tally-t1", ("claim", "O-1"): "tally-t9"}) is ASKED


def test_a_command_without_a_key_asks_nobody() -> None:
    plain = to("t1", Count("t1", 1))
    assert _allowed(plain, {}) is plain


def test_a_taken_key_without_another_way_makes_the_command_impossible() -> None:
    impossible = _allowed(replace(ASKED, otherwise=None), {("order", "O-1"): "tally-t9"})
    assert isinstance(impossible.command, Impossible)
    assert impossible.command.reason == "number_taken"
    assert str(impossible.command.error) == "order O-1 is taken and the instruction names nothing else to do"
