"""`pledger referrals` and `pledger underwriters`: the work of underwriters, and the customers' answers to offers."""

import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
import typer

from contracts.topics import ServiceName
from contracts.vocabulary.money import format_minor
from services.cli.console import Failure, console, table
from services.cli.stack import answered, get, running_stack, url
from services.kernel import clock

referrals = typer.Typer(no_args_is_help=True)
underwriters = typer.Typer(no_args_is_help=True)

Channel = Annotated[str, typer.Argument(help="The channel's code.")]
OrderNo = Annotated[str, typer.Argument(help="The channel's order number.")]
By = Annotated[str, typer.Option("--by", help="Who does this.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the event.")]


@referrals.command("list")
def list_referrals(
    state: Annotated[str | None, typer.Option(help="referred, asked, offered, accepted, declined ...")] = None,
    underwriter: Annotated[str | None, typer.Option(help="Those of one underwriter.")] = None,
    lapsed: Annotated[bool, typer.Option("--lapsed", help="Those whose customer did not answer in time.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Those of the sandboxes alone.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """The queue, the longest waiting first; undecided ones unless a state is given."""
    asked = {"state": state, "underwriter": underwriter, "lapsed": lapsed, "test": test, "limit": limit}
    found = get(
        running_stack(),
        ServiceName.QUOTE,
        "/referrals",
        **{name: value for name, value in asked.items() if value is not None},
    )
    if not found:
        console.print("No application waits.")
        return
    now = clock.now()
    rows = [
        (
            one["channel"],
            one["order_no"],
            one["state"],
            one["underwriter"],
            ", ".join(dict.fromkeys(reason["code"] for reason in one["reasons"])),
            _premium(one),
            one["level_needed"] or "any",
            _age(one, now),
        )
        for one in found
    ]
    columns = ("channel", "order", "state", "underwriter", "reasons", "premium", "level", "waiting")
    console.print(table("Referrals", *columns, rows=rows))


@referrals.command("show")
def show_referral(channel: Channel, order_no: OrderNo) -> None:
    """One referral: why, how it stands, and every step from the log."""
    stack = running_stack()
    one = get(stack, ServiceName.QUOTE, f"/referrals/{channel}/{order_no}")
    console.print(f"order {order_no} of {channel}: {one['state']}, premium {_premium(one)}", highlight=False)
    facts = [
        (reason["code"], reason["path"], _written(reason["facts"]), reason["en"], reason["zh"])
        for reason in one["reasons"]
    ]
    console.print(table("Reasons", "rule", "for", "facts", "reason", "理由", rows=facts))
    for name in ("underwriter", "question", "answer", "last_note", "answer_until", "due_at", "decided_by"):
        if one[name] is not None:
            console.print(f"{name.replace('_', ' ')}: {one[name]}", highlight=False)
    steps = get(stack, ServiceName.QUOTE, f"/channels/{channel}/orders/{order_no}/history")
    rows = [(step["version"], step["type"], step["recorded_at"][:19], _said(step["data"])) for step in steps]
    console.print(table("History", "version", "event", "recorded", "by whom, why", rows=rows))


@referrals.command("assign")
def assign(
    channel: Channel, order_no: OrderNo, to: Annotated[str, typer.Option(help="The underwriter.")], by: By
) -> None:
    """Give a referral to an underwriter."""
    _post(channel, order_no, "assign", {"by": by, "underwriter": to})


@referrals.command("note")
def note(channel: Channel, order_no: OrderNo, text: Annotated[str, typer.Argument()], by: By) -> None:
    """Put a note into the file; the channel does not see it."""
    _post(channel, order_no, "note", {"by": by, "note": text})


@referrals.command("ask")
def ask(
    channel: Channel,
    order_no: OrderNo,
    question: Annotated[str, typer.Argument()],
    by: By,
    days: Annotated[int, typer.Option(help="Days to answer.")] = 14,
) -> None:
    """Ask the channel a question; it hears it on its notices."""
    _post(channel, order_no, "ask", {"by": by, "question": question, "answer_days": days})


@referrals.command("answer")
def answer(channel: Channel, order_no: OrderNo, text: Annotated[str, typer.Argument()], by: By) -> None:
    """Answer the open question."""
    _post(channel, order_no, "answer", {"by": by, "answer": text})


@referrals.command("accept")
def accept(channel: Channel, order_no: OrderNo, by: By, reason: Reason) -> None:
    """Accept as ordered, within one's authority."""
    _post(channel, order_no, "accept", {"by": by, "reason": reason})


@referrals.command("decline")
def decline(channel: Channel, order_no: OrderNo, by: By, reason: Reason) -> None:
    """Decline; the channel reads the reason."""
    _post(channel, order_no, "decline", {"by": by, "reason": reason})


@referrals.command("counter")
def counter(
    channel: Channel,
    order_no: OrderNo,
    by: By,
    reason: Reason,
    load: Annotated[
        list[str] | None, typer.Option(metavar="[COVERAGE=]AMOUNT", help="25% of the premium, or minor units.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="A coverage to leave out.")] = None,
    premium: Annotated[
        list[str] | None, typer.Option(metavar="COVERAGE=MINOR", help="A premium in place of the tariff's.")
    ] = None,
) -> None:
    """Offer other terms, which the customer takes, refuses or lets lapse."""
    body: dict[str, Any] = {
        "by": by,
        "reason": reason,
        "loadings": [loading_of(text) for text in load or ()],
        "excluded": exclude or [],
        "premiums": dict(premium_of(text) for text in premium or ()),
    }
    _post(channel, order_no, "counter", body)


@referrals.command("take")
def take(channel: Channel, order_no: OrderNo, by: By) -> None:
    """The customer takes the counter-offer."""
    _post(channel, order_no, "take", {"by": by})


@referrals.command("refuse")
def refuse(channel: Channel, order_no: OrderNo, by: By) -> None:
    """The customer does not take the counter-offer; the order is withdrawn."""
    _post(channel, order_no, "refuse", {"by": by})


@referrals.command("withdraw")
def withdraw(channel: Channel, order_no: OrderNo, by: By, reason: Reason) -> None:
    """The customer does not want the cover any more; until the order is issued."""
    _post(channel, order_no, "withdraw", {"by": by, "reason": reason})


@referrals.command("expire")
def expire(
    channel: Annotated[str | None, typer.Argument(help="The channel; all that lapsed unless given.")] = None,
    order_no: Annotated[str | None, typer.Argument(help="The channel's order number.")] = None,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today unless given.")] = None,
) -> None:
    """End applications whose offer, question or payment has waited beyond its last day.

    The service does so by itself; this is for a day on which it did not, or for a single order.
    """
    body = {} if on is None else {"on": on.date().isoformat()}
    if channel is not None and order_no is not None:
        _post(channel, order_no, "expire", body)
        return
    if channel is not None:
        raise Failure("Give channel and order number, or neither to close all that lapsed.")
    before = {} if on is None else {"before": body["on"]}
    lapsed = get(running_stack(), ServiceName.QUOTE, "/deadlines", limit=1000, **before)
    for one in lapsed:
        _post(one["channel"], one["order_no"], "expire", body)
    console.print(f"{len(lapsed)} applications had lapsed.")


@underwriters.command("list")
def list_underwriters() -> None:
    """Who may decide on referrals, and up to which level."""
    found = get(running_stack(), ServiceName.QUOTE, "/underwriters")
    rows = [(one["underwriter"], one["level"], one["changed_by"], one["reason"]) for one in found]
    console.print(table("Underwriters", "underwriter", "level", "by", "reason", rows=rows))


@underwriters.command("appoint")
def appoint(
    underwriter: Annotated[str, typer.Argument()],
    level: Annotated[int, typer.Option(min=1, max=10, help="Level of authority.")],
    by: By,
    reason: Reason,
) -> None:
    """Give somebody a level of authority."""
    body = {"level": level, "by": by, "reason": reason}
    _show(underwriter, post_command(f"/underwriters/{underwriter}/appoint", body))


@underwriters.command("dismiss")
def dismiss(underwriter: Annotated[str, typer.Argument()], by: By, reason: Reason) -> None:
    """Take somebody's authority away."""
    _show(underwriter, post_command(f"/underwriters/{underwriter}/dismiss", {"by": by, "reason": reason}))


def post_command(path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """Send a command to quote; every call is a command of its own. Fails with the problem's sentence."""
    stack = running_stack()
    headers = {"Idempotency-Key": f"cli-{secrets.token_hex(16)}"}
    address = f"{url(stack, ServiceName.QUOTE)}{path}"
    result: dict[str, Any] = answered(httpx.post(address, json=body, headers=headers, timeout=30))
    return result


def _post(channel: str, order_no: str, verb: str, body: dict[str, Any] | None) -> None:
    _show(f"order {order_no} of {channel}", post_command(f"/referrals/{channel}/{order_no}/{verb}", body))


def _show(subject: str, result: dict[str, Any]) -> None:
    done = ", ".join(result["events"]) or "nothing to do, it was so before"
    console.print(f"{subject}: {done}", highlight=False)


def loading_of(text: str) -> dict[str, Any]:
    """A loading as the service takes it, of `25%`, `Inpatient=25%` or `Inpatient=5000`. Raises Failure."""
    coverage, _, amount = text.rpartition("=")
    named = {"coverages": [coverage]} if coverage else {}
    if amount.endswith("%"):
        return {**named, "percent": amount.removesuffix("%").strip()}
    if not amount.isdigit():
        raise Failure(f"{text} is no loading; write 25%, Inpatient=25% or Inpatient=5000 (minor units).")
    return {**named, "amount_minor": int(amount)}


def premium_of(text: str) -> tuple[str, int]:
    """Coverage and minor units of `Inpatient=26182`. Raises Failure."""
    coverage, _, amount = text.partition("=")
    if not amount.isdigit():
        raise Failure(f"{text} is no premium; write the coverage and minor units, such as Inpatient=26182.")
    return coverage, int(amount)


def _premium(one: dict[str, Any]) -> str:
    offered = one["offer_premium_minor"]
    ordered = format_minor(one["premium_minor"], one["currency"]) if one["priced"] else "no rate"
    shown = ordered if offered is None else f"{ordered} > {format_minor(offered, one['currency'])}"
    return f"{shown} {one['currency']}"


def _age(one: dict[str, Any], now: datetime) -> str:
    seconds = (now - datetime.fromisoformat(one["referred_at"])).total_seconds()
    age = f"{seconds / 86_400:.1f} days"
    late = one["due_at"] is not None and datetime.fromisoformat(one["due_at"]).astimezone(UTC) < now
    return f"{age}, LATE" if late and one["state"] in ("referred", "asked") else age


def _written(facts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def _said(event: dict[str, Any]) -> str:
    names = ("_by", "reason", "note", "question", "answer", "underwriter")
    said = [str(value) for name, value in event.items() if name.endswith(names) and value is not None]
    return ": ".join(said)
