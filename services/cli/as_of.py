"""`pledger as-of`: a read model as it was at a moment; and one contract's part of it, for `pledger show`."""

import asyncio
import csv
import json
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.panel import Panel
from rich.syntax import Syntax

from contracts.topics import PARTITIONS_DEFAULT, ServiceName, lane_of
from services.cli.console import Failure, console, progress, table
from services.cli.moments import moment_of
from services.cli.replay import Bar, definition_of, replays_of
from services.cli.stack import running_stack
from services.kernel.errors import KernelError
from services.kernel.projecting import as_of as kernel_as_of
from services.kernel.projecting.as_of import Row
from services.kernel.projecting.replay import Replay

_TABLE_ROWS_MAX = 100
_CELL_SYMBOLS_MAX = 40


class Output(StrEnum):
    """How rows are printed. JSON is one object a line."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def as_of(
    service: Annotated[ServiceName, typer.Argument(help="The service whose read model it is.")],
    projection: Annotated[str, typer.Argument(help="The read model.")],
    moment: Annotated[str, typer.Argument(metavar="TIMESTAMP", help="ISO 8601 with zone: 2026-11-23T14:00:00Z.")],
    where: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Only such rows; may be repeated.")
    ] = None,
    output: Annotated[Output, typer.Option(help="How rows are printed.")] = Output.TABLE,
) -> None:
    """A read model as it was at a moment, folded from the log up to then. Nothing that stays is written."""
    conditions = dict(_condition(text) for text in where or ())
    (replay,) = replays_of(running_stack(), service, projection)
    try:
        asyncio.run(_print(replay, moment_of(moment), conditions, output))
    except KernelError as refusal:
        raise Failure(f"{refusal}.") from refusal


def _condition(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals or not column:
        raise Failure(f"{text!r} is no condition; write --where COLUMN=VALUE.")
    return column.strip(), value


async def _print(replay: Replay, moment: datetime, where: Mapping[str, str], output: Output) -> None:
    if output != Output.TABLE:
        async with kernel_as_of.read_model_at(replay, moment, where) as rows:
            if output == Output.JSON:
                await _write_json(rows)
            else:
                await _write_csv(rows, ["partition", *replay.projection.columns])
        return
    found: list[Row] = []
    more = 0
    with progress() as bars:
        shown = replace(replay, progress=Bar(bars, replay.projection))
        async with kernel_as_of.read_model_at(shown, moment, where) as rows:
            async for row in rows:
                if len(found) < _TABLE_ROWS_MAX:
                    found.append(row)
                else:
                    more += 1
    title = f"{replay.projection.name} as of {moment.isoformat()}"
    columns = ["partition", *replay.projection.columns]
    console.print(table(title, *columns, rows=[[_cell(row[column]) for column in columns] for row in found]))
    if more:
        console.print(f"and {more:,} rows more; --output json or csv prints all")


def _cell(value: object) -> str | None:
    if value is None:
        return None
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text if len(text) <= _CELL_SYMBOLS_MAX else f"{text[: _CELL_SYMBOLS_MAX - 3]}..."


async def _write_json(rows: AsyncIterator[Row]) -> None:
    async for row in rows:
        sys.stdout.write(_json(row) + "\n")


async def _write_csv(rows: AsyncIterator[Row], columns: list[str]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    async for row in rows:
        writer.writerow(_text(row[column]) for column in columns)


def _text(value: Any) -> Any:
    if isinstance(value, list | dict):
        return _json(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _json(value: object, indent: int | None = None) -> str:
    return json.dumps(value, default=_text, ensure_ascii=False, indent=indent)


def show_contract_as_of(
    title: str, service: ServiceName, contract_id: str, stream: str, moment: str, keep: Mapping[str, str]
) -> None:
    """What a contract's stream had put into the service's read models at a moment: the rows that have these values.

    Totals, which other contracts feed too, have no such columns and are left out: `pledger as-of` has them.
    """
    at = moment_of(moment)
    replays = replays_of(running_stack(), service, None)
    projections = definition_of(service).projections
    lane = lane_of(contract_id, PARTITIONS_DEFAULT)
    found = asyncio.run(kernel_as_of.stream_at(replays[0], projections, lane, stream, at))
    document = {
        name: kept
        for name, rows in found.items()
        if (kept := [row for row in rows if keep.items() <= {k: str(v) for k, v in row.items()}.items()])
    }
    if not document:
        raise Failure(f"Nothing was known of {title} at {at.isoformat()}.")
    shown = Syntax(_json(document, 2), "json", background_color="default", word_wrap=True)
    console.print(Panel(shown, title=f"{title} as of {at.isoformat()}"))
