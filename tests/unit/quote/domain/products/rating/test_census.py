"""Group census rating: heads by class and band, one rate per head that is the same premium, joiners by day."""

from datetime import date
from typing import Any

import pytest

from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.time import add_months
from services.quote.domain.products.group_terms import AgeBand
from services.quote.domain.products.rating.adjusting import Term
from services.quote.domain.products.rating.census import (
    NO_BAND,
    BlendedRate,
    CensusCell,
    blended_by_class,
    blended_rate,
    census_of,
    census_rating,
)
from services.quote.domain.products.rating.members import JOINER_STEPS_MAX
from services.quote.domain.products.rating.plan import RatingPlan
from services.quote.domain.products.rating.price import Rating, rate
from services.quote.domain.products.rules import FactValue, Joiners, Subject
from services.quote.domain.products.tariff import Tariff

BANDS = [AgeBand(at_least=18, at_most=30), AgeBand(at_least=31, at_most=45), AgeBand(at_least=46, at_most=65)]
YEAR_2026 = Term(date(2026, 1, 1), date(2027, 1, 1), date(2027, 1, 1))
APRIL_12 = date(2026, 4, 12)


def member(age: int, cover_class: str, count: int = 1, joiners: Joiners = ()) -> Subject:
    facts: dict[str, FactValue] = {"age": age, "cover_class": cover_class}
    return Subject(f"risk.{age}", facts, count=count, joiners=joiners)


STAFF = (member(25, "staff", 40), member(28, "staff"), member(40, "staff", 10), member(50, "board", 3))


def premium_of(subjects: tuple[Subject, ...], blending: Any = None, **parts: Any) -> Rating:
    bands = [{"at_least": 0, "at_most": 40, "ratio": "36000.5"}, {"at_least": 41, "at_most": 65, "ratio": "60000"}]
    rates = {"Medical": {"basis": "minor", "fact": "age", "bands": bands}}
    plan = RatingPlan.of(Tariff.model_validate({"rates": rates, **parts}))
    return rate(plan, [("Medical", None)], subjects, term=YEAR_2026, blending=blending)


def charged(*subjects: Subject, amounts: tuple[str, ...] = ("60000",), **parts: Any) -> Rating:
    """The price where each coverage, A, B ..., costs everybody the same."""
    codes = "ABC"[: len(amounts)]
    rates = {code: {"basis": "minor", "amount": amount} for code, amount in zip(codes, amounts, strict=True)}
    plan = RatingPlan.of(Tariff.model_validate({"rates": rates, **parts}))
    return rate(plan, [(code, None) for code in codes], subjects, term=YEAR_2026)


def test_heads_are_counted_by_class_and_band() -> None:
    late = member(29, "staff", 0, ((APRIL_12, 2), (date(2026, 5, 1), 1)))
    assert census_of((*STAFF, late, member(66, "staff")), BANDS) == (
        CensusCell("board", "46 to 65", 3),
        CensusCell("staff", "18 to 30", 41, joiners=3),
        CensusCell("staff", "31 to 45", 10),
        CensusCell("staff", NO_BAND, 1),
    )


def test_a_group_pays_one_rate_per_head() -> None:
    # 51 x 360.005 + 3 x 600.00 = 20,160.255; over 54 heads 373.34, which is 0.10 more than the premium.
    rating = premium_of(STAFF)
    assert rating.premiums == {"Medical": 2_016_026}
    blended = blended_rate(rating.first_day_minor, 54)
    assert blended == BlendedRate(per_head_minor=37_334, heads=54, premium_minor=2_016_026)
    assert blended.difference_minor == 10


def test_the_classes_of_a_group_add_up_to_its_premium() -> None:
    rating = premium_of(STAFF)
    found = blended_by_class(rating.first_day_minor, rating.exact, STAFF)
    assert found == {"staff": BlendedRate(36_001, 51, 1_836_026), "board": BlendedRate(60_000, 3, 180_000)}
    told = census_rating(STAFF, BANDS, rating.first_day_minor, rating.exact)
    assert (told.classes, told.group) == (found, BlendedRate(37_334, 54, 2_016_026))


def test_discounts_of_the_whole_group_are_in_the_rate_of_every_class() -> None:
    family = {"kind": "family", "name": "size", "steps": [{"at_least": 50, "percent": "10"}]}
    rating = premium_of(STAFF, discounts=[family])
    found = blended_by_class(rating.first_day_minor, rating.exact, STAFF)
    assert found["board"] == BlendedRate(54_000, 3, 162_000)


def test_a_group_without_heads_has_no_rate() -> None:
    with pytest.raises(ValueError, match="without heads"):
        blended_rate(1, 0)
    told = census_rating((member(25, "staff", 0, ((APRIL_12, 1),)),), BANDS, 0, {})
    assert (told.group, told.classes) == (None, {})


def test_a_document_may_charge_the_blended_rate() -> None:
    # 54 x 373.34 instead of 20,160.26; by class 51 x 360.01 and 3 x 600.00.
    whole = premium_of(STAFF, "group")
    assert (whole.premiums, whole.first_day_minor) == ({"Medical": 54 * 37_334}, 2_016_026)
    assert premium_of(STAFF, "class").premiums == {"Medical": 51 * 36_001 + 180_000}
    assert [(step.value, step.kind) for step in whole.steps][-1:] == [("37334", "blended")]


def test_a_joiner_of_a_blended_group_costs_the_rate_of_a_head() -> None:
    late = member(50, "staff", 0, ((APRIL_12, 2),))
    # 373.34 x 264/365 = 270.03, and by class 360.01 x 264/365 = 260.39.
    assert premium_of((*STAFF, late), "group").premiums == {"Medical": 54 * 37_334 + 2 * 27_003}
    assert premium_of((*STAFF, late), "class").premiums == {"Medical": 51 * 36_001 + 180_000 + 2 * 26_039}


@pytest.mark.parametrize(
    ("blending", "path", "said"),
    [("class", "risk.25", "class trainees, of which nobody"), ("group", "risk.members", "heads that are covered")],
)
def test_where_there_is_nothing_to_blend_there_is_no_rate(blending: str, path: str, said: str) -> None:
    first = STAFF if blending == "class" else ()
    (fault,) = premium_of((*first, member(25, "trainees", 0, ((APRIL_12, 1),))), blending).faults
    assert (fault.code, fault.path) == (FaultCode.NO_RATE, path)
    assert said in fault.message


def test_a_joiner_costs_the_unearned_part_rounded_for_each() -> None:
    # W21: 600.00 from 12 April, 264 of 365 days: 433.97 each, where the total of two would be 867.95.
    rating = charged(member(30, "staff", 3, ((APRIL_12, 2),)))
    assert rating.premiums == {"A": 3 * 60_000 + 2 * 43_397}
    assert (rating.first_day_minor, rating.heads_minor) == (180_000, {0: 60_000})
    step = rating.steps[-1]
    assert (step.value, step.kind) == ("86794", "joiners")
    assert step.origin == "2 joining from 2026-04-12, 264 of 365 days: 43397 of 60000 minor units each"


def test_an_item_of_a_joiner_is_split_over_coverages_without_a_rest() -> None:
    # 100.00 in three coverages, from the last day but one: 0.55 as 0.18, 0.18 and 0.19.
    late = member(30, "staff", 0, ((date(2026, 12, 30), 1),))
    found = charged(late, amounts=("3333", "3333", "3334")).premiums
    assert found == {"A": 18, "B": 18, "C": 19}


def test_minima_and_discounts_count_who_is_covered_from_the_first_day() -> None:
    late = member(30, "staff", 0, ((APRIL_12, 10),))
    family = {"kind": "family", "name": "size", "steps": [{"at_least": 5, "percent": "10"}]}
    volume = {"kind": "volume", "name": "volume", "steps": [{"at_least": 120_001, "percent": "10"}]}
    found = charged(member(40, "staff", 2), late, discounts=[family, volume], minimum={"per_order_minor": 150_000})
    assert found.premiums == {"A": 150_000 + 10 * 43_397}


def test_a_volume_discount_looks_at_the_premium_of_all_heads() -> None:
    # 3 x 600.00 reach the step of 1,500.00; who joins later has the discount too: 540.00 x 264/365 = 390.58.
    volume = {"kind": "volume", "name": "volume", "steps": [{"at_least": 150_000, "percent": "10"}]}
    late = member(30, "staff", 0, ((APRIL_12, 1),))
    assert charged(member(40, "staff", 3), late, discounts=[volume]).premiums == {"A": 3 * 54_000 + 39_058}


def test_the_least_premium_of_a_subject_holds_for_a_joiners_whole_term() -> None:
    late = member(30, "staff", 0, ((APRIL_12, 1),))
    assert charged(late, minimum={"per_subject_minor": 73_000}).premiums == {"A": 52_800}


def test_many_days_of_joining_are_told_by_kind_of_member() -> None:
    days = tuple((date.fromordinal(APRIL_12.toordinal() + day), 1) for day in range(200))
    kinds = (member(30, "staff", 1, days), member(40, "board", 0, days))
    assert 2 * len(days) > JOINER_STEPS_MAX
    told = [step for step in charged(*kinds).steps if step.kind == "joiners"]
    assert [step.subject for step in told] == ["risk.30", "risk.40"]
    few = [step for step in charged(kinds[0]).steps if step.kind == "joiners"]
    assert len(few) == 200
    assert sum(int(step.value) for step in few) == int(told[0].value)


def test_without_a_term_joiners_are_not_priced_at_nothing() -> None:
    plan = RatingPlan.of(Tariff.model_validate({"rates": {"A": {"basis": "minor", "amount": "1"}}}))
    with pytest.raises(ValueError, match="depends on the term"):
        rate(plan, [("A", None)], [member(30, "staff", 1, ((add_months(APRIL_12, 1), 1),))])
