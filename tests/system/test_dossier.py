"""A contract's dossier from a running stack: sold with evidence, paid, claimed, exported, verified, counted."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts.topics import ServiceName
from contracts.vocabulary.identifiers import contract_id_of, numbering_owner
from infra.servers import data_folder
from infra.stack_file import Stack
from services.cli import app
from services.cli.demo import prepare_market
from services.cli.dossier.document import Dossier, check, collect
from services.cli.keys import public_keys_path
from services.cli.stack import get
from services.demo.raw import Outcome, RawMessage, message_bytes
from services.kernel.proof.signed_note import load_public_keys
from tests.support.builders import health_order
from tests.support.system import publish_and_settle

pytestmark = pytest.mark.xdist_group("stack")

CHANNEL, NUMBER = "evidence-shop", "D-1"
CONTRACT = contract_id_of(numbering_owner(CHANNEL, None), NUMBER)
ORDER = health_order(
    order_no=NUMBER,
    contract_no=NUMBER,
    policyholder_name="王小明",
    campaign="dossier-campaign",
    evidence={
        "source": "clinic leaflet",
        "page_path": "/health-basic/offer",
        "pages": [
            {"page_id": "wording", "version": "2025.2", "sha256": "cd" * 32, "seen_at": health_order()["placed_at"]}
        ],
        "consents": [
            {"purpose": "personal-data", "version": "2", "given": True, "stated_at": health_order()["placed_at"]}
        ],
    },
)


def message(content: dict[str, Any], reference: str) -> RawMessage:
    return RawMessage(CHANNEL, NUMBER, message_bytes(content), reference, Outcome.MATCHED)


@pytest.fixture(scope="module")
async def dossier(stack: Stack) -> Dossier:
    """The dossier of a contract that was ordered, paid and claimed on."""
    await prepare_market(stack, [CHANNEL])
    paid = {
        "type": "payment.reported",
        "schema_version": 1,
        "payment_no": "D-Z1",
        "contract_no": NUMBER,
        "amount_minor": ORDER["premium_minor"],
        "currency": ORDER["currency"],
        "paid_at": "2026-01-01T08:00:00Z",
    }
    loss = {
        "type": "loss.reported",
        "schema_version": 1,
        "notice_no": "D-N1",
        "contract_no": NUMBER,
        "loss_date": ORDER["effective"],
        "reported_at": "2026-02-01T08:00:00Z",
        "currency": ORDER["currency"],
        "lines": [{"line_no": 1, "coverage": ORDER["coverages"][0]["code"], "claimed_minor": 12_345}],
    }
    reused = {**loss, "lines": [{**loss["lines"][0], "claimed_minor": 99_999}]}
    await publish_and_settle(
        stack,
        [message(ORDER, NUMBER)],
        [message(paid, "D-Z1")],
        [message(loss, "D-N1")],
        [message(reused, "D-N1")],
    )
    return collect(stack, CONTRACT, links=50_000, wait_seconds=60)


def test_it_has_the_whole_life_of_the_contract_from_four_services(dossier: Dossier) -> None:
    found = {part.service: {event.type for event in part.events} for part in dossier.parts}
    assert {"quote.product_published", "quote.application_submitted", "quote.premium_rated"} <= found["quote"]
    assert {"policy.payment_awaited", "policy.issued"} <= found["policy"]
    assert {"invoice.issued", "payment.received", "premium.written", "claim.paid"} <= found["billing"]
    assert {"claim.reported", "claim.adjudicated", "claim.closed"} <= found["claims"]


def test_it_is_proved_event_by_event(dossier: Dossier) -> None:
    keys = [key for own in load_public_keys(public_keys_path(data_folder())).values() for key in own]
    verdict = check(dossier, keys)
    assert (verdict.findings, verdict.unproved) == ((), ())
    assert verdict.proved == dossier.events > 15


def test_the_commands_write_and_verify_it(dossier: Dossier, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["dossier", CONTRACT, "--output", str(tmp_path), "--links", "50000"])
    assert done.exit_code == 0, done.output
    for form in ("html", "json"):
        done = CliRunner().invoke(app, ["dossier", "verify", str(tmp_path / f"dossier-{CONTRACT}.{form}")])
        assert (done.exit_code, "intact." in done.output) == (0, True), done.output
    page = (tmp_path / f"dossier-{CONTRACT}.html").read_text("utf-8")
    assert all(words in page for words in ("王小明", "clinic leaflet", "cd" * 32, "123.45 CNY", "D-N1"))


def test_sales_are_counted_by_what_led_to_them(dossier: Dossier, stack: Stack) -> None:
    rows = get(stack, ServiceName.QUOTE, "/campaigns", by=["campaign", "source", "page"], channel=CHANNEL)
    assert [(r["campaign"], r["sale_source"], r["page_path"], r["status"], r["orders"]) for r in rows] == [
        ("dossier-campaign", "clinic leaflet", "/health-basic/offer", "issued", 1)
    ]
    done = CliRunner().invoke(app, ["campaigns", "--channel", CHANNEL])
    assert "dossier-campaign" in done.output, done.output


def test_a_contract_that_nobody_knows_is_said_to_be_none(dossier: Dossier) -> None:
    done = CliRunner().invoke(app, ["dossier", "0000000000000000", "--wait", "0"])
    assert "There is no contract 0000000000000000" in str(done.exception)


def test_the_document_is_plain_json(dossier: Dossier) -> None:
    document = json.loads(dossier.as_json())
    submitted = next(e for e in document["parts"][0]["events"] if e["type"] == "quote.application_submitted")
    assert json.loads(submitted["data"])["order"]["evidence"]["pages"][0]["sha256"] == "cd" * 32
