"""`pledger show decision` and `pledger referrals overlaps`: why an application ended so, and what was passed over."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape

from contracts.topics import ServiceName
from contracts.vocabulary.money import format_minor
from services.cli.console import console, table
from services.cli.rating import show_price
from services.cli.stack import get, running_stack

_OUTCOMES = {
    "accept": "may be accepted",
    "load": "loading",
    "exclude": "exclusion",
    "refer": "a person decides",
    "decline": "declined",
}


def decision(
    channel: Annotated[str, typer.Argument(help="The channel's code.")],
    order_no: Annotated[str, typer.Argument(help="The channel's order number.")],
) -> None:
    """Why an application ended as it did: facts, rules, price and people, from the log."""
    steps = get(running_stack(), ServiceName.QUOTE, f"/channels/{channel}/orders/{order_no}/history")
    shown: object = None
    for step in steps:
        for line in sentences(step["type"].removeprefix("quote."), step["data"]):
            console.print(f"{step['recorded_at'][:19].replace('T', ' ')}  {escape(line)}", highlight=False)
        if fired := step["data"].get("fired"):
            columns = ("rule", "what", "for", "facts", "reason", "理由")
            console.print(table("Rules that fired", *columns, rows=list(_rules(fired))))
        if step["data"].get("working") not in (None, [], shown):
            shown = step["data"]["working"]
            # An offer has its terms inside.
            show_price({**step["data"], **step["data"].get("terms", {})})


def sentences(kind: str, event: Mapping[str, Any]) -> Iterator[str]:
    """An event of an application in words; amounts with their currency."""
    match kind:
        case "application_submitted":
            yield _ordered(event)
        case "application_assessed":
            looked_at = ", ".join(f"{name} {value}" for name, value in event["figures"].items())
            beside = f" and at {looked_at}" if looked_at else ""
            found = "" if event["fired"] else "; none fired"
            yield f"the rules looked at what the order says of each insured{beside}{found}"
        case "premium_rated":
            yield f"priced at {_money(event['premium_minor'], event)}"
        case "application_referred":
            premium = _money(event["terms"]["premium_minor"], event["terms"])
            yield f"referred: {_reasons(event)}; as ordered {premium if event['priced'] else 'the tariff has no rate'}"
        case "counter_offered":
            yield from _offer(event)
        case "application_accepted":
            by = "the rules" if event["decided_by"] is None else f"{event['decided_by']} ({event['reason']})"
            yield f"accepted by {by} at {_money(event['terms']['premium_minor'], event['terms'])}"
        case "application_declined" | "application_not_issued" | "order_conflicted":
            by = f" by {event['decided_by']}" if event.get("decided_by") else ""
            for fault in event["faults"]:
                at = f" at {fault['path']}" if fault.get("path") else ""
                yield f"{kind.removeprefix('application_').replace('_', ' ')}{by}: {fault['message']}{at}"
        case _:
            said = [str(event[name]) for name in _SAID if event.get(name) is not None]
            yield ": ".join((kind.replace("_", " "), *said))


_SAID = (
    "underwriter", "assigned_by", "noted_by", "note", "requested_by", "question", "until", "provided_by", "answer",
    "taken_by", "refused_by", "withdrawn_by", "reason", "expired_on", "policy_no",
)  # fmt: skip


def _ordered(event: Mapping[str, Any]) -> str:
    order, version = event["order"], event["product_version"]
    known = "not in the catalogue" if version is None else f"version {version}"
    return (
        f"order {order['order_no']} of {event['channel']} for {order['product']}, {known}: "
        f"{_money(order['premium_minor'], order)}, cover from {order['effective']}"
    )


def _offer(event: Mapping[str, Any]) -> Iterator[str]:
    terms = event["terms"]
    before = "no rate" if event["rated_minor"] is None else _money(event["rated_minor"], terms)
    by = "the rules" if event["offered_by"] is None else f"{event['offered_by']} ({event['reason']})"
    yield (
        f"offered by {by}: {_money(terms['premium_minor'], terms)} instead of {before}, "
        f"open to {event['valid_until']}; {_reasons(event)}"
    )
    for one in event["alterations"]:
        amount = f"{one['percent']} %" if one["percent"] else _money(one["amount_minor"] or 0, terms)
        yield f"loading of {amount} on {', '.join(one['coverages']) or 'all coverages'}"
    if event["excluded"]:
        yield f"without {', '.join(event['excluded'])}"


def _reasons(event: Mapping[str, Any]) -> str:
    return "; ".join(dict.fromkeys(f"{reason['reason_en']} ({reason['code']})" for reason in event["reasons"]))


def _rules(fired: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for rule in fired:
        facts = ", ".join(f"{name} {value}" for name, value in rule["facts"].items())
        cells = (rule["code"], _outcome(rule), rule["path"] or "the order", facts, rule["reason_en"], rule["reason_zh"])
        yield tuple(map(escape, cells))


def _outcome(rule: Mapping[str, Any]) -> str:
    words = _OUTCOMES[rule["outcome"]]
    amount = f" {rule['percent']} %" if rule["percent"] else f" {rule['amount_minor']}" if rule["amount_minor"] else ""
    return f"{words}{amount}{' of ' if rule['coverages'] else ''}{', '.join(rule['coverages'])}"


def _money(amount_minor: int, priced: Mapping[str, Any]) -> str:
    return f"{format_minor(amount_minor, priced['currency'])} {priced['currency']}"


def overlaps(
    test: Annotated[bool, typer.Option("--test", help="Those of the sandboxes alone.")] = False,
) -> None:
    """Contracts that were accepted beside another of the same customer and would not have been after it."""
    found = get(running_stack(), ServiceName.QUOTE, "/overlaps", test=test)
    if not found:
        console.print("No rule was passed over.")
        return
    rows = [
        (
            one["channel"],
            one["order_no"],
            one["accepted_at"][:19],
            ", ".join(one["others"]),
            ", ".join(dict.fromkeys(rule["code"] for rule in one["rules"])),
            "; ".join(dict.fromkeys(rule["en"] for rule in one["rules"])),
        )
        for one in found
    ]
    console.print(
        table("Accepted at the same time", "channel", "order", "accepted", "beside", "rule", "reason", rows=rows)
    )
