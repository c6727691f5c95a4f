"""`pledger rebuild`: what operators do on a live system."""

import asyncio
import importlib
import time
from typing import Annotated

import typer

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.console import Failure, progress
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
    codec = EventCodec(definition.events)
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
