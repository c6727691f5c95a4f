"""What a change of a group's census costs, by HTTP and by command line: worked figure W21, and nothing in any log."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.demo import prepare_market
from services.cli.stack import get, url
from services.demo.raw import RawMessage
from services.quote.product_files import SHIPPED, read_product_file
from tests.support.builders import group_order, member
from tests.support.running import eventually
from tests.support.system import heads, publish_and_settle

pytestmark = pytest.mark.xdist_group("stack")

CODE, CHANNEL = "group-plain", "summit"
CHANGE = {
    "effective": "2026-04-12",
    "joins": [member(number, name=None) for number in (21, 22, 23)],
    "leaves": [{"member_no": "M1"}, {"member_no": "M2"}],
}


def plain_group() -> dict[str, Any]:
    """Inpatient cover at 600.00 a year in class A and 360.00 in B."""
    shipped = read_product_file(SHIPPED / "group-medical.yaml").model_dump(mode="json")
    inpatient = shipped["coverages"][0]
    classes = [{**each, "sums_insured_minor": {"Inpatient": 10_000_000}} for each in shipped["group"]["classes"]]
    rows = [["A", "60000"], ["B", "36000"], ["C", "36000"]]
    tariff = {
        "tables": {"classes": {"columns": [{"fact": "cover_class"}], "rows": rows}},
        "rates": {"Inpatient": {"basis": "minor", "table": "classes"}},
    }
    return {
        **shipped,
        "code": CODE,
        "version": 1,
        "coverages": [inpatient],
        "group": {**shipped["group"], "classes": classes},
        "pricing": {"method": "tariff", "tariff": tariff},
    }


def year_2026(**changes: Any) -> dict[str, Any]:
    census = [member(number, cover_class="A" if number < 5 else "B") for number in range(1, 9)]
    dated = {"effective": "2026-01-01", "placed_at": "2025-12-20T09:00:00Z"}
    return group_order(*census, product=CODE, **{**dated, **changes})


def post(stack: Stack, path: str, body: dict[str, Any]) -> httpx.Response:
    headers = {"Idempotency-Key": f"{CODE}{path}"}
    return httpx.post(f"{url(stack, ServiceName.QUOTE)}{path}", json=body, headers=headers, timeout=30)


async def put_on_sale(stack: Stack) -> None:
    steps: list[tuple[str, dict[str, Any]]] = [
        ("/products", {"by": "Ann", "document": plain_group()}),
        (f"/products/{CODE}/versions/1/approve", {"by": "Bob"}),
        (f"/products/{CODE}/versions/1/publish", {"by": "Ann"}),
    ]
    for path, body in steps:
        answer = post(stack, path, {"why": "test", **body})
        assert answer.is_success, answer.text

    async def known() -> bool:
        return any(one["code"] == CODE and one["state"] == "on-sale" for one in get(stack, "quote", "/products"))

    await eventually(known, f"{CODE} is on sale")


def asked(stack: Stack, **body: Any) -> httpx.Response:
    return post(stack, "/trial-census-change", {"channel": CHANNEL, "change": CHANGE, **body})


def typed(file: Path) -> str:
    """What `pledger census-change` shows."""
    command = [sys.executable, "-m", "services.cli", "census-change", str(file), "--channel", CHANNEL]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def money(found: dict[str, Any]) -> tuple[list[int], int, int, int]:
    assert found["faults"] == []
    items = [item["amount_minor"] for item in found["items"]]
    return items, found["joiners_minor"], found["leavers_minor"], found["amount_minor"]


async def test_a_census_change_is_priced_and_writes_nothing(stack: Stack, tmp_path: Path) -> None:
    await prepare_market(stack, [CHANNEL])
    await put_on_sale(stack)
    order_no = "G-W21"
    for number, premium_minor in ((order_no, 4 * 60_000 + 4 * 36_000), ("G-dear", 1)):
        value = json.dumps(year_2026(order_no=number, contract_no=number, premium_minor=premium_minor)).encode()
        await publish_and_settle(stack, [RawMessage(CHANNEL, number, value, number, "")])
    before = await heads(stack)
    expected = ([26_038] * 3 + [-43_397] * 2, 78_114, 86_794, -8_680)
    assert money(asked(stack, order_no=order_no).json()) == expected
    unplaced = {name: said for name, said in year_2026().items() if name not in {"order_no", "premium_minor"}}
    for version in (None, 1):
        assert money(asked(stack, order=unplaced, product_version=version).json()) == expected

    wrong = asked(stack, order_no=order_no, change={**CHANGE, "leaves": [{"member_no": "M99"}]}).json()
    assert [(fault["code"], fault["path"]) for fault in wrong["faults"]] == [
        ("invalid_field", "change.leaves.0.member_no")
    ]
    malformed = asked(stack, order={**unplaced, "currency": 7}, change={"effective": "soon"})
    assert malformed.status_code == 422
    assert [fault["path"] for fault in malformed.json()["faults"]] == ["currency", "change.effective"]
    assert asked(stack, order_no="unheard-of").status_code == 404
    declined = asked(stack, order_no="G-dear")
    assert (declined.status_code, declined.json()["code"]) == (409, "application_not_accepted")
    assert asked(stack, order=unplaced, product_version=9).status_code == 404
    assert asked(stack).json()["faults"][0]["message"] == "give either order or order_no"

    file = tmp_path / "change.json"
    file.write_text(json.dumps({"order_no": order_no, "change": CHANGE}))
    assert "joiners 781.14, leavers 867.94: the employer is given back 86.80 CNY" in typed(file)
    assert await heads(stack) == before


async def test_a_trial_shows_headcount_and_rates_per_head(stack: Stack) -> None:
    await prepare_market(stack, [CHANNEL])
    order = {name: said for name, said in group_order().items() if name not in {"order_no", "premium_minor"}}
    body = {"channel": CHANNEL, "order": order}
    found = post(stack, "/trial-premium", body).json()
    assert found["census"]["group"] == {"per_head_minor": 35_682, "heads": 6, "premium_minor": 214_093}
    assert found["census"]["cells"][0] == {"cover_class": "A", "band": "31 to 40", "heads": 2, "joiners": 0}
    value = json.dumps(group_order(order_no="G-heads")).encode()
    await publish_and_settle(stack, [RawMessage(CHANNEL, "G-heads", value, "G-heads", "")])
    kept = get(stack, ServiceName.QUOTE, f"/channels/{CHANNEL}/orders/G-heads/working")
    assert kept["census"] == found["census"]
