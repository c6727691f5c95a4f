"""The shipped products, and what a product file must be."""

from datetime import date
from pathlib import Path

import pytest

from contracts.vocabulary.products import ProductLine, SettlementMethod
from services.quote.domain.products import RULES_BY_LINE
from services.quote.domain.products.reading import InvalidDocument
from services.quote.product_files import SHIPPED, read_product_file, shipped_products


def test_both_shipped_products_are_valid() -> None:
    health, motor = shipped_products()
    assert (health.code, health.settlement) == ("health-basic", SettlementMethod.PAY_BEFORE_COVER)
    assert (motor.code, motor.book, motor.on_sale_from) == ("motor-private", "fremotor", date(2002, 1, 1))
    assert " ".join(coverage.code for coverage in motor.coverages) == (
        "Windscreen DamAll Fire Acc1 Acc2 Legal TPLM TPLV Serv Theft"
    )


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
