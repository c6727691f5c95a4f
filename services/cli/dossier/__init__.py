"""`pledger dossier`: all that happened to a contract, for people to read and for anybody to verify."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from infra.servers import data_folder
from services.cli.console import Failure, console, table
from services.cli.dossier.document import PAGE_EDITION, Dossier, Verdict, check, collect, read
from services.cli.dossier.page import page
from services.cli.keys import public_keys_path
from services.cli.stack import running_stack
from services.kernel.proof.extracting import LINKS_DEFAULT, LINKS_MAX
from services.kernel.proof.finding import Finding, Wrong
from services.kernel.proof.signed_note import VerifyingKey, WrongKey, load_public_keys

_WAIT_SECONDS = 20.0
"""Services sign every ten seconds."""

_UNPROVED_SHOWN_MAX = 10


class ExportUnlessNamed(TyperGroup):
    """`pledger dossier CONTRACT` is `pledger dossier export CONTRACT`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `export` in front, unless the line names a command or asks for help."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["export", *args]
        return super().parse_args(ctx, args)


class Format(StrEnum):
    """What is written: a page, the document, or both."""

    HTML = "html"
    JSON = "json"
    BOTH = "both"


dossier = typer.Typer(no_args_is_help=True, cls=ExportUnlessNamed)


@dossier.command("export")
def export(
    contract: Annotated[str, typer.Argument(help="The contract id.")],
    output: Annotated[Path, typer.Option(file_okay=False, help="The folder to write to.")] = Path(),
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.BOTH,
    links: Annotated[
        int, typer.Option(min=0, max=LINKS_MAX, help="Links to signed checkpoints, at most, of each service.")
    ] = LINKS_DEFAULT,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for signatures of the latest events.")
    ] = _WAIT_SECONDS,
) -> None:
    """Export all that happened to a contract as one readable page and one document, with what proves it."""
    made = collect(running_stack(), contract, links, wait)
    output.mkdir(parents=True, exist_ok=True)
    texts = {Format.HTML: page, Format.JSON: Dossier.as_json}
    for one, text in texts.items():
        if form in (one, Format.BOTH):
            path = output / f"dossier-{contract}.{one}"
            path.write_text(text(made), encoding="utf-8")
            console.print(f"{path}: {made.events} events, {path.stat().st_size / 1024:,.0f} KiB", highlight=False)
    for part in made.parts:
        for why in part.unsigned:
            console.print(f"not proved by the dossier alone: {part.service} {why}", highlight=False)
    console.print("It holds personal data: hand it on to those only who may see it.")


@dossier.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The page or the document.")],
    keys: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Public keys, one a line; this ledger's unless given."),
    ] = None,
) -> None:
    """Recompute a dossier's digests, check its signatures and its page; exit code 1 unless all of it is proved."""
    text = file.read_text(encoding="utf-8")
    found = read(text)
    verdict = check(found, _keys(keys))
    # A page of events that are wrong need not be made anew.
    findings = list(verdict.findings) or _page_findings(text, found)
    unproved = [*verdict.unproved, *_page_unproved(text, found)]
    _show(found, verdict, findings, unproved)
    if findings or unproved:
        raise typer.Exit(1)


def _keys(given: Path | None) -> list[VerifyingKey]:
    path = given or public_keys_path(data_folder())
    if not path.exists():
        raise Failure("There are no public keys here; name the file with --keys (a ledger has it as keys/public-keys).")
    try:
        return [key for own in load_public_keys(path).values() for key in own]
    except WrongKey as error:
        raise Failure(f"{path}: {error}.") from error


def _is_page(text: str) -> bool:
    return not text.lstrip().startswith("{")


def _page_findings(text: str, found: Dossier) -> list[tuple[str, Finding]]:
    if not _is_page(text) or found.page_edition != PAGE_EDITION or page(found) == text:
        return []
    return [("page", Finding(-1, 0, Wrong.ALTERED, "the page that the events give", "another text"))]


def _page_unproved(text: str, found: Dossier) -> list[str]:
    if not _is_page(text) or found.page_edition == PAGE_EDITION:
        return []
    return [f"page: made in edition {found.page_edition}, this program makes edition {PAGE_EDITION}; read the document"]


def _show(found: Dossier, verdict: Verdict, findings: list[tuple[str, Finding]], unproved: list[str]) -> None:
    subject = f"Dossier of contract {found.contract_id}, {found.events} events"
    if not findings and not unproved:
        console.print(f"[green]{subject}: intact.[/green]", highlight=False)
        console.print(
            f"Every digest is that of its event; {verdict.proved} events are signed in "
            f"{', '.join(verdict.checkpoints) or 'no checkpoint'}; each service signed that these are all.",
            highlight=False,
        )
        return
    word = "NOT intact" if findings else "not proved"
    console.print(f"[red]{subject}: {word}.[/red]", highlight=False)
    if findings:
        service, first = findings[0]
        place = f" {first.partition}/{first.position}" if first.partition >= 0 else ""
        console.print(f"The first that is wrong: {service}{place}, {first.problem}.", highlight=False, soft_wrap=True)
        rows = [
            (one, f"{f.partition}/{f.position}" if f.partition >= 0 else "all", f.what.value, f.expected, f.found)
            for one, f in findings
        ]
        console.print(table("What is wrong", "service", "place", "what", "expected", "found", rows=rows))
        return
    for why in unproved[:_UNPROVED_SHOWN_MAX]:
        console.print(f"not proved: {why}", highlight=False, soft_wrap=True)
    if len(unproved) > _UNPROVED_SHOWN_MAX:
        console.print(f"and {len(unproved) - _UNPROVED_SHOWN_MAX} more that are not proved")
