"""A read model takes what it declares: a change that names anything else is an error at once, not a lost value."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.kernel.messages import Recorded
from services.kernel.projection import Add, Change, Projection, Put, RowChange
from tests.support.tally import Counted, tally_total


def _changes(change: RowChange) -> list[RowChange]:
    projection = replace(tally_total(), appliers={})
    projection.on(Counted)(lambda event, recorded: change)
    event = Counted(tally="t1", amount=1)
    recorded: Recorded[Any] = Recorded(0, 1, "tally-t1", 1, event, datetime(2026, 1, 5, tzinfo=UTC), {}, bytes(32))
    return list(projection.changes(recorded))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (Put({"tally": "t1", "colour": "red"}), "Put names colour, which it may not set"),
        (Put({"tally": "t1", "colour": "red", "size": 1}), "Put names colour, size,"),
        (Put({"status": "open"}), "Put lacks its key tally"),
        (Change({"tally": "t1", "colour": "red"}), "Change names colour"),
        (Change({"status": "open"}), "Change lacks its key tally"),
        (Add({"tally": "t1"}, {"size": 1}), "Add names size"),
        (Add({"tally": "t1"}, {"tally": 1}), "Add names tally"),
        (Add({"tally": "t1", "status": "open"}, {"total": 1}), "Add names status"),
        (Add({}, {"total": 1}), "Add lacks its key tally"),
    ],
)
def test_what_is_not_declared_is_named(change: RowChange, problem: str) -> None:
    with pytest.raises(ValueError, match=f"read model tally_total: {problem}"):
        _changes(change)


@pytest.mark.parametrize(
    "change",
    [
        Put({"tally": "t1", "total": 1, "counts": 1, "status": "open"}),
        Put({"tally": "t1"}),
        Change({"tally": "t1", "status": "open"}),
        Add({"tally": "t1"}, {"total": 1}),
        Add({"tally": "t1"}, {}),
    ],
)
def test_what_is_declared_is_taken(change: RowChange) -> None:
    assert _changes(change) == [change]


def test_key_and_indexes_are_columns() -> None:
    with pytest.raises(ValueError, match="read model m has no column b, c"):
        Projection(name="m", version=1, columns={"a": "text"}, key=("a", "b"), indexes=(("c",),))
