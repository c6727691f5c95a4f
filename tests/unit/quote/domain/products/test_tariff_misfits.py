"""What a tariff cannot be published with: gaps, overlaps, unknown facts, rows never reached; each with its path."""

from typing import Any

import pytest

from services.quote.domain.products.reading import InvalidDocument, read_document
from tests.support.deep_health import deep_health, deep_health_content


def faults_of(**parts: Any) -> dict[str, str]:
    """Path below the tariff and sentence of each fault of the deep tariff with these parts exchanged."""
    content = deep_health_content()
    content["pricing"]["tariff"].update(parts)
    with pytest.raises(InvalidDocument) as error:
        read_document(content)
    return {fault.path.removeprefix("pricing.tariff."): fault.message for fault in error.value.faults}


def faults_of_table(columns: list[dict[str, str]], *rows: list[str]) -> dict[str, str]:
    """As above, of one table that prices dental treatment; paths below the table."""
    tables = {**deep_health_content()["pricing"]["tariff"]["tables"], "dental": {"columns": columns, "rows": rows}}
    return {path.removeprefix("tables.dental."): message for path, message in faults_of(tables=tables).items()}


AGE = {"fact": "age", "match": "band"}
GENDER = {"fact": "gender"}


def test_the_deep_product_is_valid_and_reads_back_as_itself() -> None:
    document = deep_health()
    assert read_document(document.model_dump(mode="json")) == document
    assert read_document(document.model_dump(mode="json")).canonical() == document.canonical()


def test_a_gap_between_bands_of_a_table_is_named() -> None:
    found = faults_of_table([AGE, GENDER], ["0-17", "*", "1"], ["18-65", "F", "2"], ["18-40", "M", "3"])
    assert found == {"rows": "there is a gap: no row holds for age 41 to 65, gender M; add one"}


def test_what_underwriting_accepts_must_have_a_rate() -> None:
    found = faults_of_table([AGE], ["1-60", "1"])
    assert found == {"rows": "there is a gap: no row holds for age 61 to 65; add one"}


def test_many_gaps_are_counted() -> None:
    rows = [[str(age), "1"] for age in range(0, 66, 2)]
    assert faults_of_table([AGE], *rows) == {"rows": "28 more gaps are not listed; mend these first"}


def test_rows_that_overlap_are_named_with_what_both_hold_for() -> None:
    found = faults_of_table([AGE, GENDER], ["0-40", "*", "1"], ["41-65", "*", "2"], ["30-35", "F", "3"])
    assert found == {"rows.2": "overlaps row 0: both hold for age 30 to 35, gender F; keep one of them"}


def test_a_row_that_no_order_can_reach_is_named() -> None:
    found = faults_of_table([AGE, GENDER], ["0-65", "*", "1"], ["66-70", "F", "2"], ["66+", "X", "2"])
    assert found == {
        "rows.1": "can never be reached: underwriting accepts age 0 to 65",
        "rows.2": "can never be reached: gender is one of F, M, never X",
    }


def test_a_curve_reaches_from_the_first_to_the_last_accepted_number() -> None:
    found = faults_of_table([{"fact": "age", "match": "point"}], ["5", "1"], ["60", "2"], ["60", "3"])
    assert found == {
        "rows.2": "overlaps row 1: both hold for everybody, age 60; keep one of them",
        "rows": "age is accepted up to 65; the last point is 60",
    }


def test_cells_that_cannot_be_read_are_told_before_the_rest() -> None:
    columns = [AGE, {"fact": "sum_insured_minor", "match": "point"}]
    rows = (["17-0", "1", "1"], ["young", "1-2", "1"], ["0-65", "1"], ["0-65", "1", "1,5"], ["0-65", "2", "0"])
    assert faults_of_table(columns, *rows) == {
        "rows.0.0": "the band ends at 0, below its beginning 17",
        "rows.1.0": 'must be a band such as "18-30", "61+", "7" or "*"',
        "rows.1.1": "must be one whole number; the ratio between two points is interpolated",
        "rows.2": "has 2 cells; give one for each column and the ratio, 3 in all",
        "rows.3.2": 'must be a decimal number in quotes, such as "1.25"',
        "rows.4.2": "must be above zero; leave out what is not rated",
    }


def test_columns_ask_for_facts_of_the_line_once() -> None:
    columns = [AGE, AGE, {"fact": "gender", "match": "point"}, {"fact": "colour"}]
    found = faults_of_table(columns, ["0-65", "0-65", "1", "red", "1"])
    assert sorted(found) == ["columns.1.fact", "columns.2.fact", "columns.3.fact"]
    assert "age, age_days, gender, smoker" in found["columns.3.fact"]


def test_a_table_of_too_many_cells_is_refused() -> None:
    columns = [{"fact": fact, "match": "band"} for fact in ("sum_insured_minor", "insured_count")]
    rows = [row for number in range(300) for row in ([str(number), "*", "1"], ["*", str(number), "1"])]
    found = faults_of_table(columns, *rows)
    assert found == {"tables.dental": "the rows cut the columns into more than 100000 cells; split the table"}


@pytest.mark.parametrize(
    ("bands", "path", "sentence"),
    [
        ([(0, 30), (32, 65)], "1", "there is a gap before it: age 31 to 31 has no rate"),
        ([(5, 65)], "0", "underwriting accepts age from 0 on"),
        ([(0, 60)], "0", "underwriting accepts age up to 65"),
        ([(0, 65), (66, 70)], "1", "can never be reached: underwriting accepts age 0 to 65 only"),
    ],
)
def test_bands_have_no_gaps_and_no_row_in_vain(bands: list[tuple[int, int]], path: str, sentence: str) -> None:
    listed = [{"at_least": low, "at_most": high, "ratio": "1"} for low, high in bands]
    factor = {"kind": "band", "name": "age", "fact": "age", "bands": listed}
    assert faults_of(factors=[factor], tables=used_tables())[f"factors.0.bands.{path}"].startswith(sentence)


def used_tables() -> dict[str, Any]:
    """The tables that are in use where the deep product has no factors."""
    tables = deep_health_content()["pricing"]["tariff"]["tables"]
    return {name: table for name, table in tables.items() if name not in {"large-sum", "package", "instalments"}}


def test_a_category_that_no_order_can_tell_is_named() -> None:
    factor = {"kind": "value", "name": "gender", "fact": "gender", "values": {"F": "1", "M": "1", "female": "2"}}
    assert faults_of(factors=[factor], tables=used_tables()) == {
        "factors.0.values": "can never be reached: gender is one of F, M, never female"
    }


def test_a_rate_is_given_in_one_way() -> None:
    rates = deep_health_content()["pricing"]["tariff"]["rates"]
    band = {"at_least": 0, "at_most": 65, "ratio": "1"}
    rates["Dental"] = {"basis": "minor", "table": "dental", "amount": "1"}
    rates["Accident"] = {"basis": "per-mille", "bands": [band]}
    rates["CriticalIllness"] = {"basis": "per-mille", "fact": "age"}
    assert {"rates.Dental", "rates.Accident.fact", "rates.CriticalIllness.bands"} <= faults_of(rates=rates).keys()


def test_tables_are_those_that_are_used() -> None:
    factors = [{"kind": "table", "name": "zone", "table": "zone"}]
    found = faults_of(factors=factors)
    assert found["factors.0.table"] == "there is no table zone; add it to tables or correct the name"
    assert found["tables.package"] == "no rate, factor or loading uses this table; use it or remove it"


def test_parts_for_coverages_that_are_not_in_the_plan_are_named() -> None:
    found = faults_of(
        loadings=[{"name": "a", "percent": "1", "coverages": ["Hull"]}],
        discounts=[{"kind": "family", "name": "b", "steps": [{"at_least": 2, "percent": "1"}], "coverages": ["Hull"]}],
        minimum={"per_coverage_minor": {"Hull": 1}},
    )
    assert {"loadings.0.coverages", "discounts.0.coverages", "minimum.per_coverage_minor.Hull"} <= found.keys()


def test_a_loading_has_one_amount_and_a_discount_leaves_something() -> None:
    steps = [{"at_least": 4, "percent": "5"}, {"at_least": 4, "percent": "100"}]
    found = faults_of(
        loadings=[{"name": "a"}, {"name": "b", "percent": "1", "amount_minor": 1}],
        discounts=[{"kind": "family", "name": "c", "steps": steps}],
    )
    assert {
        "loadings.0",
        "loadings.1",
        "discounts.0.steps.1.at_least",
        "discounts.0.steps.1.percent",
    } <= found.keys()


@pytest.mark.parametrize(
    ("percents", "path"),
    [
        (["10", "20"], "short_period.percents"),
        ([*(str(10 * month) for month in range(1, 11)), "100", "100", "100"], "short_period.percents.12"),
        (["10", "9", *["50"] * 10], "short_period.percents.1"),
        ([*["50"] * 11, "101"], "short_period.percents.11"),
    ],
)
def test_a_short_scale_has_every_month_and_rises(percents: list[str], path: str) -> None:
    assert list(faults_of(short_period={"method": "months-begun", "percents": percents})) == [path]


def test_every_level_of_a_no_claims_scale_has_its_ratio_and_no_other() -> None:
    levels = {str(level): "1" for level in (-5, -4, -3, -2, -1, 0, 1, 2, 3, 4)}
    factor = {"kind": "no-claims", "name": "NCD", "claims": "claims", "years": "gender", "levels": levels}
    assert faults_of(factors=[factor], tables=used_tables()).keys() == {
        "factors.0.claims",
        "factors.0.years",
        "factors.0.levels",
        "factors.0.levels.-5",
    }
