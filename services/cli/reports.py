"""The business tables that `demo` and `report` print, read from the services' HTTP APIs."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group

from contracts.topics import ServiceName
from contracts.vocabulary.money import format_minor
from infra.stack_file import Stack
from services.cli.console import console, table
from services.cli.stack import get


def show_business(stack: Stack) -> None:
    """Every table."""
    for made in (orders(stack), *premium(stack), invoices(stack), trial_balance(stack), *claims(stack)):
        console.print(made)
        console.print()


def orders(stack: Stack) -> Group:
    """Orders by channel, outcome and reason."""
    found = get(stack, ServiceName.QUOTE, "/order-outcomes")
    rows = [(r["channel"], r["outcome"], r["reason"], r["messages"]) for r in found]
    return table("Orders by outcome", "channel", "outcome", "reason", "messages", rows=rows)


def premium(stack: Stack) -> list[Group]:
    """Premium written: by channel, and by coverage, for each product."""
    found = get(stack, ServiceName.POLICY, "/written-premium")
    made = []
    for product, currency in sorted({(r["product_code"], r["currency"]) for r in found}):
        own = [r for r in found if (r["product_code"], r["currency"]) == (product, currency)]
        by_channel = [r for r in own if r["coverage"] == "*"]
        terms, renewals = _sum(by_channel, "terms"), _sum(by_channel, "renewals")
        rows = [(r["channel"], r["terms"], r["renewals"], _money(r["premium_minor"], currency)) for r in by_channel]
        total = ("all", f"{terms:,}", f"{renewals:,}", _money(_sum(by_channel, "premium_minor"), currency))
        made.append(
            table(
                f"{product}: premium written by channel, {currency}",
                "channel",
                "policy years",
                "renewals",
                "premium",
                rows=rows,
                total=total,
            )
        )
        by_coverage: dict[str, int] = {}
        for r in own:
            if r["coverage"] != "*":
                by_coverage[r["coverage"]] = by_coverage.get(r["coverage"], 0) + r["premium_minor"]
        coverage_rows = [(code, _money(amount, currency)) for code, amount in by_coverage.items()]
        made.append(
            table(
                f"{product}: premium written by guarantee, {currency}",
                "guarantee",
                "premium",
                rows=coverage_rows,
                total=("all", _money(sum(by_coverage.values()), currency)),
            )
        )
    return made


def invoices(stack: Stack) -> Group:
    """Policy years and invoices by pay frequency."""
    terms = {(r["frequency"], r["currency"]): r["terms"] for r in get(stack, ServiceName.POLICY, "/terms-by-frequency")}
    found = get(stack, ServiceName.BILLING, "/invoice-counts")
    rows = [
        (
            r["frequency"],
            r["currency"],
            terms.get((r["frequency"], r["currency"]), 0),
            r["invoices"],
            _money(r["amount_minor"], r["currency"]),
        )
        for r in found
    ]
    return table("Invoices by pay frequency", "frequency", "currency", "policy years", "invoices", "billed", rows=rows)


def trial_balance(stack: Stack) -> Group:
    """Debits and credits of every ledger account; their sums are equal."""
    found = get(stack, ServiceName.BILLING, "/trial-balance")
    rows: list[Sequence[object]] = []
    for balance in found:
        currency = balance["currency"]
        verdict = "balanced" if balance["debit_minor"] == balance["credit_minor"] else "NOT BALANCED"
        lines = [*balance["accounts"], {**balance, "account": f"total ({verdict})"}]
        rows += [
            (currency, line["account"], _money(line["debit_minor"], currency), _money(line["credit_minor"], currency))
            for line in lines
        ]
    return table("Trial balance", "currency", "account", "debit", "credit", rows=rows)


def claims(stack: Stack) -> list[Group]:
    """Claim lines: covered and paid by guarantee, declined by reason."""
    found = get(stack, ServiceName.CLAIMS, "/claim-totals")
    covered = [r for r in found if r["decision"] == "covered"]
    declined = [r for r in found if r["decision"] != "covered"]
    rows = [
        (r["coverage"], r["currency"], r["lines"], r["zero_lines"], _money(r["payable_minor"], r["currency"]))
        for r in covered
    ]
    reasons: dict[str, tuple[int, int]] = {}
    for r in declined:
        lines, claimed = reasons.get(r["reason_code"] or "", (0, 0))
        reasons[r["reason_code"] or ""] = (lines + r["lines"], claimed + r["claimed_minor"])
    total = ("all", "", f"{_sum(covered, 'lines'):,}", f"{_sum(covered, 'zero_lines'):,}", _totals(covered))
    return [
        table(
            "Claim lines covered, by guarantee",
            "guarantee",
            "currency",
            "lines",
            "of these nothing to pay",
            "paid",
            rows=rows,
            total=total,
        ),
        table(
            "Claim lines declined, by reason",
            "reason",
            "lines",
            rows=[(reason, lines) for reason, (lines, _) in sorted(reasons.items())],
            total=("all", f"{_sum(declined, 'lines'):,}"),
        ),
    ]


def _totals(rows: Sequence[dict[str, Any]]) -> str:
    sums: dict[str, int] = {}
    for r in rows:
        sums[r["currency"]] = sums.get(r["currency"], 0) + r["payable_minor"]
    return "  ".join(f"{currency} {_money(amount, currency)}" for currency, amount in sums.items())


def _sum(rows: Sequence[dict[str, Any]], column: str) -> int:
    return sum(row[column] for row in rows)


def _money(amount_minor: int, currency: str) -> str:
    return format_minor(amount_minor, currency)
