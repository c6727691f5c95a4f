"""`pledger doctor`: examine each service and what it stands on, and say what to do."""

import asyncio
import importlib
from typing import Annotated

import typer

from contracts.topics import ServiceName
from infra.servers import Servers
from services.cli.at_hand import servers_at_hand
from services.cli.console import console, table
from services.cli.stack import DATABASE_PREFIX
from services.kernel import postgres
from services.kernel.process.doctor import Complaint, Diagnosis, examine

REMEDIES = {
    Complaint.DATABASE_AWAY: "Start PostgreSQL, or correct host and port in LEDGER_POSTGRES.",
    Complaint.DATABASE_REFUSES: "The server is there: correct user or password in LEDGER_POSTGRES, do not restart it.",
    Complaint.DATABASE_MISSING: "`pledger up` makes it where it never was; where it was, `pledger restore`.",
    Complaint.CLOCK: "Mend time synchronisation on both machines; events keep the times that they have.",
    Complaint.KAFKA_AWAY: "Start Kafka, or correct LEDGER_KAFKA. Nothing is lost: relays send from the log later.",
    Complaint.KAFKA_REFUSES: "The server is there: correct login or protocol in LEDGER_KAFKA, do not restart it.",
    Complaint.TOPIC_MISSING: "`pledger up` makes the services' topics, `pledger channels add` a channel's.",
    Complaint.TOPIC_SETTINGS: "Set it back with Kafka's kafka-configs tool before anything expires.",
    Complaint.TOPIC_PARTITIONS: "Partitions cannot be taken away: delete the topic, start again, it is sent anew.",
    Complaint.TOPIC_BEGINNING: "Stop the service, delete the topic, start: the relay sends it anew from the log.",
    Complaint.LOG_BEHIND_TOPIC: "Stop the service; restore a newer backup, or recover from base backup and WAL.",
    Complaint.SOURCE: "Restore Kafka's own copy of the topic; where it is lost: `pledger reseat`.",
}


def doctor(
    service: Annotated[ServiceName | None, typer.Argument(help="One service; all four unless given.")] = None,
) -> None:
    """Examine services and servers, running or not. Exit code 1 where anything is wrong; changes nothing."""
    services = list(ServiceName) if service is None else [service]
    with servers_at_hand() as servers:
        found = asyncio.run(_examine(servers, services))
    findings = [(name, finding) for name, own in found.items() for finding in own]
    if not findings:
        console.print(f"{', '.join(services)}: log, topics, inbox, servers and clock are as they should be.")
        return
    rows = [(name, finding.complaint, finding.problem) for name, finding in findings]
    console.print(table("Findings", "service", "complaint", "problem", rows=rows))
    for complaint in dict.fromkeys(finding.complaint for _, finding in findings):
        console.print(f"[bold]{complaint}[/bold]: {REMEDIES[complaint]}", highlight=False)
    raise typer.Exit(1)


async def _examine(servers: Servers, services: list[ServiceName]) -> dict[str, list[Diagnosis]]:
    found = {}
    for name in services:
        definition = importlib.import_module(f"services.{name}.app").application.definition
        dsn = postgres.service_dsn(servers.postgres, name, DATABASE_PREFIX)
        found[name.value] = await examine(dsn, servers.kafka, definition)
    return found
