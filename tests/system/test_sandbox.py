"""A sandbox channel goes the whole way of a real one, is left out of every total, and can be put away."""

import json
import secrets
from typing import Any

import httpx
import pytest

from contracts.topics import PARTITIONS_DEFAULT, ServiceName
from infra.stack_file import Stack
from services.cli.channel import add_channels
from services.cli.demo import prepare_market, settle
from services.cli.stack import answered, get, url
from services.demo.raw import RawMessage
from tests.support.system import audit, notices_of, publish_and_settle
from tests.system.test_order_to_claim import totals

pytestmark = pytest.mark.xdist_group("stack")

PREMIUM_MINOR = 14_410
CLAIMED_MINOR = 9_000


def _order(channel: str, number: str) -> RawMessage:
    content = {
        "type": "order.placed",
        "schema_version": 1,
        "order_no": number,
        "product": "motor-private",
        "book": "fremotor",
        "placed_at": "2026-03-01T09:00:00Z",
        "effective": "2026-03-02",
        "currency": "EUR",
        "premium_minor": PREMIUM_MINOR,
        "coverages": [{"code": "TPLM", "premium_minor": PREMIUM_MINOR}],
        "risk": {
            "line": "motor",
            "driver_age": 44,
            "driver_gender": "F",
            "vehicle_age": 10,
            "vehicle_class": "Cheap",
            "vehicle_power": "P10",
            "fuel": "Regular",
            "usage": "Private",
            "garage": "Street",
            "area": "A2",
            "region": "Paris area",
        },
    }
    return _raw(channel, number, content)


def _loss(channel: str, number: str, **names: Any) -> RawMessage:
    content = {
        "type": "loss.reported",
        "schema_version": 1,
        "notice_no": number,
        "loss_date": "2026-04-01",
        "reported_at": "2026-04-02T09:00:00Z",
        "currency": "EUR",
        "lines": [{"line_no": 1, "coverage": "TPLM", "claimed_minor": CLAIMED_MINOR}],
        **names,
    }
    return _raw(channel, number, content)


def _raw(channel: str, number: str, content: dict[str, Any]) -> RawMessage:
    return RawMessage(channel, number, json.dumps(content).encode(), number, "issued")


async def test_a_trial_is_like_the_real_thing_and_counts_nowhere(stack: Stack) -> None:
    mark = secrets.token_hex(3)
    real, trial = f"shop{mark}", f"shop{mark}-sandbox"
    await prepare_market(stack, [real])
    await add_channels(stack.kafka, [trial])
    await settle(stack)
    await publish_and_settle(stack, [_order(real, "A-1")])
    before = totals(stack)
    # The same order number in the same book: another contract, for it is a trial.
    await publish_and_settle(stack, [_order(trial, "A-1")], [_loss(trial, "L-1", contract_no="A-1", book="fremotor")])
    kinds = [kind for kind, _, _ in await notices_of(stack, trial)]
    assert sorted(kinds) == [
        "notice.claim_decided",
        "notice.claim_paid",
        "notice.claim_registered",
        "notice.invoice_issued",
        "notice.order_accepted",
        "notice.policy_issued",
    ]
    ours, theirs = (get(stack, ServiceName.POLICY, f"/channels/{channel}/orders/A-1") for channel in (real, trial))
    assert (ours["test"], theirs["test"]) == (False, True)
    assert ours["contract_id"] != theirs["contract_id"]
    assert totals(stack) == before
    assert _of(trial, get(stack, ServiceName.QUOTE, "/campaigns", by="channel")) == []
    assert _of(trial, get(stack, ServiceName.QUOTE, "/campaigns", by="channel", channel=trial))[0]["orders"] == 1
    (written,) = _of(trial, get(stack, ServiceName.POLICY, "/written-premium", test=True), coverage="*")
    assert written["premium_minor"] == PREMIUM_MINOR
    assert _of(trial, get(stack, ServiceName.QUOTE, "/order-outcomes", test=True))[0]["outcome"] == "accepted"

    # Neither side finds the other's policies, though a policy number says all that is needed.
    await publish_and_settle(
        stack,
        [_loss(trial, "L-2", policy_no=ours["policy_no"]), _loss(real, "L-3", policy_no=theirs["policy_no"])],
    )
    declined = _of(real, get(stack, ServiceName.CLAIMS, "/claim-totals")) + _of(
        trial, get(stack, ServiceName.CLAIMS, "/claim-totals", test=True), decision="declined"
    )
    assert [row["reason_code"] for row in declined] == ["policy_unknown", "policy_unknown"]

    await _clear(stack, trial)
    _assert_put_away(stack, trial, theirs["contract_id"])
    history = get(stack, ServiceName.POLICY, f"/contracts/{theirs['contract_id']}/history")
    assert [entry["type"] for entry in history] == ["policy.issued"]
    assert get(stack, ServiceName.POLICY, f"/channels/{real}/orders/A-1") == ours
    await audit(stack)


def _assert_put_away(stack: Stack, channel: str, contract_id: str) -> None:
    for service, path in (
        (ServiceName.POLICY, f"/channels/{channel}/orders/A-1"),
        (ServiceName.QUOTE, f"/channels/{channel}/orders/A-1"),
        (ServiceName.BILLING, f"/accounts/{contract_id}"),
        (ServiceName.BILLING, f"/accounts/{contract_id}/postings"),
    ):
        answer = _asked(stack, service, path)
        assert answer.status_code == httpx.codes.NOT_FOUND, f"{path}: {answer.text}"
    for service, path in (
        (ServiceName.POLICY, "/written-premium"),
        (ServiceName.QUOTE, "/order-outcomes"),
        (ServiceName.CLAIMS, "/claim-totals"),
        (ServiceName.BILLING, "/invoice-counts"),
    ):
        assert _of(channel, get(stack, service, path, test=True)) == []


async def test_real_business_cannot_be_put_away(stack: Stack) -> None:
    answer = _ask_to_clear(stack, "river")
    assert answer.status_code == httpx.codes.CONFLICT
    assert "river is no sandbox, whose code ends in -sandbox" in answer.text


def _asked(stack: Stack, service: str, path: str) -> httpx.Response:
    return httpx.get(f"{url(stack, service)}{path}")


def _of(channel: str, rows: list[dict[str, Any]], **where: str) -> list[dict[str, Any]]:
    wanted = {"channel": channel, **where}
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


async def _clear(stack: Stack, channel: str) -> None:
    assert len(answered(_ask_to_clear(stack, channel))) == PARTITIONS_DEFAULT
    await settle(stack)


def _ask_to_clear(stack: Stack, channel: str) -> httpx.Response:
    return httpx.post(
        f"{url(stack, ServiceName.QUOTE)}/sandboxes/{channel}/clear",
        json={"cleared_by": "Wang Min", "reason": "the trial is over"},
        headers={"Idempotency-Key": secrets.token_hex(8)},
    )
