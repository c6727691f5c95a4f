"""An order is referred, an underwriter counters, the customer takes it, pays, and has a policy on the new terms."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import yaml

from contracts.topics import ServiceName
from contracts.vocabulary.identifiers import person_digest
from infra.stack_file import Stack
from services.cli.channel import add_channels
from services.cli.console import Failure
from services.cli.demo import settle
from services.cli.products import draft_document, take_step
from services.cli.stack import answered, get, url
from services.demo.raw import RawMessage, message_bytes
from services.kernel import clock
from services.quote.domain.products.reading import read_document
from services.quote.product_files import SHIPPED
from tests.support.builders import ADULT, health_order
from tests.support.running import eventually
from tests.support.system import audit, notices_of, publish_and_settle

pytestmark = pytest.mark.xdist_group("stack")

CHANNEL, PRODUCT = "referring", "health-referred"
CUSTOMER = person_digest("CN", "ID", "11010519491231002X")
SANDBOXED = person_digest("CN", "ID", "110105194912310048")
BOTH = person_digest("CN", "ID", "110105194912310056")
LISTED = person_digest("CN", "ID", "110105194912310021")
RULES = [
    {
        "code": "high-sum",
        "when": {"fact": "order.sum_insured_minor.Inpatient", "at_least": 50_000_000},
        "outcome": "refer",
        "reason": {"en": "the sum insured needs an underwriter", "zh": "保额较高需人工核保"},
    },
    {
        "code": "double",
        "when": {"fact": "customer.same_product", "at_least": 1},
        "outcome": "refer",
        "reason": {"en": "the customer has this product already", "zh": "客户已持有同款产品"},
    },
    {
        "code": "smoker",
        "when": {"fact": "smoker", "equals": "yes"},
        "outcome": "load",
        "percent": "25",
        "reason": {"en": "smoker", "zh": "吸烟"},
    },
]
AUTHORITY = [{"level": 1, "premium_minor": 100_000}, {"level": 2}]


def post(stack: Stack, path: str, **body: Any) -> list[str]:
    """Types of the events of a command. Fails with the problem's sentence."""
    key = f"{path}-{sorted(body.items())}".replace(" ", "")[-128:].encode("ascii", "ignore").decode()
    answer = httpx.post(f"{url(stack, 'quote')}{path}", json=body, headers={"Idempotency-Key": key}, timeout=60)
    events: list[str] = answered(answer)["events"]
    return events


def message(content: dict[str, Any]) -> RawMessage:
    number = content.get("order_no") or content["payment_no"]
    return RawMessage(CHANNEL, content.get("contract_no") or number, message_bytes(content), number, "")


def order(number: str, insured: int, premium: int, **changes: Any) -> RawMessage:
    fields = {
        "order_no": number,
        "product": PRODUCT,
        "premium_minor": premium,
        "coverages": [{"code": "Inpatient", "sum_insured_minor": insured}],
        "risk": {"line": "health", "insureds": [ADULT]},
    }
    return message(health_order(**{**fields, **changes}))


def soon(**person: Any) -> dict[str, Any]:
    """An order of today for a person of 35: an offer cannot be taken once its cover would have started."""
    now = clock.now()
    adult = {**ADULT, "birth_date": f"{now.year - 35}-01-15", **person}
    return {
        "placed_at": now.isoformat(),
        "effective": (now + timedelta(days=30)).date().isoformat(),
        "risk": {"line": "health", "insureds": [adult]},
    }


def payment(number: str, amount_minor: int) -> RawMessage:
    fields = {"type": "payment.reported", "schema_version": 1, "payment_no": f"P-{number}", "contract_no": number}
    return message({**fields, "amount_minor": amount_minor, "currency": "CNY", "paid_at": "2025-12-21T10:00:00Z"})


def referral(stack: Stack, number: str) -> dict[str, Any]:
    found: dict[str, Any] = get(stack, ServiceName.QUOTE, f"/referrals/{CHANNEL}/{number}")
    return found


@pytest.fixture(scope="module")
async def market(stack: Stack) -> Stack:
    """The product on sale, the channel, two underwriters and one blacklisted person."""
    shipped = yaml.safe_load((SHIPPED / "health-basic.yaml").read_text(encoding="utf-8"))
    draft = read_document({**shipped, "code": PRODUCT, "underwriting": RULES, "referrals": {"authority": AUTHORITY}})
    draft_document(stack, draft, "product staff", "a product that refers")
    take_step(stack, PRODUCT, 1, "approve", by="reviewer", why="good")
    take_step(stack, PRODUCT, 1, "publish", by="product staff", why="launch")
    for name, level in (("li", 1), ("wang", 2)):
        post(stack, f"/underwriters/{name}/appoint", level=level, by="head", reason="trained")
    post(stack, "/blacklist/add", kind="document", subject=LISTED, by="legal", reason="fraud")
    await add_channels(stack.kafka, [CHANNEL])

    async def known() -> bool:
        return (
            PRODUCT in {one["code"] for one in get(stack, ServiceName.QUOTE, "/products")}
            and len(get(stack, ServiceName.QUOTE, "/underwriters")) == 2
            and len(get(stack, ServiceName.QUOTE, "/blacklist")) == 1
        )

    await eventually(known, "product, underwriters and blacklist are known")
    return stack


async def test_a_counter_offer_is_taken_and_becomes_a_policy(market: Stack) -> None:
    await publish_and_settle(market, [order("R-1", 50_000_000, 130_910, **soon())])
    assert (referral(market, "R-1")["state"], referral(market, "R-1")["level_needed"]) == ("referred", 2)
    path = f"/referrals/{CHANNEL}/R-1"
    assert post(market, f"{path}/assign", by="head", underwriter="li") == ["quote.referral_assigned"]
    with pytest.raises(Failure, match="need authority level 2; li has level 1"):
        post(market, f"{path}/accept", by="li", reason="good risk")
    loading = {"percent": "10", "coverages": ["Inpatient"]}
    assert post(market, f"{path}/counter", by="wang", reason="history", loadings=[loading]) == ["quote.counter_offered"]
    taken = ["quote.counter_offer_taken", "quote.application_accepted"]
    assert post(market, f"{path}/take", by="Zhang San") == taken
    # 1,309.10 and 10 % of it
    await publish_and_settle(market, [payment("R-1", 144_001)])
    found = get(market, ServiceName.QUOTE, f"/channels/{CHANNEL}/orders/R-1")
    assert (found["status"], found["premium_minor"]) == ("issued", 144_001)
    policy = get(market, ServiceName.POLICY, f"/policies/{found['policy_no']}")
    assert policy["premium_minor"] == 144_001
    heard = [kind for kind, notice, _ in await notices_of(market, CHANNEL) if notice.get("order_no") == "R-1"]
    assert heard == [
        "notice.order_referred",
        "notice.counter_offered",
        "notice.order_accepted",
        "notice.invoice_issued",
        "notice.policy_issued",
    ]
    await audit(market)


async def test_another_contract_of_the_customer_and_the_blacklist_are_looked_up(market: Stack) -> None:
    first = order("R-2", 10_000_000, 26_182, policyholder_id=CUSTOMER)
    second = order("R-3", 10_000_000, 26_182, policyholder_id=CUSTOMER)
    listed = order("R-4", 10_000_000, 26_182, policyholder_id=LISTED)
    await publish_and_settle(market, [first], [second, listed])
    orders = {no: get(market, ServiceName.QUOTE, f"/channels/{CHANNEL}/orders/{no}") for no in ("R-2", "R-3", "R-4")}
    assert {no: one["status"] for no, one in orders.items()} == {
        "R-2": "accepted",
        "R-3": "referred",
        "R-4": "declined",
    }
    assert referral(market, "R-3")["reasons"][0]["facts"] == {"customer.same_product": 1}


async def test_orders_of_one_batch_see_each_other_and_an_offer_taken_later_is_found(market: Stack) -> None:
    # 372.06 for the smoker, with 25 % more on offer; 261.82 for who does not smoke.
    offered = order("O-1", 10_000_000, 37_206, policyholder_id=BOTH, **soon(smoker=True))
    await publish_and_settle(market, [offered])
    beside = [order(f"O-{n}", 10_000_000, 26_182, policyholder_id=BOTH, **soon()) for n in (2, 3)]
    await publish_and_settle(market, beside)
    found = {no: get(market, ServiceName.QUOTE, f"/channels/{CHANNEL}/orders/{no}") for no in ("O-2", "O-3")}
    assert sorted(one["status"] for one in found.values()) == ["accepted", "referred"]
    accepted = next(no for no, one in found.items() if one["status"] == "accepted")
    assert get(market, ServiceName.QUOTE, "/overlaps") == []
    post(market, f"/referrals/{CHANNEL}/O-1/take", by="Zhang San")
    await settle(market)
    (overlap,) = get(market, ServiceName.QUOTE, "/overlaps")
    assert (overlap["order_no"], overlap["others"]) == ("O-1", [f"{CHANNEL}/{accepted}"])
    assert [rule["code"] for rule in overlap["rules"]] == ["double"]


async def test_a_sandboxs_referral_waits_apart_and_is_put_away(market: Stack) -> None:
    sandbox = f"{CHANNEL}-sandbox"
    await add_channels(market.kafka, [sandbox])
    await publish_and_settle(market, [order("R-5", 10_000_000, 26_182, policyholder_id=SANDBOXED)])
    tried = order("R-6", 50_000_000, 130_910, policyholder_id=SANDBOXED)
    await publish_and_settle(market, [replace(tried, channel=sandbox)])
    (waiting,) = [one for one in queue(market, test=True) if one["channel"] == sandbox]
    # Not for the real contract that the same person has.
    assert [reason["code"] for reason in waiting["reasons"]] == ["high-sum"]
    assert sandbox not in {one["channel"] for one in queue(market, test=False)}
    clear(market, sandbox)
    await settle(market)
    assert sandbox not in {one["channel"] for one in queue(market, test=True)}


def queue(stack: Stack, *, test: bool) -> list[dict[str, Any]]:
    """Who waits, of the sandboxes or without them."""
    found: list[dict[str, Any]] = get(stack, ServiceName.QUOTE, "/referrals", test=test)
    return found


def clear(stack: Stack, sandbox: str) -> None:
    """Put away what the sandbox did."""
    body = {"cleared_by": "head", "reason": "tried"}
    address = f"{url(stack, 'quote')}/sandboxes/{sandbox}/clear"
    answered(httpx.post(address, json=body, headers={"Idempotency-Key": f"clear-{sandbox}"}, timeout=60))
