"""Declared read models: appliers, merging of a batch, and the SQL that comes of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.kernel.messages import Recorded
from services.kernel.projecting import projection_sql
from services.kernel.projecting.merging import merge
from services.kernel.projection import Add, Change, Projection, Put, RowChange
from tests.support.tally import Counted, TallyClosed, TallyOpened, tally_total

TOTALS = tally_total()


def _recorded(event: Any) -> Recorded[Any]:
    return Recorded(3, 1, "tally-t1", 1, event, datetime(2026, 1, 5, tzinfo=UTC), {}, bytes(32))


def _merged(*changes: RowChange) -> dict[str, Any]:
    """The merged row of tally t1, as plain values."""
    merged = merge(TOTALS, [(3, change) for change in changes])
    assert list(merged) == [(3, "t1")]
    row = merged[3, "t1"]
    return {
        name: {column: value for column, value in values.items() if column != "tally"}
        for name, values in (("changed", row.changed), ("set", row.columns), ("added", row.amounts))
        if values
    } | ({"inserts": True} if row.inserts else {})


def test_an_event_becomes_the_changes_of_its_applier() -> None:
    counted, opened = Counted(tally="t1", amount=5), TallyOpened(tally="t1", channel="shop", order_no="O-1")
    assert list(TOTALS.changes(_recorded(counted))) == [Add({"tally": "t1"}, {"total": 5, "counts": 1})]
    assert list(TOTALS.changes(_recorded(opened))) == [Put({"tally": "t1", "status": "open"})]


def test_an_event_without_an_applier_changes_nothing() -> None:
    empty = replace(TOTALS, appliers={})
    assert list(empty.changes(_recorded(TallyClosed(tally="t1")))) == []


def test_an_applier_may_return_many_changes_or_none() -> None:
    several = replace(TOTALS, appliers={})
    changes = [Change({"tally": "t1", "status": "a"}), Change({"tally": "t2", "status": "b"})]
    several.on(Counted)(lambda event, recorded: changes if event.amount else None)
    assert list(several.changes(_recorded(Counted(tally="t1", amount=1)))) == changes
    assert list(several.changes(_recorded(Counted(tally="t1", amount=0)))) == []


def test_a_second_applier_for_one_event_is_an_error_at_import() -> None:
    with pytest.raises(ValueError, match="tally_total has an applier for Counted already"):
        tally_total().on(Counted)(lambda event, recorded: None)


def test_rows_of_different_partitions_are_different_rows() -> None:
    add = Add({"tally": "t1"}, {"total": 1})
    assert list(merge(TOTALS, [(1, add), (2, add)])) == [(1, "t1"), (2, "t1")]


@pytest.mark.parametrize(
    ("changes", "merged"),
    [
        (
            [Add({"tally": "t1"}, {"total": 1}), Add({"tally": "t1"}, {"total": 2, "counts": 1})],
            {"added": {"total": 3, "counts": 1}, "inserts": True},
        ),
        (
            [Put({"tally": "t1", "status": "a", "total": 1}), Put({"tally": "t1", "status": "b"})],
            {"set": {"status": "b", "total": 1}, "inserts": True},
        ),
        ([Change({"tally": "t1", "status": "a"})], {"changed": {"status": "a"}}),
        (
            [Change({"tally": "t1", "status": "a"}), Put({"tally": "t1", "total": 5})],
            {"changed": {"status": "a"}, "set": {"total": 5}, "inserts": True},
        ),
        (
            [Put({"tally": "t1", "total": 5}), Change({"tally": "t1", "status": "a"})],
            {"set": {"total": 5, "status": "a"}, "inserts": True},
        ),
        (
            [Put({"tally": "t1", "total": 5}), Add({"tally": "t1"}, {"total": 2, "counts": 1})],
            {"set": {"total": 7}, "added": {"counts": 1}, "inserts": True},
        ),
        (
            [Put({"tally": "t1", "total": None}), Add({"tally": "t1"}, {"total": 2})],
            {"set": {"total": 2}, "inserts": True},
        ),
        (
            [Add({"tally": "t1"}, {"total": 2}), Put({"tally": "t1", "total": 5})],
            {"set": {"total": 5}, "inserts": True},
        ),
        (
            [Change({"tally": "t1", "total": 5}), Add({"tally": "t1"}, {"total": 2})],
            {"changed": {"total": 5}, "added": {"total": 2}, "inserts": True},
        ),
    ],
)
def test_changes_of_one_row_are_merged_as_if_made_one_after_the_other(
    changes: list[RowChange], merged: dict[str, Any]
) -> None:
    assert _merged(*changes) == merged


class Statements:
    """Takes down what would be executed."""

    def __init__(self) -> None:
        self.executed: list[tuple[str, tuple[Any, ...]]] = []

    async def execute(self, sql: str, *arguments: Any) -> None:
        self.executed.append((sql, arguments))


async def _written(projection: Projection, *changes: RowChange) -> list[tuple[str, tuple[Any, ...]]]:
    statements = Statements()
    merged = merge(projection, [(3, change) for change in changes])
    await projection_sql.write(statements, projection, merged)  # type: ignore[arg-type]
    return statements.executed


async def test_rows_with_the_same_columns_share_one_statement() -> None:
    ((sql, arguments),) = await _written(
        TOTALS,
        Add({"tally": "t1"}, {"total": 5}),
        Add({"tally": "t2"}, {"total": 6}),
        Add({"tally": "t1"}, {"total": 1}),
    )
    assert sql == (
        "insert into read.tally_total_v1 as t (partition, tally, total) "
        "select n.partition::smallint, n.tally::text, n.total::bigint "
        "from unnest($1::smallint[], $2::text[], $3::bigint[]) as n(partition, tally, total) "
        "on conflict (partition, tally) do update set total = coalesce(t.total, 0) + excluded.total"
    )
    assert arguments == ([3, 3], ["t1", "t2"], [6, 6])


async def test_a_change_updates_and_never_inserts() -> None:
    ((sql, arguments),) = await _written(TOTALS, Change({"tally": "t1", "status": "closed"}))
    assert sql == (
        "update read.tally_total_v1 t set status = n.status::text "
        "from unnest($1::smallint[], $2::text[], $3::text[]) as n(partition, tally, status) "
        "where t.partition = n.partition and t.tally = n.tally"
    )
    assert arguments == ([3], ["t1"], ["closed"])


async def test_changes_come_before_inserts() -> None:
    written = await _written(
        TOTALS, Put({"tally": "t2", "status": "open"}), Change({"tally": "t1", "status": "closed"})
    )
    assert [sql.split()[0] for sql, _ in written] == ["update", "insert"]


async def test_a_row_of_its_key_alone_is_inserted_where_it_is_missing() -> None:
    ((sql, _),) = await _written(TOTALS, Put({"tally": "t1"}))
    assert sql.endswith("on conflict (partition, tally) do nothing")
    assert await _written(TOTALS, Change({"tally": "t1"})) == []


async def test_json_is_sent_as_text_and_what_postgresql_cannot_store_is_written_out() -> None:
    documents = Projection(name="d", version=1, columns={"id": "text", "body": "jsonb", "note": "text"}, key=("id",))
    ((sql, arguments),) = await _written(
        documents, Put({"id": "1\x00", "body": [{"a\x00": ["\\u0000", 1, None]}], "note": "a\x00b"})
    )
    assert "n.body::jsonb" in sql
    assert "$3::text[]" in sql
    assert arguments == ([3], ["1\\0"], ['[{"a\\\\0": ["\\\\u0000", 1, null]}]'], ["a\\0b"])


def test_a_table_has_the_partition_in_front_of_its_key() -> None:
    projection = replace(TOTALS, version=4, indexes=(("status",), ("status", "total")))
    assert [projection_sql.create_table(projection), *projection_sql.create_indexes(projection)] == [
        (
            "create table read.tally_total_v4 (partition smallint not null, tally text not null, total bigint, "
            "counts bigint, status text, primary key (partition, tally))"
        ),
        "create index on read.tally_total_v4 (status)",
        "create index on read.tally_total_v4 (status, total)",
    ]
