"""A whole book of business through four services: every message ends as it must, once."""

from collections import Counter

import httpx
import pytest

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.demo import prepare_market
from services.cli.stack import get, url
from services.demo.book import CHANNELS, generate_book
from tests.support.system import audit, heads, notices_of, publish_and_settle

pytestmark = pytest.mark.xdist_group("stack")

BOOK = generate_book(orders=600, seed=7)


@pytest.fixture(scope="module")
async def settled(stack: Stack) -> Stack:
    """The stack once the book has been worked through."""
    await prepare_market(stack, list(CHANNELS))
    await publish_and_settle(stack, BOOK.orders, BOOK.payments, BOOK.claims)
    return stack


async def test_every_policy_and_renewal_of_the_book_is_issued(settled: Stack) -> None:
    rows = [row for row in get(settled, ServiceName.POLICY, "/written-premium") if row["coverage"] == "*"]
    assert sum(row["terms"] for row in rows) == BOOK.expected.policies_issued + BOOK.expected.renewals
    assert sum(row["renewals"] for row in rows) == BOOK.expected.renewals
    written: Counter[str] = Counter()
    for row in rows:
        written[row["currency"]] += row["premium_minor"]
    assert written == Counter(BOOK.expected.written_premium_minor)


async def test_claims_pay_what_the_book_expects(settled: Stack) -> None:
    paid: Counter[str] = Counter()
    for row in get(settled, ServiceName.CLAIMS, "/claim-totals"):
        paid[row["currency"]] += row["payable_minor"]
    assert {currency: amount for currency, amount in paid.items() if amount} == dict(BOOK.expected.claims_paid_minor)


async def test_logs_topics_and_ledgers_agree(settled: Stack) -> None:
    await audit(settled)


async def test_written_premium_is_covered_by_the_ledger(settled: Stack) -> None:
    for balance in get(settled, ServiceName.BILLING, "/trial-balance"):
        accounts = {line["account"]: line for line in balance["accounts"]}
        shares = ("written-premium", "commission-payable", "platform-fee-payable", "premium-tax-payable")
        split = sum(
            accounts[name]["credit_minor"] - accounts[name]["debit_minor"] for name in shares if name in accounts
        )
        assert split == BOOK.expected.written_premium_minor.get(balance["currency"], 0)


async def test_the_channel_hears_each_order_accepted_before_its_policy_is_issued(settled: Stack) -> None:
    accepted: set[str] = set()
    issued = 0
    for kind, notice, repeated in await notices_of(settled, "river"):
        if kind == "notice.order_accepted":
            accepted.add(notice["order_no"])
        if kind == "notice.policy_issued" and not repeated:
            issued += 1
            assert notice["order_no"] in accepted
    assert issued > 0


async def test_feeding_the_whole_book_again_changes_nothing(settled: Stack) -> None:
    before = await heads(settled)
    await publish_and_settle(settled, BOOK.orders, BOOK.payments, BOOK.claims)
    assert await heads(settled) == before


@pytest.mark.parametrize("service", list(ServiceName))
async def test_each_service_shows_health_metrics_status_and_its_api(stack: Stack, service: str) -> None:
    async with httpx.AsyncClient(base_url=url(stack, service)) as client:
        for path in ("/health/live", "/health/ready", "/status", "/openapi.json"):
            answer = await client.get(path)
            assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text}"
        assert "ledger_events_appended_total" in (await client.get("/metrics")).text
        missing = await client.get("/contracts/0000000000000000/history")
        assert missing.status_code == httpx.codes.NOT_FOUND
