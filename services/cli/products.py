"""`pledger products`: validate, publish, list and withdraw product versions."""

import json
import secrets
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import yaml

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.console import Failure, console, table
from services.cli.stack import answered, get, running_stack, url

products = typer.Typer(no_args_is_help=True)

SHIPPED = Path(__file__).resolve().parent.parent / "quote" / "products"


@products.command("publish")
def publish(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Product documents, YAML or JSON.")],
) -> None:
    """Put product versions on sale. The same document again changes nothing."""
    for file in files:
        result = publish_document(running_stack(), file)
        console.print(f"{file.name}: {'published' if result['events'] else 'was published before, nothing changed'}")


@products.command("list")
def list_products() -> None:
    """All product versions."""
    found = get(running_stack(), ServiceName.QUOTE, "/products")
    columns = ("code", "version", "line", "on_sale_from", "on_sale_until", "withdrawn")
    rows = [[version.get(column) for column in columns] for version in found]
    console.print(table("Products", *columns, rows=rows))


@products.command("withdraw")
def withdraw(
    code: Annotated[str, typer.Argument(help="Product code.")],
    version: Annotated[int, typer.Argument(help="Version.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the event.")],
) -> None:
    """Sell no more of a version; policies sold under it keep it."""
    stack = running_stack()
    path = f"{url(stack, ServiceName.QUOTE)}/products/{code}/versions/{version}/withdraw"
    headers = {"Idempotency-Key": f"withdraw-{code}-{version}"}
    answered(httpx.post(path, json={"reason": reason}, headers=headers, timeout=30))
    console.print(f"{code} version {version} is withdrawn.")


def publish_document(stack: Stack, file: Path) -> dict[str, Any]:
    """Publish one document; returns the command's result."""
    try:
        document = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        raise Failure(f"{file} is not YAML or JSON: {error}") from error
    # Every call is a command of its own; the catalogue itself knows what it has published.
    key = f"publish-{secrets.token_hex(16)}"
    path = f"{url(stack, ServiceName.QUOTE)}/products"
    result: dict[str, Any] = answered(
        httpx.post(
            path,
            content=json.dumps(document, default=str),
            headers={"Idempotency-Key": key, "content-type": "application/json"},
            timeout=30,
        )
    )
    return result
