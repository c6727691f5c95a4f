"""What the user sees: one console, tables, progress bars, and failures in one sentence."""

import os
from collections.abc import Sequence

from rich.console import Console, Group
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

# Where output goes to a file there is no terminal width; tables then get room instead of being cut at 80.
console = Console(width=None if os.isatty(1) else 120)


class Failure(Exception):
    """Something the user can mend; the message says how."""


def table(title: str, *columns: str, rows: Sequence[Sequence[object]], total: Sequence[object] = ()) -> Group:
    """A table below its title; columns that hold numbers are aligned right."""
    made = Table(show_footer=bool(total))
    for place, column in enumerate(columns):
        numeric = bool(rows) and all(_is_number(row[place]) for row in rows)
        footer = str(total[place]) if total else ""
        made.add_column(column, justify="right" if numeric else "left", footer=footer)
    for row in rows:
        made.add_row(*("" if cell is None else _text(cell) for cell in row))
    # A title of the table's own would be wrapped to the width of a narrow table.
    return Group(Text(title, style="bold"), made)


def _is_number(cell: object) -> bool:
    return cell is None or isinstance(cell, int) or str(cell).replace(",", "").replace(".", "").lstrip("-").isdigit()


def _text(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)


def progress() -> Progress:
    """A progress display; on something that is no terminal it stays silent until it ends."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:28}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=False,
    )
