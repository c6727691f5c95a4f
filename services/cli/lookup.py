"""`pledger show` and `pledger report`: what the services' read models say."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from rich.panel import Panel
from rich.syntax import Syntax

from contracts.topics import ServiceName
from contracts.vocabulary.money import format_minor
from services.billing.inbound import stream_of as account_stream
from services.claims.inbound import stream_of as cover_stream
from services.cli.as_of import show_contract_as_of
from services.cli.console import console, table
from services.cli.reports import show_business
from services.cli.stack import get, running_stack
from services.policy.inbound import stream_of as policy_stream
from services.quote.inbound import application_stream

show = typer.Typer(no_args_is_help=True)

AsOf = Annotated[
    str | None, typer.Option(metavar="TIMESTAMP", help="As it was at a moment, ISO 8601 with zone; from the log.")
]
Channel = Annotated[str, typer.Argument(help="The channel's code.")]


@show.command("order")
def show_order(
    channel: Channel,
    order_no: Annotated[str, typer.Argument(help="The channel's order number.")],
    as_of: AsOf = None,
) -> None:
    """An order: its application, decision and policy."""
    path, keep = f"/channels/{channel}/orders/{order_no}", {"channel": channel, "order_no": order_no}
    _shown(
        f"order {order_no}",
        ServiceName.QUOTE,
        path,
        as_of,
        lambda contract: application_stream(channel, order_no, contract),
        keep,
    )


@show.command("policy")
def show_policy(policy_no: Annotated[str, typer.Argument(help="Our policy number.")], as_of: AsOf = None) -> None:
    """A policy term, and the history of its contract."""
    path, keep = f"/policies/{policy_no}", {"policy_no": policy_no}
    found = _shown(f"policy {policy_no}", ServiceName.POLICY, path, as_of, policy_stream, keep)
    if found is not None:
        _history(ServiceName.POLICY, found["contract_id"])


@show.command("account")
def show_account(contract_id: Annotated[str, typer.Argument(help="The contract id.")], as_of: AsOf = None) -> None:
    """A contract's account: invoices, payments, postings."""
    path, keep = f"/accounts/{contract_id}", {"contract_id": contract_id}
    if _shown(f"account {contract_id}", ServiceName.BILLING, path, as_of, account_stream, keep) is None:
        return
    postings = get(running_stack(), ServiceName.BILLING, f"/accounts/{contract_id}/postings")
    rows = [
        (
            p["booked_at"][:19],
            p["event_type"],
            p["account"],
            format_minor(p["amount_minor"], p["currency"]),
            p["currency"],
        )
        for p in postings
    ]
    console.print(table("Postings (debit +, credit -)", "booked", "event", "account", "amount", "currency", rows=rows))


@show.command("claim")
def show_claim(claim_no: Annotated[str, typer.Argument(help="Our claim number.")], as_of: AsOf = None) -> None:
    """A claim with its lines."""
    path, keep = f"/claims/{claim_no}", {"claim_no": claim_no}
    _shown(f"claim {claim_no}", ServiceName.CLAIMS, path, as_of, cover_stream, keep)


def report(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="What was tried in sandboxes, which all else leaves out.")
    ] = False,
) -> None:
    """Orders by outcome, premium written, trial balance, claims: everything so far."""
    show_business(running_stack(), test=sandbox)


def _shown(
    title: str,
    service: ServiceName,
    path: str,
    as_of: str | None,
    stream_of: Callable[[str], str],
    keep: Mapping[str, str],
) -> Any:
    """Show the document at the path as it is, and return it; or show what was known at a moment, and return None.

    The rows of that moment are those of the contract's stream that have the values of `keep`.
    """
    if as_of is None:
        return _document(title, service, path)
    contract_id = keep.get("contract_id") or get(running_stack(), service, path)["contract_id"]
    show_contract_as_of(title, service, contract_id, stream_of(contract_id), as_of, keep)
    return None


def _document(title: str, service: ServiceName, path: str) -> Any:
    found = get(running_stack(), service, path)
    text = json.dumps(found, indent=2, ensure_ascii=False)
    console.print(Panel(Syntax(text, "json", background_color="default", word_wrap=True), title=title))
    return found


def _history(service: ServiceName, contract_id: str) -> None:
    entries = get(running_stack(), service, f"/contracts/{contract_id}/history")
    rows = [(e["version"], e["type"], e["recorded_at"][:19], e["position"], e["digest"][:12]) for e in entries]
    console.print(table("History", "version", "event", "recorded", "position", "digest", rows=rows))
