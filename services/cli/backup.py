"""`pledger backup | restore | recover | base-backup | aside`: copies of a service's database, and the way back."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from contracts.topics import ServiceName
from infra import backup as copies
from infra.local.recovery import recovered_server
from services.cli.at_hand import servers_at_hand
from services.cli.console import Failure, console, table
from services.cli.moments import moment_of
from services.cli.stack import DATABASE_PREFIX
from services.kernel import postgres
from services.kernel.process import restoration

_Service = Annotated[ServiceName, typer.Argument(help="The service.")]


def backup(
    service: _Service,
    file: Annotated[Path, typer.Argument(help="The new file.")],
) -> None:
    """Write a service's database, log and read models, to a file. The service goes on meanwhile."""
    with servers_at_hand() as servers:
        asyncio.run(_backup(servers.postgres, service, file))


async def _backup(admin_dsn: str, service: str, file: Path) -> None:
    started = time.monotonic()
    async with restoration.snapshot(admin_dsn, service, DATABASE_PREFIX) as moment:
        address = postgres.admin_dsn_of(admin_dsn, postgres.database_name(service, DATABASE_PREFIX))
        size = await asyncio.to_thread(copies.dump, address, file, moment.id) / 1e6
    seconds = time.monotonic() - started
    console.print(f"{service}: {_ends(moment.heads)}; {size:,.1f} MB in {file}, {seconds:.1f} s.", highlight=False)


def restore(
    service: _Service,
    file: Annotated[Path, typer.Argument(help="A file that `backup` or `recover` made.")],
) -> None:
    """Put a stopped service's database back from a file. The present one is kept aside, see `pledger aside`."""
    with servers_at_hand() as servers:
        asyncio.run(_restore(servers.postgres, service, file))


async def _restore(admin_dsn: str, service: str, file: Path) -> None:
    started = time.monotonic()
    place = (admin_dsn, service, DATABASE_PREFIX)
    await restoration.check_stopped(*place)
    try:
        await asyncio.to_thread(copies.load, file, await restoration.make_room(*place))
        heads = await restoration.adopt(*place)
        aside = await restoration.swap_in(*place)
    except BaseException:
        await restoration.give_up(*place)
        raise
    console.print(f"{service}: {_ends(heads)}; restored in {time.monotonic() - started:.1f} s.", highlight=False)
    if aside is not None:
        console.print(f"What was there before is kept as {aside} (`pledger aside {service}`).", highlight=False)
    console.print("Now run `pledger doctor` before the service is started.", highlight=False)


def base_backup(folder: Annotated[Path, typer.Argument(help="A new folder.")]) -> None:
    """Copy the whole PostgreSQL server, while it runs, as the start for a recovery with archived WAL."""
    started = time.monotonic()
    with servers_at_hand() as servers:
        copies.base_backup(servers.postgres, folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    console.print(
        f"{size:,.0f} MB in {folder}, every file checked, {time.monotonic() - started:.1f} s.", highlight=False
    )


def recover(
    service: _Service,
    file: Annotated[Path, typer.Argument(help="The new file, for `pledger restore`.")],
    base: Annotated[Path, typer.Option(help="The folder of a base backup.")],
    wal: Annotated[Path | None, typer.Option(help="The folder that LEDGER_WAL named.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this time; to the end of the WAL unless given.")] = None,
) -> None:
    """Make a backup of a service as of any moment after a base backup, on a server of its own beside the live one."""
    moment = None if until is None else moment_of(until, "--until")
    if file.exists():
        raise Failure(f"{file} exists; name a new file.")
    with recovered_server(base, wal, moment) as address:
        asyncio.run(_backup(address, service, file))


def aside(
    service: _Service,
    drop: Annotated[str | None, typer.Option(help="Drop this one for good.")] = None,
    bring_back: Annotated[str | None, typer.Option(help="Put this one back in its place.")] = None,
) -> None:
    """The databases that restores put aside; drop one, or bring it back."""
    with servers_at_hand() as servers:
        asyncio.run(_aside(servers.postgres, service, drop, bring_back))


async def _aside(admin_dsn: str, service: str, drop: str | None, back: str | None) -> None:
    place = (admin_dsn, service, DATABASE_PREFIX)
    if back is not None:
        await restoration.check_stopped(*place)
        kept = await restoration.bring_back(*place, back)
        console.print(f"{back} is in its place again; what was there is kept as {kept}.", highlight=False)
    if drop is not None:
        await restoration.drop_aside(*place, drop)
        console.print(f"{drop} is dropped.", highlight=False)
    console.print(table(f"Kept aside for {service}", "database", rows=[(n,) for n in await restoration.aside(*place)]))


def _ends(heads: Sequence[int]) -> str:
    return f"{sum(heads):,} events, partitions end at {' '.join(map(str, heads))}"
