"""A trial premium over HTTP: the price, or every fault; and nothing in any log."""

from typing import Any

import httpx
import pytest

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.demo import prepare_market
from services.cli.stack import get, url
from tests.support.builders import health_order
from tests.support.running import eventually
from tests.support.system import heads

pytestmark = pytest.mark.xdist_group("stack")


def asked(stack: Stack, order: dict[str, Any]) -> httpx.Response:
    """The answer to a trial of channel `summit`."""
    body = {"channel": "summit", "order": order}
    return httpx.post(f"{url(stack, ServiceName.QUOTE)}/trial-premium", json=body, timeout=30)


async def test_a_trial_is_priced_and_writes_nothing(stack: Stack) -> None:
    await prepare_market(stack, ["summit"])

    async def on_sale() -> bool:
        return any(row["code"] == "health-basic" for row in get(stack, ServiceName.QUOTE, "/products"))

    await eventually(on_sale, "health-basic is in the catalogue")
    before = await heads(stack)
    unpriced = {name: value for name, value in health_order().items() if name not in {"order_no", "premium_minor"}}
    found = asked(stack, unpriced).json()
    assert (found["outcome"], found["premium_minor"], found["faults"]) == ("accepted", 26_182, [])
    assert found["working"][0]["origin"] == "per-mille rate of Inpatient, age 35"
    assert len(found["frequencies"][3]["instalments"]) == 12
    declined = asked(stack, {**unpriced, "currency": "USD", "book": "other"}).json()
    assert [fault["code"] for fault in declined["faults"]] == ["wrong_currency", "wrong_book"]
    malformed = asked(stack, {**unpriced, "effective": "soon", "currency": 7})
    assert malformed.status_code == 422
    assert {fault["path"] for fault in malformed.json()["faults"]} == {"effective", "currency"}
    assert await heads(stack) == before
