"""`pledger product schema | sheet | diff | clone`: what can be made from product documents."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import yaml
from rich.markup import escape

from contracts.topics import ServiceName
from services.cli.console import Failure, console, table
from services.cli.products import By, Code, Version, Why, posted, product
from services.cli.stack import answered, get, running_stack, url
from services.quote.domain.products.cloning import value_at
from services.quote.plan_sheet import Language
from services.quote.product_schema import schema_text

__all__ = ["product"]
"""The commands below join those of `products.py` under one name."""

_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))? ?%?")

Output = Annotated[Path | None, typer.Option(dir_okay=False, help="Write to this file instead of the screen.")]


@product.command()
def schema(output: Output = None) -> None:
    """The JSON Schema of product documents, for completion and checks in editors."""
    _write(schema_text(), output)


@product.command()
def sheet(
    code: Code,
    version: Version,
    language: Language = Language.ENGLISH,
    output: Output = None,
    inside: Annotated[bool, typer.Option("--inside", help="With what no buyer sees: split, authority.")] = False,
) -> None:
    """A readable description of the plan as one HTML page, in Chinese (zh) or English (en)."""
    address = f"{url(running_stack(), ServiceName.QUOTE)}/products/{code}/versions/{version}/sheet"
    answer = httpx.get(address, params={"language": language.value, "inside": inside}, timeout=30)
    if not answer.is_success:
        answered(answer)
    _write(answer.text, output)


@product.command()
def diff(
    one: Annotated[str, typer.Argument(metavar="CODE/VERSION", help="Such as motor-private/1.")],
    other: Annotated[str, typer.Argument(metavar="CODE/VERSION", help="Such as motor-private/2.")],
) -> None:
    """Where the second version says otherwise than the first, path by path."""
    (code, version), (other_code, other_version) = _named(one), _named(other)
    path = f"/products/{code}/versions/{version}/differences"
    found = get(running_stack(), ServiceName.QUOTE, path, other=other_version, other_code=other_code)
    if not found:
        console.print(f"{one} and {other} say the same.")
        return
    rows = [(entry["path"], _told(entry["before"]), _told(entry["after"])) for entry in found]
    console.print(table(f"{len(rows)} differences", "path", one, other, rows=rows))


@product.command()
def clone(
    code: Code,
    version: Version,
    by: By,
    why: Why,
    to: Annotated[
        str, typer.Option(metavar="CODE", help="Code of the new draft; the same code makes its next version.")
    ],
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Say something otherwise; repeatable.")
    ] = None,
    shares: Annotated[
        list[str] | None,
        typer.Option("--share", metavar="INSURER=PERCENT", help="Coinsure; the first insurer named leads; repeatable."),
    ] = None,
    issuance_fee: Annotated[
        str, typer.Option(metavar="PERCENT", help="Of each follower's premium, to the leader.")
    ] = "0",
) -> None:
    """Draft a variant of a version, such as one that several insurers carry together."""
    stack = running_stack()
    model = get(stack, ServiceName.QUOTE, f"/products/{code}/versions/{version}")["document"]
    body: dict[str, Any] = {
        "to": to,
        "by": by,
        "why": why,
        "changes": dict(_change(one, model) for one in changes or ()),
    }
    if shares:
        leader, *followers = [_share(one) for one in shares]
        fee = _basis_points(issuance_fee)
        body["coinsurance"] = {"leader": leader, "followers": followers, "issuance_fee_bp": fee}
    result = posted(stack, f"/products/{code}/versions/{version}/clone", body)
    done = "is drafted" if result["events"] else "was drafted so before, nothing changed"
    console.print(f"{result['code']} version {result['version']} {done}")


def _named(text: str) -> tuple[str, int]:
    code, _, version = text.rpartition("/")
    if not code or not version.isdigit():
        raise Failure(f"{text!r} names no version; write CODE/VERSION, such as motor-private/1.")
    return code, int(version)


def _change(text: str, model: dict[str, Any]) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    if not equals:
        raise Failure(f"--set {text!r} has no value; write PATH=VALUE, such as term_months=6.")
    # Where the document holds a text, such as the rate "1.90" or a day, what is typed is text as well.
    if isinstance(value_at(model, path), str):
        return path, value
    try:
        return path, json.loads(json.dumps(yaml.safe_load(value), default=str))
    except yaml.YAMLError as error:
        raise Failure(f"--set {path}: {value!r} is no YAML: {escape(str(error))}") from error


def _share(text: str) -> dict[str, Any]:
    insurer, equals, percent = text.rpartition("=")
    if not equals:
        raise Failure(f"--share {text!r} has no share; write INSURER=PERCENT, such as Alpha=40.")
    return {"insurer": insurer, "share_bp": _basis_points(percent)}


def _basis_points(percent: str) -> int:
    found = _PERCENT.fullmatch(percent.strip())
    if found is None:
        raise Failure(f"{percent!r} is no percentage; write a number with two decimals at most, such as 40 or 12.5.")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def _told(value: Any) -> str:
    return "" if value is None else escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text, "utf-8")
    console.print(f"{output} written")
