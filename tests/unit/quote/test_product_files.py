"""The shipped products, and what a product file must be."""

import json
from datetime import date
from pathlib import Path

import pytest

from contracts.vocabulary.lines import ProductLine
from contracts.vocabulary.products import SettlementMethod
from services.quote.domain.products import RULES_BY_LINE
from services.quote.domain.products.coverage import Plan
from services.quote.domain.products.reading import InvalidDocument, read_document
from services.quote.product_files import SHIPPED, read_product_file, shipped_products
from tests.support.golden import GOLDEN


def test_the_shipped_products_are_valid() -> None:
    by_code = {document.code: document for document in shipped_products()}
    assert set(by_code) == {"group-medical", "health-basic", "health-plus", "motor-comprehensive", "motor-private"}
    health, motor = by_code["health-basic"], by_code["motor-private"]
    assert (health.code, health.settlement) == ("health-basic", SettlementMethod.PAY_BEFORE_COVER)
    assert (motor.code, motor.book, motor.on_sale_from) == ("motor-private", "fremotor", date(2002, 1, 1))
    assert " ".join(coverage.code for coverage in motor.coverages) == (
        "Windscreen DamAll Fire Acc1 Acc2 Legal TPLM TPLV Serv Theft"
    )


def test_health_plus_says_the_terms_of_its_medical_cover() -> None:
    """An annual deductible of 10,000; 100 % with social insurance, drugs 80 % up to 8,000; 60 % of all without."""
    plus = next(document for document in shipped_products() if document.code == "health-plus")
    hospital = plus.coverages[0]
    assert hospital.deductible is not None
    assert (hospital.deductible.amount_minor, hospital.deductible.per) == (1_000_000, "year")
    drugs = hospital.benefits[-1]
    steps = [(step.social_insurance, step.pay_ratio_bp, step.limit_minor) for step in (*hospital.pay, *drugs.pay)]
    assert steps == [
        ("used", 10_000, None),
        ("not-used", 6_000, None),
        ("used", 8_000, 800_000),
        ("not-used", 6_000, None),
    ]
    assert (plus.plan.waiting_days, plus.plan.waiting_causes, plus.coverages[5].waiting_days) == (30, "sickness", 0)


def test_a_document_of_before_the_coverage_tree_reads_with_nothing_said() -> None:
    golden = GOLDEN / "log" / "quote" / "quote.product_published.v1.json"
    document = read_document(json.loads(json.loads(golden.read_text("utf-8"))["document"]))
    assert (document.plan, document.disclosures, document.group) == (Plan(), (), None)


def test_every_line_has_rules() -> None:
    assert set(RULES_BY_LINE) == set(ProductLine)


def test_a_name_given_twice_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text((SHIPPED / "motor-private.yaml").read_text("utf-8") + "\nversion: 2\n", "utf-8")
    with pytest.raises(InvalidDocument, match="version is given twice"):
        read_product_file(path)


@pytest.mark.parametrize("text", [b"a: [", b"- 1", b"", b"\xff\xfe"])
def test_a_file_without_a_document_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(text)
    with pytest.raises(InvalidDocument, match=r"broken\.yaml"):
        read_product_file(path)
