"""`pledger checkpoint`: the signed heads of the logs."""

from typing import Annotated

import typer

from contracts.topics import ServiceName
from infra.servers import data_folder
from services.cli.console import Failure, console
from services.cli.keys import checkpoints_folder, key_path, public_keys_path, publish_key
from services.kernel import clock
from services.kernel.checkpoint_file import BrokenCheckpoints, checkpoint_path, exchange_key, last_note

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
