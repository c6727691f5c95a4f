"""`pledger campaigns`: why buyers came, and what became of their orders."""

from collections import Counter, defaultdict
from typing import Annotated, Any

import typer

from contracts.topics import ServiceName
from contracts.vocabulary.money import format_minor
from services.cli.console import console, table
from services.cli.stack import get, running_stack
from services.quote.queries import CAMPAIGNS_LISTED_MAX, Motive

_COLUMNS = {
    Motive.CHANNEL: "channel",
    Motive.PRODUCT: "product_code",
    Motive.CAMPAIGN: "campaign",
    Motive.SOURCE: "sale_source",
    Motive.PAGE: "page_path",
}
_SOLD = ("issued", "accepted")


def campaigns(
    by: Annotated[
        list[Motive] | None, typer.Option(help="What to count by; may be repeated. Campaign and source unless given.")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
) -> None:
    """Count sales by campaign and source of the sale evidence, and by how the applications ended."""
    wanted = by or [Motive.CAMPAIGN, Motive.SOURCE]
    parameters: dict[str, Any] = {"by": [str(motive) for motive in wanted], "limit": CAMPAIGNS_LISTED_MAX}
    if channel is not None:
        parameters["channel"] = channel
    found = get(running_stack(), ServiceName.QUOTE, "/campaigns", **parameters)
    statuses = sorted({row["status"] for row in found}, key=lambda status: (status not in _SOLD, status))
    orders: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    premium: Counter[tuple[str, ...]] = Counter()
    for row in found:
        group = (*(row[_COLUMNS[motive]] or "-" for motive in wanted), row["currency"])
        orders[group][row["status"]] += row["orders"]
        if row["status"] in _SOLD:
            premium[group] += row["premium_minor"]
    rows = [
        (*group, counted.total(), *(counted[status] for status in statuses), format_minor(premium[group], group[-1]))
        for group, counted in sorted(orders.items(), key=lambda entry: (-entry[1].total(), entry[0]))
    ]
    columns = (*wanted, "currency", "orders", *statuses, "premium sold")
    console.print(table("Applications by what led the buyer here", *columns, rows=rows))
    if len(found) == CAMPAIGNS_LISTED_MAX:
        console.print(f"Only the {CAMPAIGNS_LISTED_MAX:,} largest groups are counted; name a channel or fewer columns.")
