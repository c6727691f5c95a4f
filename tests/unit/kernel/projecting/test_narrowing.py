"""Limits of a replay."""

from datetime import UTC, datetime

import pytest

from services.kernel.projecting.narrowing import WHOLE, Narrowing

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("narrowing", "whole", "by_event"),
    [
        (WHOLE, True, False),
        (Narrowing(partitions=(1,)), False, False),
        (Narrowing(stream="s"), False, True),
        (Narrowing(since=NOON), False, True),
        (Narrowing(until=NOON), False, True),
        (Narrowing(partitions=(1,), until=NOON), False, True),
    ],
)
def test_rows_are_known_beforehand_unless_events_choose_them(narrowing: Narrowing, whole: bool, by_event: bool) -> None:
    assert (narrowing.whole, narrowing.by_event) == (whole, by_event)


def test_partitions_are_read_once_each_and_in_order() -> None:
    assert WHOLE.of([2, 0, 1]) == [0, 1, 2]
    assert Narrowing(partitions=(2, 0, 2)).of([0, 1, 2]) == [0, 2]


def test_a_partition_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no partition 7, 9; the log has 0 to 2"):
        Narrowing(partitions=(9, 1, 7)).of([0, 1, 2])


def test_the_same_limits_are_described_alike() -> None:
    assert Narrowing(partitions=(2, 1)).describe() == Narrowing(partitions=(1, 2)).describe()
    assert Narrowing(since=NOON).describe() != Narrowing(until=NOON).describe()
