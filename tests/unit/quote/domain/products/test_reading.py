"""Product documents: shape and sense, with every fault and its path."""

import json
from typing import Any

import pytest

from contracts.vocabulary.faults import Fault
from services.quote.domain.products.reading import InvalidDocument, read_document
from services.quote.product_files import shipped_products

PRODUCTS = {document.code: document for document in shipped_products()}


def content(code: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PRODUCTS[code].canonical())
    return found


def faults_of(changed: dict[str, Any]) -> dict[str, Fault]:
    with pytest.raises(InvalidDocument) as error:
        read_document(changed)
    return {fault.path: fault for fault in error.value.faults}


@pytest.mark.parametrize("code", sorted(PRODUCTS))
def test_a_canonical_document_reads_back_as_itself(code: str) -> None:
    assert read_document(content(code)) == PRODUCTS[code]
    assert read_document(content(code)).canonical() == PRODUCTS[code].canonical()


def test_all_faults_of_shape_are_told_at_once() -> None:
    changed = content("health-basic") | {"currency": "yuan", "colour": "red", "version": 0, "term_months": "12"}
    del changed["title"]
    assert set(faults_of(changed)) == {"currency", "colour", "version", "term_months", "title"}


def test_a_premium_split_must_be_the_whole() -> None:
    changed = content("motor-private")
    changed["split"]["tax_bp"] = 251
    assert "10000" in faults_of(changed)["split"].message


def test_a_rate_written_as_a_number_is_refused_with_its_path() -> None:
    changed = content("health-basic")
    changed["pricing"]["tariff"]["rates"]["Accident"]["bands"][0]["ratio"] = 0.35
    (path,) = faults_of(changed)
    assert path == "pricing.tariff.rates.Accident.bands.0.ratio"


def test_a_path_is_the_authors_even_where_a_method_and_a_field_share_a_name() -> None:
    changed = content("health-basic")
    changed["pricing"]["tariff"]["colour"] = "red"
    changed["pricing"]["colour"] = "red"
    assert set(faults_of(changed)) == {"pricing.colour", "pricing.tariff.colour"}


def test_a_document_of_unknown_method_is_refused_with_its_path() -> None:
    changed = content("motor-private")
    changed["pricing"]["method"] = "guessed"
    assert "quoted, tariff" in faults_of(changed)["pricing.method"].message


def test_parts_that_do_not_fit_each_other_are_told_at_once() -> None:
    changed = content("health-basic")
    changed["on_sale_until"] = "2023-12-31"
    changed["coverages"].append(changed["coverages"][0])
    changed["underwriting"] = [
        {"fact": "bonus_malus", "at_most": 100},
        {"fact": "age"},
        {"fact": "gender", "at_most": 1},
    ]
    tariff = changed["pricing"]["tariff"]
    tariff["rates"]["Dental"] = tariff["rates"].pop("Outpatient")
    tariff["rates"]["Accident"]["bands"] = [
        {"at_least": 0, "at_most": 20, "ratio": "1"},
        {"at_least": 20, "at_most": 10, "ratio": "1"},
    ]
    tariff["factors"][0]["fact"] = "colour"
    tariff["factors"][1]["coverages"] = ["Dental"]
    assert set(faults_of(changed)) == {
        "on_sale_until",
        "coverages.3.code",
        "underwriting.0.fact",
        "underwriting.1",
        "underwriting.2.fact",
        "pricing.tariff.rates",
        "pricing.tariff.rates.Dental",
        "pricing.tariff.rates.Accident.bands.1",
        "pricing.tariff.factors.0.fact",
        "pricing.tariff.factors.1.coverages",
    }


def test_a_per_mille_rate_needs_a_coverage_with_a_sum_insured() -> None:
    changed = content("health-basic")
    changed["coverages"][2]["sums_insured_minor"] = []
    assert set(faults_of(changed)) == {"pricing.tariff.rates.Accident.basis"}


def test_limits_are_for_coverages_of_the_plan() -> None:
    changed = content("motor-private")
    changed["pricing"]["limits"] = {"Hull": {"at_most_minor": 1}}
    assert set(faults_of(changed)) == {"pricing.limits.Hull"}


def test_a_document_has_a_largest_size() -> None:
    changed = content("health-basic")
    factor = {"kind": "value", "name": "smoker", "fact": "smoker", "values": {f"{i:090}": "1.1" for i in range(1_000)}}
    changed["pricing"]["tariff"]["factors"] = [factor, factor]
    assert "at most 100000 are published" in faults_of(changed)[""].message


def test_a_category_of_a_factor_holds_no_control_characters() -> None:
    changed = content("health-basic")
    changed["pricing"]["tariff"]["factors"][0]["values"]["\0"] = "1.1"
    assert list(faults_of(changed)) == ["pricing.tariff.factors.0.values.?"]


def test_titles_hold_no_control_characters() -> None:
    changed = content("motor-private")
    changed["title"]["en"] = "Private\x00motor"
    assert set(faults_of(changed)) == {"title.en"}
