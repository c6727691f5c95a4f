"""The business tables that `demo` and `report` print, read from the services' HTTP APIs."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group

from contracts.topics import ServiceName
from contracts.vocabulary.money import format_minor
from infra.stack_file import Stack
from services.cli.console import console, table
from services.cli.stack import get


def show_business(stack: Stack, channels: Collection[str] = (), *, test: bool = False) -> None:
    """Every table, of these channels or of all; of the sandboxes alone, or without them."""
    read = Rows(stack, channels, test)
    for made in (orders(read), *premium(read), invoices(read), trial_balance(read), *claims(read)):
        console.print(made)
        console.print()


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the services' totals, which all carry their channel."""

    stack: Stack
    channels: Collection[str]
    test: bool = False

    def __call__(self, service: str, path: str) -> list[dict[str, Any]]:
        """The rows of a path that belong to the channels."""
        found = get(self.stack, service, path, test=self.test)
        return [row for row in found if not self.channels or row["channel"] in self.channels]


def orders(read: Rows) -> Group:
    """Orders by channel, outcome and reason."""
    found = read(ServiceName.QUOTE, "/order-outcomes")
    rows = [(r["channel"], r["outcome"], r["reason"], r["messages"]) for r in found]
    return table("Orders by outcome", "channel", "outcome", "reason", "messages", rows=rows)


def premium(read: Rows) -> list[Group]:
    """Premium written: by channel, and by coverage, for each product."""
    found = read(ServiceName.POLICY, "/written-premium")
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


def invoices(read: Rows) -> Group:
    """Policy years and invoices by pay frequency."""
    terms: Counter[tuple[str, str]] = Counter()
    issued: Counter[tuple[str, str]] = Counter()
    billed: Counter[tuple[str, str]] = Counter()
    for r in read(ServiceName.POLICY, "/terms-by-frequency"):
        terms[r["frequency"], r["currency"]] += r["terms"]
    for r in read(ServiceName.BILLING, "/invoice-counts"):
        issued[r["frequency"], r["currency"]] += r["invoices"]
        billed[r["frequency"], r["currency"]] += r["amount_minor"]
    rows = [
        (frequency, currency, terms[frequency, currency], count, _money(billed[frequency, currency], currency))
        for (frequency, currency), count in issued.most_common()
    ]
    return table("Invoices by pay frequency", "frequency", "currency", "policy years", "invoices", "billed", rows=rows)


def trial_balance(read: Rows) -> Group:
    """Debits and credits of every ledger account; their sums are equal."""
    debits: dict[str, Counter[str]] = {}
    credited: dict[str, Counter[str]] = {}
    asked: list[dict[str, str | bool]] = [{"channel": channel} for channel in sorted(read.channels)]
    for parameters in asked or [{"test": read.test}]:
        for balance in get(read.stack, ServiceName.BILLING, "/trial-balance", **parameters):
            for line in balance["accounts"]:
                debits.setdefault(balance["currency"], Counter())[line["account"]] += line["debit_minor"]
                credited.setdefault(balance["currency"], Counter())[line["account"]] += line["credit_minor"]
    rows: list[Sequence[object]] = []
    for currency, debit in sorted(debits.items()):
        credit = credited[currency]
        rows += [(currency, a, _money(debit[a], currency), _money(credit[a], currency)) for a in sorted(debit)]
        verdict = "balanced" if debit.total() == credit.total() else "NOT BALANCED"
        rows.append((currency, f"total ({verdict})", _money(debit.total(), currency), _money(credit.total(), currency)))
    return table("Trial balance", "currency", "account", "debit", "credit", rows=rows)


def claims(read: Rows) -> list[Group]:
    """Claim lines: covered and paid by guarantee, declined by reason."""
    found = read(ServiceName.CLAIMS, "/claim-totals")
    covered = [r for r in found if r["decision"] == "covered"]
    declined = [r for r in found if r["decision"] != "covered"]
    rows = [
        (coverage, currency, lines, zero, _money(paid, currency))
        for (coverage, currency), (lines, zero, paid) in _by_coverage(covered).items()
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


def _by_coverage(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Lines, lines with nothing to pay, and the sum, of each coverage and currency."""
    sums: dict[tuple[str, str], tuple[int, int, int]] = {}
    for r in rows:
        lines, zero, paid = sums.get((r["coverage"], r["currency"]), (0, 0, 0))
        sums[r["coverage"], r["currency"]] = (
            lines + r["lines"],
            zero + r["zero_lines"],
            paid + r["payable_minor"],
        )
    return sums


def _totals(rows: Sequence[dict[str, Any]]) -> str:
    sums: dict[str, int] = {}
    for r in rows:
        sums[r["currency"]] = sums.get(r["currency"], 0) + r["payable_minor"]
    return "  ".join(f"{currency} {_money(amount, currency)}" for currency, amount in sums.items())


def _sum(rows: Sequence[dict[str, Any]], column: str) -> int:
    return sum(row[column] for row in rows)


def _money(amount_minor: int, currency: str) -> str:
    return format_minor(amount_minor, currency)
