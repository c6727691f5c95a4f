"""`pledger trial` and `pledger show working`: what an order would cost, and how a price came about."""

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
from services.cli.multiplied import multiplied
from services.cli.stack import answered, get, running_stack, url

Channel = Annotated[str, typer.Option(help="The channel that would place the order.")]
_EVERY = "*"
_SIGNS = {
    "": "x",
    "loading": "+",
    "discount": "-",
    "short-period": "x",
    "minimum": "at least",
    "blended": "a head",
    "joiners": "+",
    "tax": "of which",
}


def trial(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An order, JSON or YAML.")],
    channel: Channel,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as JSON.")] = False,
) -> None:
    """Price an order and say whether it would be taken, without placing it.

    The order may leave out its number, its moment and its premium.
    """
    try:
        order = json.loads(json.dumps(yaml.safe_load(file.read_text("utf-8")), default=str))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Failure(f"{file} is not YAML or JSON: {error}") from error
    address = f"{url(running_stack(), ServiceName.QUOTE)}/trial-premium"
    found = answered(httpx.post(address, json={"channel": channel, "order": order}, timeout=30))
    if as_json:
        console.print_json(json.dumps(found))
        return
    version = found["product_version"]
    console.print(f"{found['product']}{f' version {version}' if version else ''}: {found['outcome']}", highlight=False)
    for fault in found["faults"]:
        console.print(f"  {fault['code']} at {fault['path']}: {fault['message']}", highlight=False, markup=False)
    if found["premium_minor"] is not None:
        show_price(found)
        console.print(table("Ways to pay", "frequency", "premium", "invoices", rows=list(_ways(found))))


def working(
    channel: Annotated[str, typer.Argument(help="The channel's code.")],
    order_no: Annotated[str, typer.Argument(help="The channel's order number.")],
) -> None:
    """How the price of an order came about, step by step, from the log."""
    show_price(get(running_stack(), ServiceName.QUOTE, f"/channels/{channel}/orders/{order_no}/working"))


def show_price(found: Mapping[str, Any]) -> None:
    """Premium by coverage, and each step that led to it."""
    currency = found["currency"]
    rows = [
        (each["code"], _money(each["sum_insured_minor"], currency), _money(each["premium_minor"], currency))
        for each in found["coverages"]
    ]
    total = ("total", "", _money(found["premium_minor"], currency))
    console.print(table(f"Premium, {currency}", "coverage", "sum insured", "premium", rows=rows, total=total))
    if found.get("census"):
        show_census(found["census"], currency)
    # Facts are what a channel wrote, and may look like mark-up.
    came_to = zip(working_rows(found["working"]), multiplied(found["working"], currency), strict=True)
    steps = [(*map(escape, row[:4]), amount, *map(escape, row[4:])) for row, amount in came_to]
    console.print(table("Working", "coverage", "of", "", "value", "comes to", "origin", "entry", rows=steps))


def show_census(census: Mapping[str, Any], currency: str) -> None:
    """Heads by class and age band, and the rate per head of each class and of the whole group."""
    cells = [(cell["cover_class"], cell["band"], cell["heads"], cell["joiners"]) for cell in census["cells"]]
    totals = [sum(cell[name] for cell in census["cells"]) for name in ("heads", "joiners")]
    console.print(table("Census", "class", "ages", "members", "join later", rows=cells, total=("total", "", *totals)))
    if census["group"] is not None:
        rates = [*sorted(census["classes"].items()), ("whole group", census["group"])]
        rows = [
            (name, rate["heads"], _money(rate["premium_minor"], currency), _money(rate["per_head_minor"], currency))
            for name, rate in rates
        ]
        title = f"Blended rate of those covered from the first day, {currency}"
        console.print(table(title, "class", "members", "premium", "per head", rows=rows))


def working_rows(steps: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, str, str, str, str, str]]:
    """One row for each step; what it is a step of is named where it changes."""
    last = ("", "")
    for step in steps:
        place = (step["coverage"], step["subject"])
        # The first step of a subject is the rate, which is multiplied with nothing yet.
        sign = "" if place != last and not step.get("kind") else _SIGNS.get(step.get("kind", ""), "")
        coverage = "order" if step["coverage"] == _EVERY else step["coverage"]
        shown = ("", "") if place == last else (coverage, step["subject"].removeprefix("risk.") or "all")
        yield (*shown, sign, step["value"], step["origin"], step.get("row", ""))
        last = place


def _ways(found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for way in found["frequencies"]:
        first, *others = way["instalments"]
        amounts = _money(first["amount_minor"], found["currency"])
        if others:
            amounts += f", then {len(others)} of {_money(others[0]['amount_minor'], found['currency'])}"
        yield way["frequency"], _money(way["premium_minor"], found["currency"]), amounts


def _money(amount_minor: int | None, currency: str) -> str:
    return "" if amount_minor is None else format_minor(amount_minor, currency)
