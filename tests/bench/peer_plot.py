"""Draws the rows of a benchmark; run by the interpreter of .venv-bench: `peer_plot.py FIGURES.json PLOT.svg`."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

_MET, _MISSED = "#2a7f62", "#c8553d"


def main() -> None:
    """One bar a row: how much of what was wanted was reached, with the line at all of it."""
    figures, plot = Path(sys.argv[1]), Path(sys.argv[2])
    found = json.loads(figures.read_text())
    rows = [row for row in found["rows"] if row["reach"] is not None][::-1]
    figure, axes = plt.subplots(figsize=(11, 1.2 + 0.55 * len(rows)))
    shares = [row["reach"] for row in rows]
    axes.barh([row["name"] for row in rows], shares, color=[_MET if share >= 1 else _MISSED for share in shares])
    for place, row in enumerate(rows):
        axes.text(row["reach"], place, f"  {row['ratio'] or row['measured']}", va="center", fontsize=8)
    axes.axvline(1, color="#222222", linewidth=1)
    axes.set_xlabel("share of what was wanted (right of the line: met)")
    axes.set_xlim(0, max([2.0, *shares]) * 1.35)
    machine = found["machine"]
    axes.set_title(f"{machine['processor']}, {machine['memory']}", fontsize=9)
    figure.tight_layout()
    figure.savefig(plot)


if __name__ == "__main__":
    main()
