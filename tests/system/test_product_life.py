"""A product from draft to sold and closed by HTTP, with real orders at each stage."""

import json
from typing import Any

import httpx
import pytest

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.channel import add_channels
from services.cli.stack import get, url
from services.demo.raw import RawMessage
from services.quote.product_files import SHIPPED, read_product_file
from tests.support.builders import motor_order
from tests.support.running import eventually
from tests.support.system import publish_and_settle

pytestmark = pytest.mark.xdist_group("stack")

CODE = "motor-variant"
CHANNEL = "lake"


class Product:
    """Takes steps with one product and waits until the catalogue knows of them."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.steps = 0

    def post(self, path: str, by: str = "Ann", **body: Any) -> httpx.Response:
        self.steps += 1
        address = f"{url(self.stack, ServiceName.QUOTE)}{path}"
        headers = {"Idempotency-Key": f"{CODE}-{self.steps}"}
        return httpx.post(address, json={"by": by, "why": "test", **body}, headers=headers, timeout=30)

    def sheet(self) -> str:
        """The plan sheet in Chinese."""
        address = f"{url(self.stack, ServiceName.QUOTE)}/products/{CODE}/versions/1/sheet"
        return httpx.get(address, params={"language": "zh"}, timeout=30).text

    async def step(self, step: str, state: str, by: str = "Ann", **body: Any) -> None:
        answer = self.post(f"/products/{CODE}/versions/1/{step}", by, **body)
        assert answer.is_success, answer.text
        await self.reaches(state)

    async def outlet(self, step: str, state: str, **outlet: str) -> None:
        """Open, close or withdraw one channel or region."""
        answer = self.post(f"/products/{CODE}/versions/1/{step}", **outlet)
        assert answer.is_success, answer.text

        async def known() -> bool:
            found = get(self.stack, "quote", f"/products/{CODE}/versions/1")["outlets"]
            return any({**one, **outlet, "state": state} == one for one in found)

        await eventually(known, f"{outlet} is {state}")

    async def reaches(self, state: str) -> None:
        async def known() -> bool:
            return any(one["code"] == CODE and one["state"] == state for one in get(self.stack, "quote", "/products"))

        await eventually(known, f"{CODE} is {state}")

    async def order(self, number: str, **changes: Any) -> dict[str, Any]:
        """How an order ends."""
        value = json.dumps(motor_order(order_no=number, product=CODE, book=None, **changes)).encode()
        await publish_and_settle(self.stack, [RawMessage(CHANNEL, number, value, number, "")])
        found: dict[str, Any] = get(self.stack, ServiceName.QUOTE, f"/channels/{CHANNEL}/orders/{number}")
        return found


def document(**changes: Any) -> dict[str, Any]:
    shipped = read_product_file(SHIPPED / "motor-private.yaml").model_dump(mode="json")
    return {**shipped, "code": CODE, "book": None, "channels": [CHANNEL], **changes}


def first_fault(application: dict[str, Any]) -> str | None:
    faults = application["faults"]
    return faults[0]["code"] if faults else None


async def test_a_product_from_draft_to_sold_and_closed(stack: Stack) -> None:
    product = Product(stack)
    await add_channels(stack.kafka, [CHANNEL])
    wrong = product.post("/products", document=document(regions=["CN-31", "CN-31"], channels=["x", "x"]))
    assert wrong.status_code == 422
    assert {fault["path"] for fault in wrong.json()["faults"]} == {"regions.1", "channels.1"}
    assert product.post("/products", document=document()).json()["events"] == ["quote.product_drafted"]
    await product.reaches("draft")
    assert first_fault(await product.order("L-1", contract_no="L-1")) == "unknown_product"

    own = product.post(f"/products/{CODE}/versions/1/approve")
    assert (own.status_code, own.json()["code"]) == (409, "product_approved_by_author")
    await product.step("approve", "approved", by="Bob")
    await product.step("publish", "sandbox", stage="sandbox", channels=[CHANNEL])
    assert first_fault(await product.order("L-2", contract_no="L-2")) == "not_on_sale"

    await product.step("publish", "on-sale", from_day="2025-01-01")
    sold = await product.order("L-3", contract_no="L-3")
    assert (sold["status"], sold["product_version"]) == ("issued", 1)

    await product.outlet("withdraw", "withdrawn", channel=CHANNEL)
    assert first_fault(await product.order("L-6", contract_no="L-6")) == "product_withdrawn"
    await product.outlet("open", "on-sale", channel=CHANNEL)
    assert (await product.order("L-7", contract_no="L-7"))["status"] == "issued"

    assert product.post("/products", document=document()).json()["events"] == []
    other = product.post("/products", document=document(term_months=6))
    assert (other.status_code, other.json()["code"]) == (409, "product_version_published")
    assert "term_months" in other.json()["detail"]

    variant = product.post(f"/products/{CODE}/versions/1/clone", to=CODE, changes={"term_months": 6})
    assert (variant.json()["code"], variant.json()["version"]) == (CODE, 2)

    await product.step("close", "closed")
    assert first_fault(await product.order("L-4", contract_no="L-4")) == "product_closed"
    renewed = await product.order("L-5", contract_no="L-3", effective="2027-01-01")
    assert (renewed["status"], renewed["policy_no"][:3]) == ("issued", "P02")

    steps = [entry["type"] for entry in get(stack, ServiceName.QUOTE, f"/products/{CODE}/history")]
    assert steps == [
        "quote.product_drafted",
        "quote.product_approved",
        "quote.sandbox_opened",
        "quote.product_published",
        "quote.outlet_withdrawn",
        "quote.outlet_opened",
        "quote.product_drafted",
        "quote.product_closed",
    ]
    assert "家用汽车保险" in product.sheet()
