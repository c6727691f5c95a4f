"""`pledger verify | dead-letters`: what operators do on a live system."""

import asyncio
import time
from typing import Annotated, Any

import typer

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.console import console, table
from services.cli.stack import DATABASE_PREFIX, running_stack
from services.kernel import postgres
from services.kernel.verify import Verified, verify_log


def verify() -> None:
    """Recompute every hash chain of the four logs; exit code 1 where anything was altered or is missing."""
    if not asyncio.run(verified(running_stack())):
        raise typer.Exit(1)


async def verified(stack: Stack) -> bool:
    """Verify all logs and print the result; whether everything is right."""
    started = time.monotonic()
    results = {service: await _verify(stack, service) for service in ServiceName}
    seconds = time.monotonic() - started
    rows = [
        (service, result.events, "intact" if not result.findings else f"{len(result.findings)} broken partitions")
        for service, result in results.items()
    ]
    console.print(table(f"Log verified in {seconds:.1f} s", "service", "events", "hash chains", rows=rows))
    for service, result in results.items():
        for finding in result.findings:
            console.print(f"[red]{service} {finding.partition}/{finding.position}: {finding.problem}[/red]")
    return not any(result.findings for result in results.values())


async def _verify(stack: Stack, service: str) -> Verified:
    connection = await postgres.connect(postgres.service_dsn(stack.postgres, service, DATABASE_PREFIX))
    try:
        return await verify_log(connection)
    finally:
        await connection.close()


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
