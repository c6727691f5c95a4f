"""What the benchmark makes of two series of figures, and what it writes down."""

import importlib
import inspect
import re

import pytest

from infra.errors import ServerFailed
from tests.architecture.sources import ROOT
from tests.bench.__main__ import ROWS
from tests.bench.measuring import Row, cost_row, in_turns, least_row, rate_row
from tests.bench.peers import measured_rate
from tests.bench.results import markdown

SUMMARIES = """\
5000 records sent, 500.0 records/sec (0.48 MB/sec), 1.0 ms avg latency, 9.0 ms max latency.
7000 records sent, 1234.5 records/sec (1.18 MB/sec), 2.0 ms avg latency, 9 ms max latency, 1 ms 50th, 9 ms 99.9th.
4000 records sent, 2345.600000 records/sec (2.2 MB/sec), 1.0 ms avg latency, 4 ms 50th, 8 ms 95th, 9 ms 99.9th.
"""


async def test_both_sides_take_turns_and_change_places() -> None:
    order: list[str] = []

    def side(name: str, value: float) -> object:
        async def measured() -> float:
            order.append(name)
            return value

        return measured

    found = await in_turns(side("ours", 1.0), side("theirs", 2.0), 3)  # type: ignore[arg-type]
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert found == ([1.0] * 3, [2.0] * 3)


def test_a_rate_is_met_by_the_median_of_the_turns() -> None:
    row = rate_row("a", "b", "events/s", [60, 70, 10], [100, 100, 100], at_least=0.6)
    assert (row.verdict, row.ratio) == ("met", "0.60 x (0.10 to 0.70)")
    assert rate_row("a", "b", "events/s", [59, 70, 10], [100, 100, 100], at_least=0.6).verdict == "missed"


def test_a_rate_that_nothing_is_wanted_of_has_no_verdict() -> None:
    assert rate_row("a", "b", "events/s", [1], [100], at_least=None).verdict == ""


def test_a_cost_is_met_while_it_grows_by_a_tenth_at_most() -> None:
    row = cost_row("a", "b", "µs", [109, 300, 90], [100, 100, 100], at_most=1.1)
    assert (row.verdict, row.ratio) == ("met", "1.09 x (0.90 to 3.00)")
    assert cost_row("a", "b", "µs", [111, 300, 90], [100, 100, 100], at_most=1.1).verdict == "missed"


def test_a_rate_by_itself_is_met_by_its_median() -> None:
    row = least_row("a", "orders/s", [10, 30, 20], wanted="20 orders/s", at_least=20)
    assert (row.verdict, row.measured) == ("met", "20 orders/s (10 to 30)")
    assert least_row("a", "orders/s", [10, 30, 19], wanted="20 orders/s", at_least=20).verdict == "missed"


def test_the_table_holds_every_row_and_the_machine() -> None:
    written = markdown(
        [("memory", "24 GiB")], [Row("a | b", "c", "d", "e", "f", 0.5), Row("g", "h", "", "i", "j", None)]
    )
    assert "- memory: 24 GiB\n" in written
    assert "| a \\| b | c | d | e | f | missed |\n" in written
    assert "| g | h |  | i | j |  |\n" in written


def test_of_the_tools_summaries_the_one_after_the_warm_up_counts() -> None:
    assert measured_rate(SUMMARIES) == 2345.6


def test_a_tool_that_prints_no_summary_is_an_error() -> None:
    with pytest.raises(ServerFailed, match="printed no summary"):
        measured_rate("WARNING: something\n")


@pytest.mark.parametrize("module", ROWS.values())
def test_every_row_can_be_measured(module: str) -> None:
    assert inspect.iscoroutinefunction(importlib.import_module(module).measure)


def test_the_peers_are_locked_by_hash_and_name_no_index() -> None:
    text = (ROOT / "requirements-bench.lock").read_text()
    packages = re.findall(r"^[a-z][\w.-]*==\S+", text, re.MULTILINE)
    assert {package.split("==")[0] for package in packages} >= {"eventsourcing", "matplotlib", "psycopg"}
    assert all(re.search(rf"^{re.escape(package)}.*\\\n    --hash=sha256:", text, re.MULTILINE) for package in packages)
    assert "://" not in text
