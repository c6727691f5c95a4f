"""`pledger republish`: send a range of a service's log again, to a topic of a consumer's own."""

import asyncio
import importlib
import time
from typing import Annotated

import typer

from contracts.topics import ServiceName
from infra.servers import Servers
from services.cli.at_hand import servers_at_hand
from services.cli.console import console, progress
from services.cli.moments import moment_of
from services.cli.stack import DATABASE_PREFIX
from services.kernel import postgres
from services.kernel.publishing.republish import Republished, Republisher, Selection
from services.kernel.service import ServiceDefinition


def republish(
    service: Annotated[ServiceName, typer.Option(help="The service whose events are sent.")],
    topic: Annotated[str, typer.Option(help="The consumer's own topic; made if it is missing.")],
    since: Annotated[str | None, typer.Option(help="From the first event recorded at this time on.")] = None,
    until: Annotated[str | None, typer.Option(help="To the last event recorded before this time.")] = None,
    partition: Annotated[list[int] | None, typer.Option(min=0, help="One partition; may be repeated.")] = None,
    from_position: Annotated[int, typer.Option(min=1, help="From this position of each partition on.")] = 1,
) -> None:
    """Send history again to a topic of a consumer's own; the live topic and all who read it are left alone.

    The records are those of the live topic with one header more, `replayed`. A run that was ended goes on where it
    stopped when it is started again.
    """
    selection = Selection(
        since=None if since is None else moment_of(since, "--since"),
        until=None if until is None else moment_of(until, "--until"),
        partitions=frozenset(partition or ()),
        from_position=from_position,
    )
    definition = importlib.import_module(f"services.{service}.app").application.definition
    started = time.monotonic()
    with servers_at_hand() as servers:
        done = asyncio.run(_republish(servers, definition, topic, selection))
    seconds = max(time.monotonic() - started, 0.001)
    console.print(
        f"{done.sent:,} records of {service} sent to {topic} in {seconds:.1f} s ({done.sent / seconds:,.0f}/s), "
        f"{done.present:,} were there; run {done.run}.",
        highlight=False,
    )


async def _republish(servers: Servers, definition: ServiceDefinition, topic: str, selection: Selection) -> Republished:
    pool = await postgres.open_pool(postgres.service_dsn(servers.postgres, definition.name, DATABASE_PREFIX), size=2)
    try:
        with progress() as bars:
            bar = bars.add_task(f"{definition.name} to {topic}"[:28], total=None, rate="")
            started = time.monotonic()

            def show(walked: int, total: int) -> None:
                rate = f"{walked / max(time.monotonic() - started, 0.001):,.0f}/s"
                bars.update(bar, completed=walked, total=total, rate=rate)

            return await Republisher(pool, servers.kafka, definition, topic).run(selection, show)
    finally:
        await pool.close()
