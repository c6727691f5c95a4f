"""`pledger dead-letters list | show | redrive | discard`: messages that a service could not handle."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Annotated, Any

import click
import httpx
import typer
from rich.panel import Panel
from rich.syntax import Syntax

from contracts.topics import ServiceName
from services.cli.console import Failure, console, table
from services.cli.stack import answered, get, running_stack, url
from services.kernel.commands.dead_letters import LetterState

dead_letters = typer.Typer(no_args_is_help=True)

Service = Annotated[ServiceName, typer.Argument(help="The service that could not handle the message.")]
LetterId = Annotated[str, typer.Argument(help="The id of the dead letter, or its first letters.")]
By = Annotated[str, typer.Option("--by", help="Who decides this.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]


@dead_letters.command("list")
def list_letters(
    service: Annotated[ServiceName | None, typer.Argument(help="One service; all four unless given.")] = None,
    state: Annotated[LetterState, typer.Option(help="Those that stand so.")] = LetterState.OPEN,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of each service, newest first.")] = 20,
) -> None:
    """Dead letters, newest first. Open ones wait for a person, and later messages of their contract wait with them."""
    stack = running_stack()
    rows = [
        (name, one["id"][:12], one["received_at"][:19], one["reason"], one["source"], one["lane"], one["waiting"])
        for name in ([service] if service else ServiceName)
        for one in get(stack, name, "/dead-letters", limit=limit, state=state)
    ]
    if not rows:
        console.print(f"No dead letter is {state}.")
        return
    columns = ("service", "id", "received", "reason", "source", "contract", "waiting behind it")
    console.print(table(f"Dead letters that are {state}", *columns, rows=rows))


@dead_letters.command("show")
def show_letter(service: Service, letter_id: LetterId) -> None:
    """One dead letter whole: the message, its headers, the error, the fields at fault, what waits behind it."""
    found = _found(service, letter_id)
    value = found.pop("text")
    if value is not None:
        found.pop("value_base64")
    faults = found.pop("faults")
    console.print(Panel(_json(found), title=f"dead letter {found['id']}"))
    if faults:
        rows = [(fault["path"] or "(the message)", fault["message"], fault["code"]) for fault in faults]
        console.print(table("What its channel was told", "field", "what is wrong", "code", rows=rows))
    if value is not None:
        try:
            shown: Any = _json(json.loads(value))
        except ValueError:
            shown = value
        console.print(Panel(shown, title="message"))


@dead_letters.command("redrive")
def redrive_letter(
    service: Service,
    letter_id: LetterId,
    by: By,
    reason: Reason,
    value: Annotated[Path | None, typer.Option(help="A file with the edited message.", exists=True)] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Edit the message in $EDITOR first.")] = False,
) -> None:
    """Handle the message again, edited or as it came, and then what waited behind it, in order."""
    if value is not None and edit:
        raise Failure("Give the edited message with --value or write it with --edit, not both.")
    found = _found(service, letter_id)
    body: dict[str, Any] = {"by": by, "reason": reason}
    if value is not None:
        body["value_base64"] = b64encode(value.read_bytes()).decode()
    if edit:
        body["text"] = _edited(found)
    _settle(service, found["id"], "redrive", body)


@dead_letters.command("discard")
def discard_letter(service: Service, letter_id: LetterId, by: By, reason: Reason) -> None:
    """Give the message up, and handle what waited behind it. The letter stays to be looked at."""
    _settle(service, _found(service, letter_id)["id"], "discard", {"by": by, "reason": reason})


def _found(service: str, letter_id: str) -> dict[str, Any]:
    stack = running_stack()
    if len(letter_id) < 32:
        ids = [one["id"] for one in get(stack, service, "/dead-letters", limit=1000)]
        alike = [one for one in ids if one.startswith(letter_id)]
        if len(alike) != 1:
            raise Failure(f"{len(alike)} of the newest 1,000 dead letters of {service} begin with {letter_id}.")
        letter_id = alike[0]
    found: dict[str, Any] = get(stack, service, f"/dead-letters/{letter_id}")
    return found


def _edited(letter: dict[str, Any]) -> str:
    if letter["text"] is None:
        raise Failure("The message is no UTF-8 text; write the new one to a file and give it with --value.")
    edited = click.edit(letter["text"], extension=".json")
    if edited is None or edited == letter["text"]:
        raise Failure("Nothing was changed, so nothing was done. Without --edit it is handled as it came.")
    return str(edited).rstrip("\n")


def _settle(service: str, letter_id: str, action: str, body: dict[str, Any]) -> None:
    stack = running_stack()
    address = f"{url(stack, service)}/dead-letters/{letter_id}/{action}"
    try:
        settled = answered(httpx.post(address, json=body, timeout=60))
    except httpx.HTTPError as error:
        raise Failure(f"{service} does not answer at {url(stack, service)}: {error}") from error
    if settled["error"] is not None:
        raise Failure(f"It failed again and stays open: {settled['error']}")
    waited = f"{settled['released']} messages that waited behind it were handled"
    if settled["still_parked"]:
        waited += f", {settled['still_parked']} wait behind the next one"
    console.print(f"{letter_id[:12]} is {settled['state']}; {waited}.")


def _json(content: Any) -> Syntax:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return Syntax(text, "json", background_color="default", word_wrap=True)
