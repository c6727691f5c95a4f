"""`make bench`: measures the ledger side by side with what others do, on servers of its own.

ROWS=append,relay measures some rows only; QUICK=1 measures less of each, to try.
"""

import importlib
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from infra.errors import InfraError
from infra.local import postgres
from infra.servers import running_servers
from services.cli.console import console, table
from services.kernel.collector import collect_seldom
from tests.bench import machine, results
from tests.bench.measuring import Bench, Row
from tests.bench.peers import PEERS_PYTHON

ROWS = {
    "append": "tests.bench.append",
    "single_writers": "tests.bench.single_writers",
    "relay": "tests.bench.relay",
    "rebuild": "tests.bench.rebuild_row",
    "verify": "tests.bench.verify_row",
    "rating": "tests.bench.rating",
    "orders": "tests.bench.orders",
    "growth": "tests.bench.growth",
    "underwriting": "tests.bench.underwriting",
}
"""What can be asked for, and its module, which has `async def measure(bench) -> list[Row]`."""


def main() -> None:
    """Measure the rows that were asked for, and write what was found."""
    if not PEERS_PYTHON.exists():
        sys.exit("The peers are not installed; run `make bench`, which makes .venv-bench first.")
    asked = [name for name in os.environ.get("ROWS", "").split(",") if name] or list(ROWS)
    unknown = [name for name in asked if name not in ROWS]
    if unknown:
        sys.exit(f"There is no row {', '.join(unknown)}; there are: {', '.join(ROWS)}.")
    collect_seldom()
    # No row is to pay for a checkpoint that another one's work has brought about.
    postgres.SETTINGS["max_wal_size"] = "24GB"
    # A server that keeps ten million events has the memory for their indexes.
    postgres.SHARED_BUFFERS_MIB_MAX = 4096
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder:
        try:
            with running_servers(Path(folder) / "servers", _say) as servers:
                bench = Bench(servers, Path(folder), bool(os.environ.get("QUICK")), _say)
                found, rows = uvloop.run(_measure(bench, asked))
        except InfraError as error:
            sys.exit(str(error))
    for what, is_found in found:
        console.print(f"{what:13} {is_found}", highlight=False)
    shown = [(r.name, r.against, r.wanted, r.measured, r.ratio, r.verdict) for r in rows]
    console.print(table("Benchmark", "work", "measured against", "wanted", "measured", "ratio", "", rows=shown))
    for file in results.write(found, rows):
        console.print(f"written: {file.relative_to(Path.cwd())}", highlight=False)


async def _measure(bench: Bench, asked: Sequence[str]) -> tuple[list[tuple[str, str]], list[Row]]:
    found, rows = await machine.describe(bench.servers, bench.folder), []
    for name in asked:
        started = time.monotonic()
        try:
            measured = await importlib.import_module(ROWS[name]).measure(bench)
        except InfraError as error:
            # What was measured before, and what comes after, is worth having.
            measured = [Row(name, "", "", f"not measured: {error}", "", 0.0)]
        for row in measured:
            _say(f"{row.name}: {row.measured}  {row.ratio}  {row.verdict}")
        _say(f"{name} took {time.monotonic() - started:.0f} s")
        rows += measured
    return found, rows


def _say(text: str) -> None:
    console.print(text, highlight=False)


if __name__ == "__main__":
    main()
