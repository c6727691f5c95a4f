"""`pledger rebuild`: makes read models again from the log, or shows what that would change."""

import asyncio
import importlib
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer
from rich.progress import Progress

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.console import Failure, console, progress, table
from services.cli.moments import moment_of
from services.cli.stack import DATABASE_PREFIX, running_stack
from services.kernel import postgres
from services.kernel.codec import EventCodec
from services.kernel.errors import KernelError
from services.kernel.projecting import shadow
from services.kernel.projecting.comparison import Comparison, Example, compare
from services.kernel.projecting.narrowing import Narrowing
from services.kernel.projecting.rebuild import rebuild as rebuild_projection
from services.kernel.projecting.replay import Replay
from services.kernel.projection import Projection
from services.kernel.service import ServiceDefinition

_VALUE_SYMBOLS_MAX = 60


def rebuild(
    service: Annotated[ServiceName, typer.Argument(help="The service whose read models are rebuilt.")],
    projection: Annotated[str | None, typer.Option(help="One read model; all of the service unless given.")] = None,
    partition: Annotated[list[int] | None, typer.Option(help="Only rows of this partition; may be repeated.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only rows that this stream's events touch.")] = None,
    since: Annotated[str | None, typer.Option(help="Only rows touched by events recorded at this moment on.")] = None,
    until: Annotated[str | None, typer.Option(help="Only rows touched by events recorded before this moment.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; show what would differ.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Do not go on where an earlier run was stopped.")] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: this one alone.")] = os.cpu_count() or 1,
    leftovers: Annotated[bool, typer.Option("--leftovers", help="List what stopped runs left, do nothing.")] = False,
    discard: Annotated[bool, typer.Option("--discard", help="Remove what stopped runs left, do nothing else.")] = False,
) -> None:
    """Rebuild read models from the log, beside the live ones, and swap them in. Traffic goes on meanwhile.

    Options that narrow choose rows; a chosen row is always folded over its whole history. Exit code 1 where a dry
    run finds a difference.
    """
    if leftovers or discard:
        asyncio.run(_leftovers(running_stack(), service, discard=discard))
        return
    narrowing = Narrowing(
        partitions=tuple(partition) if partition else None,
        stream=stream,
        since=moment_of(since, "--since") if since else None,
        until=moment_of(until, "--until") if until else None,
    )
    replays = replays_of(running_stack(), service, projection, narrowing, fresh=fresh, workers=workers)
    try:
        if dry_run:
            if not asyncio.run(_compare(replays)):
                raise typer.Exit(1)
        else:
            asyncio.run(_rebuild(replays))
    except (KernelError, ValueError) as refusal:
        raise Failure(f"{refusal}.") from refusal


def definition_of(service: ServiceName) -> ServiceDefinition:
    """What a service declares about itself."""
    definition: ServiceDefinition = importlib.import_module(f"services.{service}.app").DEFINITION
    return definition


def replays_of(
    stack: Stack,
    service: ServiceName,
    projection: str | None,
    narrowing: Narrowing | None = None,
    *,
    fresh: bool = False,
    workers: int = 0,
) -> list[Replay]:
    """One replay for each read model of the service, or for the one named. Fails where there is none of that name."""
    definition = definition_of(service)
    chosen = [p for p in definition.projections if projection in (None, p.name)]
    if not chosen:
        names = ", ".join(p.name for p in definition.projections)
        raise Failure(f"{service} has no read model {projection}; it has {names}.")
    dsn = postgres.service_dsn(stack.postgres, service, DATABASE_PREFIX)
    codec = EventCodec(definition.events)
    return [
        Replay(
            dsn=dsn,
            codec=codec,
            projection=each,
            narrowing=narrowing or Narrowing(),
            workers=workers,
            fresh=fresh,
            say=lambda sentence: console.print(sentence, highlight=False),
        )
        for each in chosen
    ]


class Bar:
    """The progress bar of one replay, with its rate."""

    def __init__(self, bars: Progress, projection: Projection) -> None:
        self._bars = bars
        self._task = bars.add_task(projection.name, total=None, rate="")
        self._started = time.monotonic()
        self._first: int | None = None

    def __call__(self, passed: int, total: int) -> None:
        """Show how far it is; what an earlier run had passed does not count for the rate."""
        self._first = passed if self._first is None else self._first
        rate = (passed - self._first) / max(time.monotonic() - self._started, 0.001)
        self._bars.update(self._task, completed=passed, total=total, rate=f"{rate:,.0f}/s")


async def _rebuild(replays: Sequence[Replay]) -> None:
    lines = []
    with progress() as bars:
        for replay in replays:
            bar = Bar(bars, replay.projection)
            started = time.monotonic()
            done = await rebuild_projection(with_bar(replay, bar))
            lines.append(_outcome(replay, done.events, done.replaced, time.monotonic() - started))
    for line in lines:
        console.print(line, highlight=False)


def with_bar(replay: Replay, bar: Bar) -> Replay:
    """The same replay, shown by a progress bar."""
    return replace(replay, progress=bar)


def _outcome(replay: Replay, events: int, replaced: int | None, seconds: float) -> str:
    read = f"{replay.projection.name}: {events:,} events in {seconds:.1f} s"
    if replaced is None:
        return f"{read}, swapped in"
    rows = "1 row" if replaced == 1 else f"{replaced:,} rows"
    return f"{read}, {rows} replaced" if replaced else f"{read}, every row was right already"


async def _compare(replays: Sequence[Replay]) -> bool:
    with progress() as bars:
        found = [await compare(with_bar(replay, Bar(bars, replay.projection))) for replay in replays]
    show_comparisons(found)
    return all(comparison.equal for comparison in found)


def show_comparisons(found: Sequence[Comparison]) -> None:
    """What a rebuild would change, with an example of each kind."""
    rows = [(c.projection, c.rows, c.added, c.changed, c.removed) for c in found]
    title = "What a rebuild would do; nothing was changed"
    console.print(table(title, "read model", "rows", "added", "changed", "removed", rows=rows))
    for comparison in found:
        for example in comparison.examples:
            _show_example(comparison, example)


def _show_example(comparison: Comparison, example: Example) -> None:
    name, now, fresh = comparison.projection, example.now, example.fresh
    if now is not None and fresh is not None:
        key = ", ".join(f"{column} {_short(now[column])}" for column in comparison.key)
        title = f"{name}: a row that would be changed ({key})"
        rows = [(column, _short(now[column]), _short(fresh[column])) for column in example.columns]
        console.print(table(title, "column", "now", "from the log", rows=rows))
        return
    row, verb = (fresh, "added") if now is None else (now, "removed")
    rows_of_one = [(column, _short(value)) for column, value in (row or {}).items() if value is not None]
    console.print(table(f"{name}: a row that would be {verb}", "column", "value", rows=rows_of_one))


def _short(value: object) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= _VALUE_SYMBOLS_MAX else f"{text[: _VALUE_SYMBOLS_MAX - 3]}..."


async def _leftovers(stack: Stack, service: ServiceName, *, discard: bool) -> None:
    connection = await postgres.connect(postgres.service_dsn(stack.postgres, service, DATABASE_PREFIX))
    try:
        found = await shadow.leftovers(connection)
        rows = []
        for each in found:
            removed = discard and await shadow.discard(connection, each)
            state = "removed" if removed else "in use: a replay is running" if discard else "kept"
            rows.append((each.projection, each.version, each.purpose, each.events, state))
    finally:
        await connection.close()
    if not rows:
        console.print(f"No replay of {service} runs, and none that was stopped left anything.")
        return
    console.print(table("Unfinished replays", "read model", "version", "for a", "events passed", "", rows=rows))
