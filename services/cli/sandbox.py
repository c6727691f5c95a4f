"""`pledger sandbox`: put away what a channel tried out."""

import secrets
from typing import Annotated

import httpx
import typer

from contracts.topics import ServiceName
from contracts.vocabulary.identifiers import SANDBOX_SUFFIX, is_sandbox
from services.cli.console import Failure, console
from services.cli.stack import answered, running_stack, url

sandbox = typer.Typer(no_args_is_help=True)


@sandbox.callback()
def of_sandboxes() -> None:
    """What channels try out."""


@sandbox.command("clear")
def clear(
    channel: Annotated[str, typer.Argument(help=f"The sandbox channel's code, which ends in {SANDBOX_SUFFIX}.")],
    by: Annotated[str, typer.Option(help="Who clears it; kept with the event.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the event.")],
) -> None:
    """Put away all that a sandbox channel did so far: no read model shows it any more, the logs keep it."""
    if not is_sandbox(channel):
        raise Failure(f"{channel} is no sandbox, whose code ends in {SANDBOX_SUFFIX}; its business cannot be put away.")
    address = f"{url(running_stack(), ServiceName.QUOTE)}/sandboxes/{channel}/clear"
    headers = {"Idempotency-Key": f"clear-{secrets.token_hex(16)}"}
    body = {"cleared_by": by, "reason": reason}
    steps = answered(httpx.post(address, json=body, headers=headers, timeout=60))
    console.print(f"{channel} is cleared in all {len(steps)} partitions; the other services follow at once.")
