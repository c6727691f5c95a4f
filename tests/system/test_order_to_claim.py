"""A whole book of business through four services: every message ends as it must, once."""

from collections import Counter
from dataclasses import dataclass

import httpx
import pytest

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.demo import prepare_market, settle
from services.cli.stack import get, url
from services.demo.book import CHANNELS, generate_book
from tests.support.system import audit, heads, notices_of, publish_and_settle

pytestmark = pytest.mark.xdist_group("stack")

BOOK = generate_book(orders=600, seed=7)
SHARES = ("written-premium", "commission-payable", "platform-fee-payable", "premium-tax-payable")


@dataclass(frozen=True, slots=True)
class Settled:
    """The stack once the book has been worked through, and what was on it before, from other tests."""

    stack: Stack
    before: "Totals"


@dataclass(frozen=True, slots=True)
class Totals:
    """Terms, renewals and amounts by currency, over everything on the stack."""

    terms: int
    renewals: int
    written: Counter[str]
    split: Counter[str]
    claims: Counter[str]


def totals(stack: Stack) -> Totals:
    """What the four read models say so far."""
    rows = [row for row in get(stack, ServiceName.POLICY, "/written-premium") if row["coverage"] == "*"]
    written: Counter[str] = Counter()
    split: Counter[str] = Counter()
    claims: Counter[str] = Counter()
    for row in rows:
        written[row["currency"]] += row["premium_minor"]
    for balance in get(stack, ServiceName.BILLING, "/trial-balance"):
        for line in balance["accounts"]:
            if line["account"] in SHARES:
                split[balance["currency"]] += line["credit_minor"] - line["debit_minor"]
    for row in get(stack, ServiceName.CLAIMS, "/claim-totals"):
        claims[row["currency"]] += row["payable_minor"]
    terms, renewals = (sum(row[column] for row in rows) for column in ("terms", "renewals"))
    return Totals(terms, renewals, written, split, claims)


@pytest.fixture(scope="module")
async def settled(stack: Stack) -> Settled:
    """Publish the book: orders, then payments, then claims, each once the last has been worked through."""
    await prepare_market(stack, list(CHANNELS))
    await settle(stack)
    before = totals(stack)
    await publish_and_settle(stack, BOOK.orders, BOOK.payments, BOOK.claims)
    return Settled(stack, before)


async def test_every_policy_and_renewal_of_the_book_is_issued(settled: Settled) -> None:
    now, before = totals(settled.stack), settled.before
    assert now.terms - before.terms == BOOK.expected.policies_issued + BOOK.expected.renewals
    assert now.renewals - before.renewals == BOOK.expected.renewals
    assert now.written - before.written == Counter(BOOK.expected.written_premium_minor)


async def test_the_ledger_splits_exactly_the_premium_written(settled: Settled) -> None:
    assert totals(settled.stack).split - settled.before.split == Counter(BOOK.expected.written_premium_minor)


async def test_claims_pay_what_the_book_expects(settled: Settled) -> None:
    assert totals(settled.stack).claims - settled.before.claims == Counter(BOOK.expected.claims_paid_minor)


async def test_logs_topics_and_ledgers_agree(settled: Settled) -> None:
    await audit(settled.stack)


async def test_the_channel_hears_each_order_accepted_before_its_policy_is_issued(settled: Settled) -> None:
    accepted: set[str] = set()
    issued = 0
    for kind, notice, repeated in await notices_of(settled.stack, "river"):
        if kind == "notice.order_accepted":
            accepted.add(notice["order_no"])
        if kind == "notice.policy_issued" and not repeated:
            issued += 1
            assert notice["order_no"] in accepted
    assert issued > 0


async def test_feeding_the_whole_book_again_changes_nothing(settled: Settled) -> None:
    before = await heads(settled.stack)
    await publish_and_settle(settled.stack, BOOK.orders, BOOK.payments, BOOK.claims)
    assert await heads(settled.stack) == before


@pytest.mark.parametrize("service", list(ServiceName))
async def test_each_service_shows_health_metrics_status_and_its_api(stack: Stack, service: str) -> None:
    async with httpx.AsyncClient(base_url=url(stack, service)) as client:
        for path in ("/health/live", "/health/ready", "/status", "/openapi.json", "/asyncapi.json"):
            answer = await client.get(path)
            assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text}"
        assert "ledger_events_appended_total" in (await client.get("/metrics")).text
        missing = await client.get("/contracts/0000000000000000/history")
        assert missing.status_code == httpx.codes.NOT_FOUND
