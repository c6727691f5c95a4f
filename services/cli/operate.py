"""`pledger rebuild | dead-letters`: what operators do on a live system."""

import asyncio
import importlib
import time
from typing import Annotated, Any

import typer

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.console import Failure, console, progress, table
from services.cli.stack import DATABASE_PREFIX, running_stack
from services.kernel import postgres
from services.kernel.codec import EventCodec
from services.kernel.rebuild import rebuild as rebuild_projection


def rebuild(
    service: Annotated[ServiceName, typer.Argument(help="The service whose read models are rebuilt.")],
    projection: Annotated[str | None, typer.Option(help="One read model; all of the service unless given.")] = None,
) -> None:
    """Rebuild read models from the log, beside the live ones, and swap them in. Traffic goes on meanwhile."""
    definition = importlib.import_module(f"services.{service}.app").application.definition
    chosen = [p for p in definition.projections if projection in (None, p.name)]
    if not chosen:
        names = ", ".join(p.name for p in definition.projections)
        raise Failure(f"{service} has no read model {projection}; it has {names}.")
    codec = EventCodec(definition.events, definition.upcasters)
    asyncio.run(_rebuild(running_stack(), service, codec, chosen))


async def _rebuild(stack: Stack, service: str, codec: EventCodec, chosen: list) -> None:  # type: ignore[type-arg]
    pool = await postgres.open_pool(postgres.service_dsn(stack.postgres, service, DATABASE_PREFIX), size=2)
    try:
        with progress() as bars:
            for projection in chosen:
                bar = bars.add_task(projection.name, total=None, rate="")
                started = time.monotonic()

                def show(read: int, total: int, bar: object = bar, started: float = started) -> None:
                    rate = f"{read / max(time.monotonic() - started, 0.001):,.0f}/s"
                    bars.update(bar, completed=read, total=total, rate=rate)  # type: ignore[arg-type]

                await rebuild_projection(pool, codec, projection, show)
    finally:
        await pool.close()


def dead_letters(
    service: Annotated[ServiceName, typer.Argument(help="The service that could not handle them.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
) -> None:
    """Messages that a service could not handle, with the reason; the raw bytes are kept."""
    found = asyncio.run(_dead_letters(running_stack(), service, limit))
    rows = [
        (
            r["received_at"].isoformat()[:19],
            f"{r['source']}/{r['partition']}/{r['source_offset']}",
            r["reason"],
            r["bytes"],
        )
        for r in found
    ]
    console.print(table(f"Dead letters of {service}", "received", "source", "reason", "bytes", rows=rows))


async def _dead_letters(stack: Stack, service: str, limit: int) -> list[dict[str, Any]]:
    from services.kernel import dead_letters as kernel_dead_letters

    connection = await postgres.connect(postgres.service_dsn(stack.postgres, service, DATABASE_PREFIX))
    try:
        return [dict(row) for row in await kernel_dead_letters.newest(connection, limit)]
    finally:
        await connection.close()
