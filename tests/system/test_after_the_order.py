"""What customers decide after an order, by messages of their channel and by letting days pass, in all services."""

from datetime import timedelta
from typing import Any

import pytest
import yaml

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.channel import add_channels
from services.cli.products import draft_document, take_step
from services.cli.stack import get, service_status
from services.demo.raw import RawMessage, message_bytes
from services.kernel import clock
from services.quote.domain.products.reading import read_document
from services.quote.product_files import SHIPPED
from tests.support.builders import ADULT, health_order
from tests.support.running import eventually
from tests.support.system import audit, notices_of, publish_and_settle

pytestmark = pytest.mark.xdist_group("stack")

CHANNEL, PRODUCT, LIMITED = "deciding", "health-decided", "health-limited"
SMOKES = {
    "code": "smoker",
    "when": {"fact": "smoker", "equals": "yes"},
    "outcome": "load",
    "percent": "25",
    "reason": {"en": "smokers pay more", "zh": "吸烟者加费"},
}
PREMIUM, SMOKER_PREMIUM, LOADED = 26_182, 37_206, 46_508
# Offers and payments wait for days of the calendar, which the service keeps by itself.
TODAY = clock.now().replace(microsecond=0).isoformat()
NEXT_MONTH = (clock.now() + timedelta(days=30)).date().isoformat()
LONG_AGO = "2025-12-20T10:00:00Z"


def message(kind: str, number: str, **fields: Any) -> RawMessage:
    content = {"type": kind, "schema_version": 1, **fields}
    return RawMessage(CHANNEL, number, message_bytes(content), number, "")


def order(number: str, *, smoker: bool = False, product: str = PRODUCT, placed_at: str = TODAY) -> RawMessage:
    content = health_order(
        order_no=number,
        product=product,
        placed_at=placed_at,
        effective=NEXT_MONTH,
        premium_minor=SMOKER_PREMIUM if smoker else PREMIUM,
        risk={"line": "health", "insureds": [{**ADULT, "smoker": smoker}]},
    )
    return RawMessage(CHANNEL, number, message_bytes(content), number, "")


def said(kind: str, number: str, **fields: Any) -> RawMessage:
    return message(kind, number, **{"order_no": number, "answered_at": TODAY, **fields})


def withdrawal(number: str) -> RawMessage:
    return said("withdrawal.requested", number, reason="changed his mind")


def payment(number: str, amount_minor: int = PREMIUM) -> RawMessage:
    fields = {"payment_no": f"P-{number}", "contract_no": number, "amount_minor": amount_minor, "currency": "CNY"}
    return message("payment.reported", number, **fields, paid_at=TODAY)


def found(stack: Stack, number: str) -> dict[str, Any]:
    application: dict[str, Any] = get(stack, ServiceName.QUOTE, f"/channels/{CHANNEL}/orders/{number}")
    return application


def account(stack: Stack, number: str) -> tuple[list[str], dict[str, int]]:
    """The states of an order's invoices, and its balance."""
    one = get(stack, ServiceName.BILLING, f"/accounts/{found(stack, number)['contract_id']}")
    return [invoice["status"] for invoice in one["invoices"]], one["balances"][0]


async def heard(stack: Stack, number: str) -> list[str]:
    """The channel's notices of an order and its payments, without repetitions, in order."""
    kinds = []
    for kind, notice, repeated in await notices_of(stack, CHANNEL):
        names = {notice.get("order_no"), notice.get("reference"), notice.get("payment_no", "").removeprefix("P-")}
        if number in names and not repeated:
            codes = "".join(f":{fault['code']}" for fault in notice.get("faults", ()))
            kinds.append(kind.removeprefix("notice.") + codes)
    return kinds


@pytest.fixture(scope="module")
async def market(stack: Stack) -> Stack:
    """Two products on sale, one of which has to be paid within ten days of an order placed long ago."""
    shipped = yaml.safe_load((SHIPPED / "health-basic.yaml").read_text(encoding="utf-8"))
    for code, terms in (
        (PRODUCT, {"underwriting": [SMOKES], "pay_within_days": 30}),
        (LIMITED, {"pay_within_days": 10}),
    ):
        draft_document(stack, read_document({**shipped, "code": code, **terms}), "product staff", "a product")
        take_step(stack, code, 1, "approve", by="reviewer", why="good")
        take_step(stack, code, 1, "publish", by="product staff", why="launch")
    await add_channels(stack.kafka, [CHANNEL])

    async def known() -> bool:
        return {PRODUCT, LIMITED} <= {one["code"] for one in get(stack, ServiceName.QUOTE, "/products")}

    await eventually(known, "the products are known")
    return stack


async def test_a_counter_offer_is_taken_by_a_message_and_paid(market: Stack) -> None:
    taken = said("counter_offer.answered", "D-1", answer="taken")
    refused = said("counter_offer.answered", "D-2", answer="refused")
    early = said("counter_offer.answered", "D-9", answer="taken")
    batch = [early, order("D-1", smoker=True), order("D-2", smoker=True), taken, refused, taken]
    await publish_and_settle(market, batch, [payment("D-1", LOADED)])
    assert (found(market, "D-1")["status"], found(market, "D-1")["premium_minor"]) == ("issued", LOADED)
    assert found(market, "D-2")["status"] == "withdrawn"
    assert await heard(market, "D-1") == [
        "counter_offered",
        "order_accepted",
        "invoice_issued",
        "payment_booked",
        "policy_issued",
    ]
    assert await heard(market, "D-2") == ["counter_offered", "order_withdrawn"]
    assert await heard(market, "D-9") == ["message_refused:order_unknown"]


async def test_an_accepted_order_is_withdrawn_and_its_invoice_cancelled(market: Stack) -> None:
    await publish_and_settle(market, [order("D-3")], [withdrawal("D-3"), withdrawal("D-3")], [payment("D-3")])
    assert found(market, "D-3")["status"] == "withdrawn"
    statuses, balance = account(market, "D-3")
    assert (statuses, balance["outstanding_minor"], balance["suspended_minor"]) == (["cancelled"], 0, PREMIUM)
    assert await heard(market, "D-3") == [
        "order_accepted",
        "invoice_issued",
        "order_withdrawn",
        "payment_booked:no_open_invoice",
    ]
    waiting = get(market, ServiceName.BILLING, "/suspense", limit=1000)
    assert "P-D-3" in {one["payment_no"] for one in waiting}


async def test_what_is_issued_is_not_withdrawn(market: Stack) -> None:
    await publish_and_settle(market, [order("D-4")], [payment("D-4")], [withdrawal("D-4")])
    assert found(market, "D-4")["status"] == "issued"
    assert (await heard(market, "D-4"))[-1] == "message_refused:order_issued"


async def test_money_and_withdrawal_at_once_end_in_one_way(market: Stack) -> None:
    numbers = [f"D-R{place}" for place in range(12)]
    await publish_and_settle(market, [order(number) for number in numbers])
    await publish_and_settle(market, [both for no in numbers for both in (payment(no), withdrawal(no))])
    for number in numbers:
        statuses, balance = account(market, number)
        kept = balance["suspended_minor"] + balance["refundable_minor"]
        withdrawn = found(market, number)["status"] == "withdrawn"
        assert kept == (PREMIUM if withdrawn else 0)
        assert statuses == (["cancelled"] if balance["suspended_minor"] else ["settled"])
        assert balance["outstanding_minor"] == 0
    await audit(market)


async def test_an_unpaid_order_expires_by_itself(market: Stack) -> None:
    await publish_and_settle(market, [order("D-5", product=LIMITED, placed_at=LONG_AGO)])

    async def expired() -> bool:
        return found(market, "D-5")["status"] == "expired" and account(market, "D-5")[0] == ["cancelled"]

    await eventually(expired, "the order expires and its invoice is cancelled")
    await publish_and_settle(market, [payment("D-5")])
    assert account(market, "D-5")[1]["suspended_minor"] == PREMIUM
    assert "kept for" in service_status(market, ServiceName.QUOTE)["calendar"]
    accepted = next(notice for _, notice, _ in await notices_of(market, CHANNEL) if notice.get("order_no") == "D-5")
    assert accepted["pay_by"] == "2025-12-30"
    await audit(market)
