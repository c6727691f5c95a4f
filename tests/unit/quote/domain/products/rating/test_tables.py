"""Rate tables: bands, categories, interpolation between points, and no rate where no row holds."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quote.domain.products.rate_table import RateTable, band_of
from services.quote.domain.products.rating.lookup import NoRate, by_table

BY_AGE_AND_GENDER = RateTable.model_validate(
    {
        "columns": [{"fact": "age", "match": "band"}, {"fact": "gender"}],
        "rows": [["0-17", "*", "1.1"], ["18-60", "F", "1.2"], ["18-60", "M", "1.3"], ["61+", "*", "1.4"]],
    }
)
BY_SUM = RateTable.model_validate(
    {
        "columns": [{"fact": "sum_insured_minor", "match": "point"}],
        "rows": [["3000", "1.0"], ["1000", "1.2"], ["10000", "0.9"]],
    }
)
CURVES = RateTable.model_validate(
    {
        "columns": [{"fact": "gender"}, {"fact": "age", "match": "point"}],
        "rows": [["F", "20", "1"], ["F", "23", "2"], ["M", "20", "10"], ["M", "30", "20"]],
    }
)


def found(table: RateTable, **facts: Any) -> tuple[str, str]:
    entry = by_table(table, "rate", "rows")(facts)
    return entry.value, entry.row


@pytest.mark.parametrize(
    ("age", "gender", "value", "row"),
    [
        (0, "M", "1.1", "rows.0"),
        (17, "F", "1.1", "rows.0"),
        (18, "F", "1.2", "rows.1"),
        (60, "M", "1.3", "rows.2"),
        (61, "X", "1.4", "rows.3"),
        (130, "F", "1.4", "rows.3"),
    ],
)
def test_the_row_that_holds_gives_the_ratio(age: int, gender: str, value: str, row: str) -> None:
    assert found(BY_AGE_AND_GENDER, age=age, gender=gender) == (value, row)


def test_the_same_facts_again_give_the_same() -> None:
    find = by_table(BY_AGE_AND_GENDER, "rate", "rows")
    assert find({"age": 30, "gender": "F"}) is find({"age": 30, "gender": "F", "smoker": "no"})


@pytest.mark.parametrize(
    "facts", [{"age": 30, "gender": "X"}, {"age": -1, "gender": "F"}, {"age": "30", "gender": "F"}]
)
def test_what_no_row_holds_for_has_no_rate(facts: dict[str, Any]) -> None:
    with pytest.raises(NoRate):
        by_table(BY_AGE_AND_GENDER, "rate", "rows")(facts)


def test_a_fact_that_was_not_told_has_no_rate() -> None:
    with pytest.raises(NoRate, match="gender not told"):
        by_table(BY_AGE_AND_GENDER, "rate", "rows")({"age": 30})


@pytest.mark.parametrize(
    ("sum_insured_minor", "value"),
    [(1_000, "1.2"), (1_500, "1.15"), (2_000, "1.1"), (3_000, "1.0"), (6_500, "0.95"), (10_000, "0.9")],
)
def test_between_two_points_the_ratio_lies_on_the_line(sum_insured_minor: int, value: str) -> None:
    assert found(BY_SUM, sum_insured_minor=sum_insured_minor)[0] == value


@pytest.mark.parametrize("sum_insured_minor", [999, 10_001, "many"])
def test_beyond_the_points_there_is_no_rate(sum_insured_minor: Any) -> None:
    with pytest.raises(NoRate):
        found(BY_SUM, sum_insured_minor=sum_insured_minor)


def test_interpolation_is_exact() -> None:
    entry = by_table(CURVES, "rate", "rows")({"gender": "F", "age": 21})
    assert entry.numerator * 3 == entry.denominator * 4
    assert (entry.value, entry.origin) == ("4/3", "rate, gender F, age 21 (between 20 and 23)")


def test_every_category_has_its_own_curve() -> None:
    assert found(CURVES, gender="M", age=25)[0] == "15"


CELLS = st.one_of(
    st.just("*"),
    st.integers(0, 9).map(str),
    st.integers(0, 9).map(lambda low: f"{low}+"),
    st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda ends: f"{min(ends)}-{max(ends)}"),
)
ROWS = st.lists(st.tuples(CELLS, st.sampled_from(["F", "M", "*"]), st.just("1")), min_size=1, max_size=6)


@settings(deadline=None)
@given(rows=ROWS, age=st.integers(-1, 11), gender=st.sampled_from(["F", "M", "X"]))
def test_a_compiled_table_finds_what_reading_it_row_by_row_finds(
    rows: list[tuple[str, str, str]], age: int, gender: str
) -> None:
    columns = [{"fact": "age", "match": "band"}, {"fact": "gender"}]
    table = RateTable.model_validate({"columns": columns, "rows": rows})
    bands = [band_of(band) for band, _, _ in rows]
    hold = [
        place
        for place, (_, named, _) in enumerate(rows)
        if bands[place][0] <= age <= bands[place][1] and named in {"*", gender}
    ]
    if hold:
        assert found(table, age=age, gender=gender) == ("1", f"rows.{hold[0]}")
    else:
        with pytest.raises(NoRate):
            found(table, age=age, gender=gender)
