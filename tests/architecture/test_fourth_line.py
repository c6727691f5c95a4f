"""A fourth line, return freight, is added to a copy of the project: three new files, and no file of it changes.

What is insured, its facts for tariffs, and a product document: each is found by its name.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.planting import copy_of_the_project
from tests.architecture.sources import ROOT

SECONDS_MAX = 120
RISK_MODULE = '''"""Return freight: a parcel that may be sent back."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.vocabulary.risk import Risk


class ReturnFreightRisk(Risk):
    """A parcel, by what was ordered and how often its buyer sends things back."""

    line: Literal["return-freight"]
    order_value: Annotated[int, Field(ge=1, le=10_000)]
    return_rate: Literal["low", "middle", "high"]


RISK = ReturnFreightRisk
'''
LINE_MODULE = '''"""Return freight: a parcel, by the value of its order and the buyer's habit of sending back."""

from datetime import date

from contracts.vocabulary.lines.return_freight import ReturnFreightRisk
from services.quote.domain.products.rules import Fact, LineRules, Subject


def _subjects(risk: ReturnFreightRisk, effective: date) -> tuple[Subject, ...]:
    return (Subject("risk", {"order_value": risk.order_value, "return_rate": risk.return_rate}),)


RULES = LineRules(
    facts={"order_value": Fact("order_value", numeric=True), "return_rate": Fact("return_rate")},
    subjects=_subjects,
)
'''
DOCUMENT = """
code: return-freight
version: 1
title: {en: Return freight, zh: 退货运费险}
line: return-freight
currency: CNY
on_sale_from: 2024-01-01
term_months: 1
settlement: per-order
frequencies: [annual]
split: {insurer_bp: 7000, commission_bp: 2400, platform_fee_bp: 0, tax_bp: 600}
coverages:
  - code: Freight
    title: {en: Freight of the parcel sent back, zh: 退货运费}
    class_of_business: credit-and-other
    mandatory: true
    sums_insured_minor: [1200]
pricing:
  method: tariff
  tariff:
    rates:
      Freight:
        basis: minor
        fact: order_value
        bands:
          - {at_least: 1, at_most: 99, ratio: "40"}
          - {at_least: 100, at_most: 499, ratio: "65"}
          - {at_least: 500, at_most: 10000, ratio: "95"}
    factors:
      - {kind: value, name: habit, fact: return_rate, values: {low: "0.8", middle: "1", high: "2.6"}}
"""
ORDER: dict[str, Any] = {
    "type": "order.placed",
    "schema_version": 1,
    "order_no": "F-1",
    "product": "return-freight",
    "placed_at": "2025-12-20T10:00:00Z",
    "effective": "2026-01-01",
    "currency": "CNY",
    "premium_minor": 169,
    "coverages": [{"code": "Freight"}],
    "risk": {"line": "return-freight", "order_value": 230, "return_rate": "high"},
}
# The four services' rules in memory; prints what happened, event by event.
PROGRAM = """
import json, sys
from tests.unit.demo.in_memory import InMemoryLedger
ledger = InMemoryLedger()
ledger.publish("shop", sys.stdin.buffer.read())
found = {name: [event.model_dump(mode="json") for event in events] for name, events in ledger.events.items()}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the new line."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("fourth-line"))
    shutil.copytree(ROOT / "tests/unit/demo", folder / "tests/unit/demo", ignore=shutil.ignore_patterns("__pycache__"))
    products = folder / "services/quote/domain/products/return_freight.py"
    products.write_text(LINE_MODULE, encoding="utf-8")
    (folder / "services/quote/products/return-freight.yaml").write_text(DOCUMENT, encoding="utf-8")
    (folder / "contracts/vocabulary/lines/return_freight.py").write_text(RISK_MODULE, encoding="utf-8")
    return folder


def told(folder: Path, order: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The public events that an order leads to in this copy, by type."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(order).encode(),
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def test_an_order_of_the_new_line_is_priced_and_issued(project: Path) -> None:
    # 0.65 for an order of 230 x 2.6 for a buyer who sends much back = 1.69
    events = told(project, ORDER)
    (accepted,) = events["application.accepted"]
    assert (accepted["terms"]["line"], accepted["terms"]["premium_minor"]) == ("return-freight", 169)
    assert accepted["terms"]["coverages"] == [{"code": "Freight", "premium_minor": 169, "sum_insured_minor": 1200}]
    (issued,) = events["policy.issued"]
    assert issued["terms"]["period"] == {"effective": "2026-01-01", "expiry": "2026-02-01"}
    (invoice,) = events["invoice.issued"]
    assert invoice["amount_minor"] == 169


def test_a_wrong_price_of_the_new_line_is_declined(project: Path) -> None:
    events = told(project, {**ORDER, "premium_minor": 168})
    assert [fault["code"] for fault in events["application.declined"][0]["faults"]] == ["price_outside_tolerance"]
    assert "policy.issued" not in events


def test_no_file_of_the_project_was_changed(project: Path) -> None:
    changed = [
        place.relative_to(ROOT).as_posix()
        for part in ("contracts", "services")
        for place in sorted((ROOT / part).rglob("*"))
        if place.suffix in (".py", ".yaml", ".json", ".sql")
        and (project / place.relative_to(ROOT)).read_bytes() != place.read_bytes()
    ]
    assert changed == []
