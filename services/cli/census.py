"""`pledger census-change`: what it costs an employer that members of its group join and leave."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import yaml
from rich.markup import escape

from contracts.topics import ServiceName
from contracts.vocabulary.money import format_minor
from services.cli.console import Failure, console, table
from services.cli.stack import answered, running_stack, url

_WORDS = {"joins": "joins", "leaves": "leaves", "replaces": "takes over", "replaced": "is replaced"}


def census_change(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The order or its number, and the change; JSON or YAML.")
    ],
    channel: Annotated[str, typer.Option(help="The channel of the order.")],
    as_json: Annotated[bool, typer.Option("--json", help="The answer as JSON.")] = False,
) -> None:
    """Price joiners, leavers and swaps within the term of a group, without changing anything.

    The file has `order` as one would place it (and `product_version`, where it is not the one on sale) or the
    `order_no` of one that was placed; and `change`: the day (`effective`), who `joins` and who `leaves`.
    """
    try:
        wanted = json.loads(json.dumps(yaml.safe_load(file.read_text("utf-8")), default=str))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Failure(f"{file} is not YAML or JSON: {error}") from error
    if not isinstance(wanted, dict):
        raise Failure(f"{file} holds no object; write order or order_no, and change.")
    address = f"{url(running_stack(), ServiceName.QUOTE)}/trial-census-change"
    found = answered(httpx.post(address, json={**wanted, "channel": channel}, timeout=30))
    if as_json:
        console.print_json(json.dumps(found))
        return
    named = f"{found['product']} version {found['product_version']}"
    if found["faults"]:
        console.print(f"{named}: the census cannot change so on {found['effective']}", highlight=False)
        for fault in found["faults"]:
            console.print(f"  {fault['code']} at {fault['path']}: {fault['message']}", highlight=False, markup=False)
        raise typer.Exit(1)
    days = f"{found['days_left']} of {found['term_days']} days left"
    console.print(f"{named}: census changed on {found['effective']}, {days}", highlight=False)
    columns = ("member", "", "class", "whole term", "amount", "how")
    rows = [tuple(map(escape, row)) for row in item_rows(found["items"], found["currency"])]
    total = ("total", "", "", "", _money(found["amount_minor"], found["currency"]), "")
    console.print(table(f"Members, {found['currency']}", *columns, rows=rows, total=total))
    console.print(told_sum(found), highlight=False)


def item_rows(items: Sequence[Mapping[str, Any]], currency: str) -> Iterator[tuple[str, str, str, str, str, str]]:
    """One row for each member."""
    for item in items:
        premium, amount = _money(item["premium_minor"], currency), _money(item["amount_minor"], currency)
        yield item["member_no"], _WORDS[item["kind"]], item["cover_class"], premium, amount, item["origin"]


def told_sum(found: Mapping[str, Any]) -> str:
    """Who owes what to whom, in words."""
    currency, amount_minor = found["currency"], found["amount_minor"]
    parts = f"joiners {_money(found['joiners_minor'], currency)}, leavers {_money(found['leavers_minor'], currency)}"
    if amount_minor == 0:
        return f"{parts}: nothing is owed"
    what = "the employer is given back" if amount_minor < 0 else "the employer owes"
    return f"{parts}: {what} {_money(abs(amount_minor), currency)} {currency}"


def _money(amount_minor: int, currency: str) -> str:
    return format_minor(amount_minor, currency)
