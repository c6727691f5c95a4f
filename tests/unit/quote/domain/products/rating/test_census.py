"""Group census rating: heads by class and band, and one rate per head that is the same premium."""

from typing import Any

import pytest

from services.quote.domain.products.rating.census import (
    BlendedRate,
    CensusCell,
    blended_by_class,
    blended_rate,
    census_of,
)
from services.quote.domain.products.rating.plan import RatingPlan
from services.quote.domain.products.rating.price import Rating, rate
from services.quote.domain.products.rules import FactValue, Subject
from services.quote.domain.products.tariff import Tariff

BANDS = [(18, 30), (31, 45), (46, 65)]


def member(age: int, member_class: str, count: int = 1) -> Subject:
    facts: dict[str, FactValue] = {"age": age, "member_class": member_class}
    return Subject(f"risk.{age}", facts, count=count)


STAFF = (member(25, "staff", 40), member(28, "staff"), member(40, "staff", 10), member(50, "board", 3))


def premium_of(subjects: tuple[Subject, ...], **parts: Any) -> Rating:
    bands = [{"at_least": 0, "at_most": 40, "ratio": "36000.5"}, {"at_least": 41, "at_most": 65, "ratio": "60000"}]
    rates = {"Medical": {"basis": "minor", "fact": "age", "bands": bands}}
    return rate(RatingPlan.of(Tariff.model_validate({"rates": rates, **parts})), [("Medical", None)], subjects)


def test_heads_are_counted_by_class_and_band() -> None:
    census = census_of(STAFF, BANDS, "age", "member_class")
    assert census.cells == (
        CensusCell("board", "46 to 65", 3),
        CensusCell("staff", "18 to 30", 41),
        CensusCell("staff", "31 to 45", 10),
    )
    assert (census.heads, census.outside) == (54, ())


def test_who_lies_in_no_band_or_class_is_told_apart() -> None:
    lost = (member(66, "staff"), Subject("risk.x", {"age": 30}))
    assert census_of((*STAFF, *lost), BANDS, "age", "member_class").outside == lost


def test_a_group_pays_one_rate_per_head() -> None:
    # 51 x 360.005 + 3 x 600.00 = 20,160.255; over 54 heads 373.34, which is 0.10 more than the premium.
    rating = premium_of(STAFF)
    assert rating.premiums == {"Medical": 2_016_026}
    blended = blended_rate(rating.premiums, STAFF)
    assert blended == BlendedRate(per_head_minor=37_334, heads=54, premium_minor=2_016_026)
    assert blended.difference_minor == 10


def test_the_classes_of_a_group_add_up_to_its_premium() -> None:
    found = blended_by_class(premium_of(STAFF), STAFF, "member_class")
    assert found == {"staff": BlendedRate(36_001, 51, 1_836_026), "board": BlendedRate(60_000, 3, 180_000)}


def test_discounts_of_the_whole_group_are_in_the_rate_of_every_class() -> None:
    family = {"kind": "family", "name": "size", "steps": [{"at_least": 50, "percent": "10"}]}
    found = blended_by_class(premium_of(STAFF, discounts=[family]), STAFF, "member_class")
    assert found["board"] == BlendedRate(54_000, 3, 162_000)


def test_a_group_without_heads_has_no_rate() -> None:
    with pytest.raises(ValueError, match="without heads"):
        blended_rate({"Medical": 1}, ())
