"""Variants: a clone is its model with a few things said otherwise, and what differs is told path by path."""

from typing import Any

import pytest

from services.quote.domain.products.cloning import clone, value_at
from services.quote.domain.products.comparing import Difference, differences
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.launch import Coinsured, Coinsurer, Requirement
from services.quote.domain.products.reading import InvalidDocument
from tests.unit.quote.orders import VERSIONS

MOTOR, HEALTH = VERSIONS["motor-private"].document, VERSIONS["health-basic"].document
SHARES = Coinsured(
    leader=Coinsurer(insurer="Alpha", share_bp=6_000), followers=(Coinsurer(insurer="Beta", share_bp=4_000),)
)


def variant(changes: dict[str, Any], model: ProductDocument = MOTOR, *, sold: bool = True) -> ProductDocument:
    return clone(model, code="variant", version=1, sold=sold, changes=changes)


def path_of(document: ProductDocument) -> str | None:
    return None if document.requirement is None else document.requirement.path


def paths_of(error: InvalidDocument) -> list[str]:
    return [fault.path for fault in error.faults]


def test_a_coinsured_variant_is_its_model_with_shares() -> None:
    made = clone(MOTOR, code="motor-shared", version=3, sold=True, changes={"title.en": "Shared"}, coinsured=SHARES)
    assert (made.coinsurance, made.title.en, made.title.zh) == (SHARES, "Shared", MOTOR.title.zh)
    assert [one.path for one in differences(MOTOR, made)] == ["code", "version", "title.en", "coinsurance"]


def test_entries_of_a_list_are_set_by_code_or_by_place() -> None:
    changes = {
        "coverages.Inpatient.mandatory": False,
        "coverages.2.sums_insured_minor": [1_000_000],
        "pricing.tariff.rates.Accident.bands.0.ratio": "0.36",
    }
    made = clone(HEALTH, code="variant", version=1, sold=True, changes=changes)
    assert differences(HEALTH, made)[1:] == (
        Difference("coverages.Inpatient.mandatory", True, False),
        Difference("coverages.Accident.sums_insured_minor", [5_000_000, 10_000_000, 30_000_000], [1_000_000]),
        Difference("pricing.tariff.rates.Accident.bands.0.ratio", "0.35", "0.36"),
    )


def test_paths_that_lead_nowhere_are_all_told() -> None:
    with pytest.raises(InvalidDocument) as error:
        variant({"coverages.Hull.mandatory": True, "colour.dark": 1, "coverages.99": {}})
    assert paths_of(error.value) == ["coverages.Hull.mandatory", "colour.dark", "coverages.99"]


def test_a_name_that_no_document_has_is_a_fault_of_the_result() -> None:
    with pytest.raises(InvalidDocument) as error:
        variant({"colour": "red", "split.tax_bp": 251})
    assert sorted(paths_of(error.value)) == ["colour", "split"]


def test_a_variant_of_what_was_sold_takes_the_short_path_unless_told_otherwise() -> None:
    paper = Requirement(reference="PRD-7", content_sha256="0" * 64)
    model = MOTOR.model_copy(update={"requirement": paper})
    assert path_of(variant({}, model)) == "short"
    assert path_of(variant({}, model, sold=False)) == "full"
    assert path_of(variant({"requirement.path": "full"}, model)) == "full"


def test_what_is_absent_on_one_side_is_a_difference() -> None:
    fewer = MOTOR.model_copy(update={"coverages": MOTOR.coverages[1:], "channels": ("river",)})
    found = {one.path: (one.before, one.after) for one in differences(MOTOR, fewer)}
    assert set(found) == {"coverages.Windscreen", "channels"}
    assert found["coverages.Windscreen"][1] is None
    assert found["channels"] == (None, ["river"])
    assert differences(MOTOR, MOTOR) == ()


def test_a_value_is_found_by_its_path() -> None:
    content = MOTOR.model_dump(mode="json")
    assert value_at(content, "coverages.Fire.title.zh") == "火灾"
    assert value_at(content, "coverages.Hull.title") is None
    assert value_at(content, "term_months.days") is None
