"""`pledger checkpoint`: the signed heads of the logs."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from contracts.topics import ServiceName
from infra.servers import data_folder
from services.cli.at_hand import servers_at_hand
from services.cli.console import Failure, console
from services.cli.keys import checkpoints_folder, key_path, public_keys_path, publish_key
from services.cli.stack import DATABASE_PREFIX
from services.kernel import clock, postgres
from services.kernel.proof.checkpoint import origin_of
from services.kernel.proof.checkpoint_file import BrokenCheckpoints, checkpoint_path, exchange_key, last_note
from services.kernel.proof.new_chain import Acceptance, NewChain, NoNewChain, start_new_chain
from services.kernel.proof.signed_note import load_key, load_public_keys

checkpoints = typer.Typer(no_args_is_help=True)


@checkpoints.command("show")
def show_checkpoint(service: Annotated[ServiceName, typer.Argument(help="Whose log was signed.")]) -> None:
    """Print the last checkpoint, as it can be kept and checked elsewhere."""
    note = last_note(checkpoint_path(checkpoints_folder(data_folder()), service))
    if note is None:
        raise Failure(f"{service} has signed nothing yet; it does within seconds of its start.")
    print(note, end="")


@checkpoints.command("rotate-key")
def rotate_key(service: Annotated[ServiceName, typer.Argument(help="Whose key is exchanged.")]) -> None:
    """Exchange the key that signs a service's checkpoints, by a checkpoint that both keys sign. No restart needed."""
    data = data_folder()
    path = checkpoint_path(checkpoints_folder(data), service)
    if not key_path(data, service).exists():
        raise Failure(f"{service} has no key here; `pledger up` makes one.")
    try:
        new = exchange_key(path, service, key_path(data, service), clock.now())
    except BrokenCheckpoints as broken:
        raise Failure(f"The key stays: {broken}.") from broken
    publish_key(data, new)
    console.print(f"From now on {new.text} signs; it is also in {public_keys_path(data)}.", highlight=False)


@checkpoints.command("new-chain")
def new_chain(
    service: Annotated[ServiceName, typer.Argument(help="Whose log was restored.")],
    by: Annotated[str, typer.Option("--by", help="Who accepts that what was signed is not in the log any more.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
) -> None:
    """Begin a new chain of checkpoints after an accepted restore. The old one is kept beside it, with who and why."""
    for words in (by, reason):
        if not words.strip() or not words.isprintable():
            raise Failure("Say who accepts it and why, each in one line.")
    data = data_folder()
    if not key_path(data, service).exists():
        raise Failure(f"{service} has no key here; `pledger up` makes one.")
    with servers_at_hand() as servers:
        try:
            begun = asyncio.run(_begun(data, servers.postgres, service, Acceptance(by, reason, clock.now())))
        except NoNewChain as refused:
            raise Failure(f"No new chain is begun: {refused}.") from refused
    console.print(f"{service}: {begun.because}.", highlight=False)
    console.print(
        f"A new chain begins with {begun.first.label}, {begun.first.size:,} events; the service goes on with it.",
        highlight=False,
    )
    console.print(f"The old one is {begun.former},\nwho and why is in {begun.note}.", highlight=False, soft_wrap=True)


async def _begun(data: Path, admin_dsn: str, service: str, acceptance: Acceptance) -> NewChain:
    key, name = load_key(key_path(data, service), origin_of(service)), origin_of(service)
    trusted = load_public_keys(public_keys_path(data)).get(name, ())
    connection = await postgres.connect(postgres.service_dsn(admin_dsn, service, DATABASE_PREFIX))
    try:
        return await start_new_chain(connection, checkpoints_folder(data), service, key, trusted, acceptance)
    finally:
        await connection.close()
