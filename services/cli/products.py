"""`pledger product`: product versions from draft to withdrawal."""

import secrets
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.markup import escape

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.console import Failure, console, table
from services.cli.stack import answered, get, running_stack, url
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.reading import InvalidDocument
from services.quote.product_files import SHIPPED, read_product_file

product = typer.Typer(no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="Product code.")]
Version = Annotated[int, typer.Argument(help="Version.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who takes this step; kept with it for ever.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; kept with the step.")]
FromDay = Annotated[
    datetime | None,
    typer.Option("--from", "--on", formats=["%Y-%m-%d"], metavar="DAY", help="The day it takes effect."),
]
Channel = Annotated[str | None, typer.Option("--channel", help="For this channel alone.")]
Region = Annotated[str | None, typer.Option("--region", help="For this region alone.")]
Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Product documents, YAML or JSON.")]


@product.command()
def validate(files: Files) -> None:
    """Check documents and tell every fault with its path. Needs no stack; exit code 1 if any is not valid."""
    wrong = 0
    for file in files:
        try:
            found = read_product_file(file)
        except InvalidDocument as error:
            wrong += 1
            told = [f"  {fault.path or 'document'}: {fault.message}" for fault in error.faults]
            counted = "1 fault" if len(told) == 1 else f"{len(told)} faults"
            console.print(escape("\n".join([f"{file.name}: {counted}", *told])), highlight=False)
        else:
            console.print(f"{file.name}: {found.code} version {found.version} is valid")
    if wrong:
        raise typer.Exit(1)


@product.command()
def draft(files: Files, by: By, why: Why) -> None:
    """Put documents down as drafts, or replace drafts. The same document again changes nothing."""
    stack = running_stack()
    for file in files:
        document = _read(file)
        result = draft_document(stack, document, by, why)
        done = "drafted" if result["events"] else "is known so already, nothing changed"
        console.print(f"{document.code} version {document.version} {done}")


@product.command()
def approve(
    code: Code,
    version: Version,
    by: By,
    why: Why,
    digest: Annotated[
        str | None, typer.Option(help="Digest of the draft that was read, as `show` has it; refuses another.")
    ] = None,
) -> None:
    """Approve a draft, as a second person: whoever wrote it cannot."""
    body = {"document_digest": digest} if digest else {}
    _tell(code, version, "approved", take_step(running_stack(), code, version, "approve", by=by, why=why, **body))


@product.command()
def publish(
    code: Code,
    version: Version,
    by: By,
    why: Why,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Let channels try it before it is on sale.")] = False,
    channels: Annotated[list[str] | None, typer.Option("--channel", help="A channel for the sandbox.")] = None,
    from_day: FromDay = None,
) -> None:
    """Put an approved version on sale, or into the sandbox, from a day on. Without a day: the document's own."""
    body: dict[str, Any] = {"stage": "sandbox", "channels": channels or []} if sandbox else {"stage": "on-sale"}
    if channels and not sandbox:
        raise Failure("--channel is for --sandbox; a version is sold by the channels of its document.")
    result = take_step(running_stack(), code, version, "publish", by=by, why=why, from_day=_day(from_day), **body)
    _tell(code, version, "in the sandbox" if sandbox else "on sale", result, from_day)


@product.command("open")
def open_outlet(
    code: Code,
    version: Version,
    by: By,
    why: Why,
    channel: Channel = None,
    region: Region = None,
    from_day: FromDay = None,
) -> None:
    """Let one channel or region sell a version that is on sale: one more, or again after its end there."""
    if channel is None and region is None:
        raise Failure("Name --channel or --region; a whole version is put on sale by `pledger product publish`.")
    _move(code, version, "open", "on sale", by=by, why=why, from_day=from_day, channel=channel, region=region)


@product.command()
def close(
    code: Code,
    version: Version,
    by: By,
    why: Why,
    channel: Channel = None,
    region: Region = None,
    from_day: FromDay = None,
) -> None:
    """Take no new business under a version, everywhere or for one channel or region; its contracts are renewed."""
    told = "closed to new business"
    _move(code, version, "close", told, by=by, why=why, from_day=from_day, channel=channel, region=region)


@product.command()
def withdraw(
    code: Code,
    version: Version,
    by: By,
    why: Why,
    channel: Channel = None,
    region: Region = None,
    from_day: FromDay = None,
) -> None:
    """Sell a version no longer, anywhere or for one channel or region; policies sold under it keep it."""
    told = "withdrawn"
    _move(code, version, "withdraw", told, by=by, why=why, from_day=from_day, channel=channel, region=region)


@product.command("list")
def list_products(on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")] = None) -> None:
    """All versions of all products, with their states today or on a day."""
    console.print(_versions("Products", get(running_stack(), ServiceName.QUOTE, "/products", **_on(on))))


@product.command()
def show(code: Code, on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")] = None) -> None:
    """A product's versions with their states today or on a day, and every step: who, when, why."""
    stack = running_stack()
    found = get(stack, ServiceName.QUOTE, f"/products/{code}", **_on(on))
    console.print(_versions(code, found))
    outlets = list(_outlet_rows(found))
    if outlets:
        console.print(table("Channels and regions", "version", "sold by or in", "state", "named by", rows=outlets))
    rows = [_step_row(entry) for entry in get(stack, ServiceName.QUOTE, f"/products/{code}/history")]
    console.print(table("Steps", "version", "step", "from", "recorded", "by", "why", rows=rows))


def draft_document(stack: Stack, document: ProductDocument, by: str, why: str) -> dict[str, Any]:
    """Draft a document; returns the command's result."""
    return posted(stack, "/products", {"document": document.model_dump(mode="json"), "by": by, "why": why})


def take_step(stack: Stack, code: str, version: int, step: str, **body: Any) -> dict[str, Any]:
    """Take a step with a version; returns the command's result."""
    return posted(stack, f"/products/{code}/versions/{version}/{step}", body)


def posted(stack: Stack, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Send a command to the catalogue; the catalogue itself knows what it has done already."""
    headers = {"Idempotency-Key": f"product-{secrets.token_hex(16)}"}
    address = f"{url(stack, ServiceName.QUOTE)}{path}"
    result: dict[str, Any] = answered(httpx.post(address, json=body, headers=headers, timeout=30))
    return result


def put_shipped_products_on_sale(stack: Stack) -> set[tuple[str, int]]:
    """Draft, approve and publish the documents that come with the service, where that is not done; their versions.

    The demonstration has two persons for it, as the rules ask for.
    """
    documents = [read_product_file(path) for path in sorted(SHIPPED.glob("*.yaml"))]
    why = "shipped with the demonstration"
    known = {(one["code"], one["version"]): one for one in get(stack, ServiceName.QUOTE, "/products")}
    for document in documents:
        there = known.get((document.code, document.version))
        if (
            there is not None
            and there["published_at"]
            and ProductDocument.model_validate(there["document"]) == document
        ):
            continue
        draft_document(stack, document, "demo product staff", why)
        take_step(stack, document.code, document.version, "approve", by="demo reviewer", why=why)
        take_step(stack, document.code, document.version, "publish", by="demo product staff", why=why)
    return {(document.code, document.version) for document in documents}


def _read(file: Path) -> ProductDocument:
    try:
        return read_product_file(file)
    except InvalidDocument as error:
        told = "".join(f"\n  {fault.path or 'document'}: {fault.message}" for fault in error.faults)
        raise Failure(escape(f"{file.name} is not valid:{told}")) from error


def _move(
    code: str,
    version: int,
    step: str,
    told: str,
    *,
    by: str,
    why: str,
    from_day: datetime | None,
    channel: str | None,
    region: str | None,
) -> None:
    """Open, close or withdraw, everywhere or for one channel or region, and tell what came of it."""
    if channel is not None and region is not None:
        raise Failure("Name --channel or --region, and take one step for each.")
    body = {"by": by, "why": why, "from_day": _day(from_day), "channel": channel, "region": region}
    result = take_step(running_stack(), code, version, step, **body)
    outlet = f" for channel {channel}" if channel else f" in region {region}" if region else ""
    _tell(code, version, f"{told}{outlet}", result, from_day)


def _tell(code: str, version: int, state: str, result: dict[str, Any], from_day: datetime | None = None) -> None:
    named = f"{code} version {version}"
    if not result["events"]:
        console.print(f"{named}: this step was taken before, nothing changed")
        return
    since = f" from {from_day.date()}" if from_day else ""
    console.print(f"{named} is {state}{since}")


def _day(day: datetime | None) -> str | None:
    return None if day is None else day.date().isoformat()


def _on(day: datetime | None) -> dict[str, date]:
    return {} if day is None else {"on": day.date()}


def _versions(title: str, found: list[dict[str, Any]]) -> Any:
    columns = ("code", "version", "state", "on_sale_from", "on_sale_until", "author", "cloned_from")
    rows = [[*(version[column] for column in columns), (version["document_digest"] or "")[:12]] for version in found]
    headings = (column.replace("_", " ") for column in columns)
    return table(title, *headings, "digest", rows=rows)


def _outlet_rows(found: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """The state of each channel and region; where a document names none, all others stand as the version does."""
    for version in found:
        document, whole = version["document"], version["state"]
        for kind, everyone in (("channel", "channels"), ("region", "regions")):
            own = [one for one in version["outlets"] if one[kind] is not None]
            for one in own:
                # What ended for the whole version ended here too; a withdrawal here goes further than a closing.
                state = (
                    one["state"] if whole == "on-sale" or (whole, one["state"]) == ("closed", "withdrawn") else whole
                )
                yield version["version"], f"{kind} {one[kind]}", state, _named_by(one)
            if own and document.get(everyone) is None:
                yield version["version"], f"every other {kind}", whole, "document"


def _named_by(outlet: dict[str, Any]) -> str:
    return "document" if outlet["named_by_document"] else "a step below"


def _step_row(entry: dict[str, Any]) -> list[Any]:
    happened = entry["data"]
    step = entry["type"].removeprefix("quote.").removeprefix("product_").removeprefix("outlet_").replace("_", " ")
    if outlet := happened.get("channel") or happened.get("region"):
        step += f" {'channel' if happened.get('channel') else 'region'} {outlet}"
    if happened.get("channels"):
        step += f" to {', '.join(happened['channels'])}"
    if happened.get("cloned_from"):
        step += f" from {happened['cloned_from']}"
    since = happened.get("on_sale_from") or happened.get("from_day", "")
    why = happened.get("why") or happened.get("reason")
    return [
        happened["product_version"],
        step,
        "at once" if since is None else since,
        entry["recorded_at"][:19],
        happened.get("by"),
        why,
    ]
