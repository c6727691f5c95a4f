"""`pledger channels | orders | claims | payments | notices`: what a distribution channel does."""

import asyncio
import re
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from contracts.envelope import event_type_of
from contracts.topics import PARTITIONS_DEFAULT, channel_topics, notices_topic
from contracts.vocabulary.identifiers import ChannelCode
from services.cli.console import Failure, console, progress, table
from services.cli.stack import running_stack
from services.intake.files import publish_file
from services.intake.mapping import MappingError, load_mapping, shipped_mappings
from services.intake.publisher import Progress, PublishFailed, PublishReport
from services.intake.rows import UnreadableFile
from services.kernel import kafka

channels = typer.Typer(no_args_is_help=True)
orders = typer.Typer(no_args_is_help=True)
claims = typer.Typer(no_args_is_help=True)
payments = typer.Typer(no_args_is_help=True)

_FAULTS_SHOWN = 20
_ORDERS = re.compile(r"^orders\.([A-Za-z0-9-]+)\.v1$")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or JSON lines, plain or gzipped.")]
MappingFile = Annotated[
    str, typer.Option("--mapping", "-m", help=f"Mapping file, or one that is shipped: {', '.join(shipped_mappings())}.")
]
Rate = Annotated[int | None, typer.Option(min=1, help="Messages a second at most.")]
Rejects = Annotated[Path | None, typer.Option(help="Where to copy the rows that were not published.")]


@channels.command("add")
def add_channel(names: Annotated[list[str], typer.Argument(help="Codes of the channels.")]) -> None:
    """Make a channel's two topics, orders and notices."""
    asyncio.run(add_channels(running_stack().kafka, names))


async def add_channels(bootstrap: str, names: list[str]) -> None:
    """Make the topics of these channels where they are missing."""
    for name in names:
        try:
            TypeAdapter(ChannelCode).validate_python(name)
        except ValidationError as error:
            raise Failure(f"{name!r} is no channel code: letters, digits and hyphens, at most 32.") from error
        made = await kafka.ensure_topics(bootstrap, channel_topics(name), PARTITIONS_DEFAULT)
        console.print(f"channel {name}: {', '.join(made) if made else 'is there already'}", highlight=False)


@channels.command("list")
def list_channels() -> None:
    """All channels that have topics."""
    topics = asyncio.run(kafka.list_topics(running_stack().kafka))
    names = [found[1] for topic in topics if (found := _ORDERS.match(topic))]
    console.print(table("Channels", "channel", rows=[(name,) for name in names]))


@orders.command("publish")
@claims.command("publish")
@payments.command("publish")
def publish(file: File, mapping: MappingFile, rate: Rate = None, rejects: Rejects = None) -> None:
    """Publish a file to the channels' topics; bad rows are reported and the rest goes out.

    Safe to run again: messages that are known already change nothing.
    """
    found = asyncio.run(publish_with_progress(running_stack().kafka, file, mapping, rate, rejects))
    show_published(file, found, rejects)
    if found.rejected_rows:
        raise typer.Exit(1)


async def publish_with_progress(
    bootstrap: str, file: Path, mapping: str, rate: int | None = None, rejects: Path | None = None
) -> PublishReport:
    """Publish a file with a progress bar."""
    try:
        declared = load_mapping(mapping)
        with progress() as bars:
            bar = bars.add_task(f"publishing {file.name}", total=None, rate="")

            def show(now: Progress) -> None:
                bars.update(bar, completed=now.rows, rate=f"{now.published / max(now.seconds, 0.001):,.0f}/s")

            found = await publish_file(file, declared, bootstrap, show, rate=rate, rejects=rejects)
            bars.update(bar, total=found.rows, completed=found.rows)
        return found
    except (MappingError, UnreadableFile, PublishFailed, FileExistsError) as error:
        raise Failure(str(error)) from error


def show_published(file: Path, found: PublishReport, rejects: Path | None) -> None:
    """What was published and what was not, with line, field and reason."""
    rows = [(channel, count) for channel, count in sorted(found.by_channel.items())]
    console.print(
        table(f"{file.name}: {found.rows:,} rows, {found.published:,} messages", "channel", "published", rows=rows)
    )
    if not found.rejected_rows:
        return
    bad = [(fault.line, fault.field, fault.reason) for fault in found.rejected[:_FAULTS_SHOWN]]
    console.print(table(f"{found.rejected_rows:,} rows not published", "line", "field", "reason", rows=bad))
    if found.faults > _FAULTS_SHOWN:
        console.print(f"... and {found.faults - _FAULTS_SHOWN:,} faults more")
    if rejects is not None:
        console.print(f"The rejected rows are in {rejects}.")


def notices(
    channel: Annotated[str, typer.Argument(help="The channel's code.")],
    limit: Annotated[int, typer.Option(min=1, help="Stop after so many.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for new ones.")] = False,
) -> None:
    """Read a channel's notices, as the channel would."""
    asyncio.run(_notices(running_stack().kafka, channel, limit, follow))


async def _notices(bootstrap: str, channel: str, limit: int, follow: bool) -> None:
    consumer = kafka.reader(bootstrap)
    await consumer.start()
    try:
        if notices_topic(channel) not in await consumer.topics():
            raise Failure(f"There is no channel {channel}; `pledger channels list` shows all.")
        consumer.subscribe([notices_topic(channel)])
        shown = 0
        while shown < limit:
            found = await consumer.getmany(timeout_ms=2000, max_records=limit - shown)
            for records in found.values():
                for record in records:
                    console.print(f"{event_type_of(record.headers)} {record.value.decode()}", soft_wrap=True)
                    shown += 1
            if not found and not follow:
                return
    finally:
        await consumer.stop()
