"""`pledger blacklist`: persons who are not to be insured. Only digests leave this program."""

from typing import Annotated

import typer

from contracts.topics import ServiceName
from contracts.vocabulary.identifiers import person_digest
from services.cli.console import Failure, console, table
from services.cli.referrals import By, Reason, post_command
from services.cli.stack import get, running_stack
from services.quote.customers import DOCUMENT, NAME, name_digest

blacklist = typer.Typer(no_args_is_help=True)

Document = Annotated[
    str | None, typer.Option(metavar="COUNTRY:KIND:NUMBER", help="A document, such as CN:ID:11010519491231002X.")
]
Name = Annotated[str | None, typer.Option(help="A name, as orders give it.")]


@blacklist.command("list")
def list_entries() -> None:
    """Everybody on the list, the latest first."""
    found = get(running_stack(), ServiceName.QUOTE, "/blacklist")
    rows = [
        (one["kind"], one["subject"][:16], one["changed_at"][:19], one["changed_by"], one["reason"]) for one in found
    ]
    console.print(table("Blacklist", "kind", "digest", "since", "by", "reason", rows=rows))


@blacklist.command("add")
def add(by: By, reason: Reason, document: Document = None, name: Name = None) -> None:
    """Insure a person no longer. Orders name a person by the digest of a document, or by name."""
    _change("add", by, reason, document, name)


@blacklist.command("remove")
def remove(by: By, reason: Reason, document: Document = None, name: Name = None) -> None:
    """Insure a person again."""
    _change("remove", by, reason, document, name)


def _change(verb: str, by: str, reason: str, document: str | None, name: str | None) -> None:
    kind, subject = _subject(document, name)
    body = {"kind": kind, "subject": subject, "by": by, "reason": reason}
    events = post_command(f"/blacklist/{verb}", body)["events"]
    console.print(f"{kind} {subject[:16]}: {', '.join(events) or 'nothing to do, it was so before'}", highlight=False)


def _subject(document: str | None, name: str | None) -> tuple[str, str]:
    if (document is None) == (name is None):
        raise Failure("Give either --document or --name.")
    if name is not None:
        return NAME, name_digest(name)
    parts = (document or "").split(":")
    if len(parts) != 3 or not all(parts):
        raise Failure("Write a document as COUNTRY:KIND:NUMBER, such as CN:ID:11010519491231002X.")
    return DOCUMENT, person_digest(*parts)
