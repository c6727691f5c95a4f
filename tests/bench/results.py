"""Writes what a run found: a Markdown table, the figures as JSON, and a plot."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bench.measuring import Row
from tests.bench.peers import PEERS_PYTHON

FOLDER = Path(__file__).parent / "results"
_PLOT = Path(__file__).with_name("peer_plot.py")
_COLUMNS = ("work", "measured against", "wanted", "measured", "ratio (spread)", "")


def write(machine: Sequence[tuple[str, str]], rows: Sequence[Row]) -> list[Path]:
    """Write the results folder anew; returns the files."""
    FOLDER.mkdir(exist_ok=True)
    table, figures, plot = FOLDER / "bench.md", FOLDER / "bench.json", FOLDER / "bench.svg"
    table.write_text(markdown(machine, rows))
    found = {"machine": dict(machine), "rows": [{**asdict(row), "verdict": row.verdict} for row in rows]}
    figures.write_text(json.dumps(found, indent=2) + "\n")
    subprocess.run([str(PEERS_PYTHON), str(_PLOT), str(figures), str(plot)], check=True)
    return [table, figures, plot]


def markdown(machine: Sequence[tuple[str, str]], rows: Sequence[Row]) -> str:
    """The document: the machine as a list, the rows as a table."""
    cells = [(row.name, row.against, row.wanted, row.measured, row.ratio, row.verdict) for row in rows]
    lines = [_COLUMNS, ("---",) * len(_COLUMNS), *cells]
    return "\n".join(
        (
            "# Benchmark",
            "",
            *(f"- {what}: {found}" for what, found in machine),
            "",
            *("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines),
            "",
        )
    )
