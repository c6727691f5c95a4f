"""`pledger reseat`: let a service read on after a source topic was lost and made again."""

import asyncio
import importlib
from typing import Annotated

import typer

from contracts.topics import ServiceName
from infra.servers import Servers
from services.cli.at_hand import servers_at_hand
from services.cli.console import console
from services.cli.stack import DATABASE_PREFIX
from services.kernel import postgres
from services.kernel.receiving.reseat import Reseated
from services.kernel.receiving.reseat import reseat as reseat_inbox


def reseat(
    service: Annotated[ServiceName, typer.Argument(help="The service that reads the topic.")],
    topic: Annotated[str, typer.Argument(help="The source topic that was made again.")],
) -> None:
    """Move a service's inbox to where it belongs on a topic that was made again; a running service then reads on.

    On a service's events the record handled last is found again and proved. A channel's topic is read from its
    beginning: orders that were handled before are known by their number.
    """
    with servers_at_hand() as servers:
        moved = asyncio.run(_reseat(servers, service, topic))
    for each in moved:
        console.print(
            f"{topic}/{each.partition}: offset {each.former_offset} became {each.next_offset}.", highlight=False
        )
    console.print(f"{len(moved)} partitions of {topic} moved; {service} reads on within seconds.", highlight=False)


async def _reseat(servers: Servers, service: str, topic: str) -> list[Reseated]:
    definition = importlib.import_module(f"services.{service}.app").application.definition
    connection = await postgres.connect(postgres.service_dsn(servers.postgres, service, DATABASE_PREFIX))
    try:
        return await reseat_inbox(connection, servers.kafka, topic, linked=topic in definition.sources)
    finally:
        await connection.close()
