"""A census changes within the term: worked figure W21, the rule for leavers, swaps, and everything that cannot be."""

from typing import Any

import pytest

from contracts.vocabulary.money import unearned
from services.quote.channel_form import Malformed, read_census_change
from services.quote.domain.census_change import CensusChangeTrial, MemberItem, try_change
from services.quote.domain.pricing import price
from services.quote.domain.products import subjects_of
from services.quote.domain.products.group_change import CensusChange
from services.quote.domain.products.reading import read_document
from services.quote.domain.products.version import ProductVersion
from tests.support.builders import group_order, member, motor_order
from tests.unit.quote.domain.products.documents import content
from tests.unit.quote.orders import VERSIONS, submit
from tests.unit.quote.underwritten import WORDS, rule

# Domain figure: 10, 20 ... 100 percent of the yearly premium for each month begun.
MONTHS_BEGUN = {
    "method": "months-begun",
    "percents": ["10", "20", "30", "40", "50", "60", "70", "80", "85", "90", "95", "100"],
}
APRIL_12 = "2026-04-12"


def plain_group(**terms: Any) -> ProductVersion:
    """Class A at 600.00 a year, class B at 360.00; `terms` are further group terms."""
    document = content("group-medical")
    rows = [["A", "60000"], ["B", "36000"], ["C", "1000"]]
    tables = {"classes": {"columns": [{"fact": "cover_class"}], "rows": rows}}
    rates = {code: {"basis": "minor", "table": "classes"} for code in ("Inpatient", "Outpatient", "Accident")}
    rates |= {code: {"basis": "minor", "table": "classes"} for code in ("CriticalIllness", "Maternity")}
    document["pricing"]["tariff"] = {"tables": tables, "rates": rates}
    document["group"].update(terms)
    return ProductVersion.of(read_document(document))


def of_year_2026(*members: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order of 2026 for four of class A, M1 to M4, and four of B, M5 to M8, or for `members`."""
    census = [member(number, cover_class="A" if number < 5 else "B") for number in range(1, 9)]
    return group_order(*(members or census), effective="2026-01-01", placed_at="2025-12-20T09:00:00Z", **changes)


def tried(
    *joins: dict[str, Any],
    leaves: tuple[str, ...] = (),
    claimed: tuple[str, ...] = (),
    effective: str = APRIL_12,
    product: ProductVersion | None = None,
    order: dict[str, Any] | None = None,
) -> CensusChangeTrial:
    left = [{"member_no": number} for number in leaves] + [{"member_no": number, "claimed": True} for number in claimed]
    change = read_census_change({"effective": effective, "joins": list(joins), "leaves": left})
    assert isinstance(change, CensusChange), change
    return try_change(submit(order or of_year_2026()).order, "shop", product or plain_group(), change)


def amounts(found: CensusChangeTrial) -> list[tuple[str, str, int]]:
    assert found.faults == ()
    return [(item.kind, item.member_no, item.amount_minor) for item in found.items]


def faults(found: CensusChangeTrial) -> list[tuple[str, str]]:
    assert (found.items, found.amount_minor) == ((), None)
    return [(fault.code, fault.path) for fault in found.faults]


def test_three_join_and_two_leave_and_each_member_is_an_item() -> None:
    # W21: elapsed 101, left 264; 260.38 x 3 = 781.14 and 433.97 x 2 = 867.94, where totals would give 781.15, 867.95.
    found = tried(member(21), member(22), member(23), leaves=("M1", "M2"))
    assert (found.days_left, found.term_days) == (264, 365)
    assert amounts(found) == [
        ("joins", "M21", 26_038),
        ("joins", "M22", 26_038),
        ("joins", "M23", 26_038),
        ("leaves", "M1", -43_397),
        ("leaves", "M2", -43_397),
    ]
    assert (found.joiners_minor, found.leavers_minor, found.amount_minor) == (78_114, 86_794, -8_680)
    assert [item.premium_minor for item in found.items] == [36_000, 36_000, 36_000, 60_000, 60_000]


def test_a_leaver_by_short_rate_keeps_the_months_begun() -> None:
    # W21: 4 months begun keep 40 % of 600.00; by day it would be 433.97.
    found = tried(leaves=("M1",), product=plain_group(leavers={"keeps": MONTHS_BEGUN}))
    assert amounts(found) == [("leaves", "M1", -36_000)]
    assert found.items[0].origin == "short term by months begun: 4, 40 %: 24000 of 60000 minor units are kept"


def test_nothing_is_given_back_after_a_claim_unless_the_document_says_so() -> None:
    # W21: a leaver with a claim gets 0.
    assert amounts(tried(claimed=("M1",))) == [("leaves", "M1", 0)]
    lenient = plain_group(leavers={"refund_after_claim": True})
    assert amounts(tried(claimed=("M1",), product=lenient)) == [("leaves", "M1", -43_397)]


def test_a_swap_of_one_day_within_a_class_costs_nothing() -> None:
    # W21: same-day swap in class, 0.
    found = tried(member(21, cover_class="A", age=61, replaces="M1"), leaves=("M1",))
    assert amounts(found) == [("replaces", "M21", 0), ("replaced", "M1", 0)]
    assert found.amount_minor == 0


def test_what_joins_and_leaves_on_the_same_day_in_different_classes_is_charged_and_given_back() -> None:
    found = tried(member(1, cover_class="B"), leaves=("M1",))
    assert amounts(found) == [("joins", "M1", 26_038), ("leaves", "M1", -43_397)]


def test_a_short_rate_never_gives_back_more_than_was_charged() -> None:
    # Charged from 1 June: 600.00 x 214/365 = 351.78; a month begun later 10 % of 600.00 is kept, 11 months later all.
    late = member(9, cover_class="A", joins="2026-06-01")
    order = of_year_2026(*(member(number) for number in range(1, 7)), late)
    short = plain_group(leavers={"keeps": MONTHS_BEGUN})
    for day, given_back in (("2026-06-01", 35_178), ("2026-06-02", 29_178), ("2026-12-31", 0)):
        assert amounts(tried(leaves=("M9",), effective=day, order=order, product=short)) == [
            ("leaves", "M9", -given_back)
        ]


def test_an_announced_joiner_who_never_comes_is_given_back_whole() -> None:
    order = of_year_2026(*(member(number) for number in range(1, 7)), member(9, joins="2026-06-01"))
    found = tried(leaves=("M9",), order=order)
    assert amounts(found) == [("leaves", "M9", -unearned(36_000, 214, 365))]


def test_of_a_short_term_the_months_are_shares_of_its_own() -> None:
    # Six months cost 60 % of 600.00; four months begun of them are 40 % and keep 240.00 of the 360.00.
    document = content("group-medical")
    product = plain_group(leavers={"keeps": MONTHS_BEGUN})
    document = product.document.model_dump(mode="json")
    document["pricing"]["tariff"]["short_period"] = MONTHS_BEGUN
    found = tried(
        leaves=("M1",),
        product=ProductVersion.of(read_document(document)),
        order=of_year_2026(expiry="2026-07-01"),
    )
    assert (found.items[0].premium_minor, found.items[0].amount_minor) == (36_000, -12_000)


def test_who_joins_by_a_change_costs_what_an_announced_joiner_costs() -> None:
    census = [member(number, age=20 + number, gender="FM"[number % 2]) for number in range(1, 8)]
    announced = [member(11, age=44, gender="F", cover_class="A"), member(12, cover_class="C", age=9, relation="child")]
    product, order = VERSIONS["group-medical"], of_year_2026(*census)
    changed = tried(*announced, product=product, order=order)
    later = [{**row, "joins": APRIL_12} for row in announced]
    premiums = []
    for each in (order, of_year_2026(*census, *later)):
        placed = submit(each).order
        rated = price(placed, product, subjects_of(placed.risk, placed.effective)).rated
        assert rated is not None
        premiums.append(sum(coverage.premium_minor for coverage in rated))
    assert premiums[1] - premiums[0] == changed.amount_minor != 0


@pytest.mark.parametrize(("blended", "joiner", "leaver"), [("group", 34_718, -34_718), ("class", 26_038, -43_397)])
def test_with_blended_rates_a_joiner_and_a_leaver_cost_the_rate_of_a_head(
    blended: str, joiner: int, leaver: int
) -> None:
    # 4 x 600.00 and 4 x 360.00 are 480.00 a head: 480.00 x 264/365 = 347.18.
    found = tried(member(21), leaves=("M1",), product=plain_group(blended=blended))
    assert amounts(found) == [("joins", "M21", joiner), ("leaves", "M1", leaver)]
    assert [step.value for step in found.working if step.kind == "blended"] == (
        ["48000"] if blended == "group" else ["60000", "36000"]
    )


def test_the_steps_to_each_members_premium_are_told() -> None:
    found = tried(member(21), leaves=("M1",), product=VERSIONS["group-medical"])
    assert {step.subject for step in found.working} == {"change.joins.0", "change.leaves.0"}
    # 100,000.00 x 1.55 per mille x 0.96 x 1.10, as for every other member of the staff.
    assert found.items[0] == MemberItem(
        kind="joins",
        member_no="M21",
        cover_class="B",
        premium_minor=16_368,
        amount_minor=unearned(16_368, 264, 365),
        origin="264 of 365 days",
    )


def test_everything_that_is_wrong_with_a_change_is_told_at_once() -> None:
    found = tried(
        member(5),
        member(21, cover_class="Z"),
        member(21),
        member(22, joins="2026-05-01"),
        member(23, replaces="M1"),
        member(24, replaces="M3"),
        member(25, relation="parent"),
        member(26, age=66),
        leaves=("M1", "M1", "M99"),
        claimed=("M2",),
        effective="2027-01-01",
    )
    assert faults(found) == [
        ("invalid_field", "change.effective"),
        ("invalid_field", "change.leaves.1.member_no"),
        ("invalid_field", "change.leaves.2.member_no"),
        ("invalid_field", "change.joins.0.member_no"),
        ("invalid_field", "change.joins.2.member_no"),
        ("invalid_field", "change.joins.3.joins"),
        ("invalid_field", "change.joins.4.replaces"),
        ("invalid_field", "change.joins.5.replaces"),
        ("class_not_in_plan", "change.joins.1.cover_class"),
        ("dependant_not_allowed", "change.joins.6.relation"),
        ("risk_not_accepted", "change.joins.7"),
    ]
    said = {fault.path: fault.message for fault in found.faults}
    assert said["change.effective"] == "the census changes from 2026-01-01 on and before 2027-01-01; mend the day"
    assert said["change.joins.4.replaces"] == (
        "member M1 is of class A, not B; leave replaces out, so that each is charged alone"
    )


def test_who_had_a_claim_is_not_swapped_for_nothing() -> None:
    found = tried(member(21, cover_class="A", replaces="M1"), claimed=("M1",))
    assert faults(found) == [("invalid_field", "change.joins.0.replaces")]
    assert "nothing of the premium is left" in found.faults[0].message


def test_a_member_is_replaced_once() -> None:
    joins = [member(number, cover_class="A", replaces="M1") for number in (21, 22)]
    assert faults(tried(*joins, leaves=("M1",))) == [
        ("invalid_field", "change.joins.0.replaces"),
        ("invalid_field", "change.joins.1.replaces"),
    ]


def test_a_joiner_is_underwritten_by_the_rules_of_the_product() -> None:
    rules = [
        rule("welcome", {"fact": "age", "at_most": 30}, "accept"),
        rule("elder", {"fact": "age", "at_least": 56}, "refer"),
        rule("eldest", {"fact": "age", "at_least": 60}, "decline"),
    ]
    document = {**plain_group().document.model_dump(mode="json"), "underwriting": rules}
    joins = [member(21, age=59), member(22, age=60), member(23, age=28)]
    found = tried(*joins, product=ProductVersion.of(read_document(document)))
    assert [(fault.code, fault.path, fault.message) for fault in found.faults] == [
        ("risk_not_accepted", "change.joins.0", f"{WORDS['en']} (elder); an underwriter decides on this member"),
        ("risk_not_accepted", "change.joins.1", f"{WORDS['en']} (elder); an underwriter decides on this member"),
        ("risk_not_accepted", "change.joins.1", f"{WORDS['en']} (eldest)"),
    ]


def test_a_group_keeps_its_minimum_headcount() -> None:
    leaves = ("M1", "M2", "M3", "M4")
    assert faults(tried(leaves=leaves)) == [("headcount_too_low", "change.leaves")]
    assert tried(member(21), leaves=leaves).faults == ()


def test_the_census_of_a_group_alone_changes() -> None:
    assert faults(tried(member(21), order=motor_order())) == [("wrong_line", "risk.line")]


def test_where_a_rate_is_missing_a_member_has_no_price() -> None:
    order = of_year_2026(coverages=[{"code": "Inpatient"}, {"code": "Maternity"}])
    found = tried(member(21, age=12, cover_class="A"), order=order, product=VERSIONS["group-medical"])
    assert faults(found) == [("no_rate", "change.joins.0")]


def test_the_form_of_a_change_is_checked_with_paths() -> None:
    found = read_census_change(
        {"effective": "soon", "joins": [{**member(1), "gender": "X"}], "leaves": [{"claimed": 1}]}
    )
    assert isinstance(found, Malformed)
    assert [(fault.code, fault.path) for fault in found.faults] == [
        ("invalid_field", "change.effective"),
        ("invalid_field", "change.joins.0.gender"),
        ("missing_field", "change.leaves.0.member_no"),
        ("invalid_field", "change.leaves.0.claimed"),
    ]
    nobody = read_census_change({"effective": APRIL_12})
    assert isinstance(nobody, Malformed)
    assert [(fault.path, fault.message) for fault in nobody.faults] == [
        ("change", "the message is not valid: it names nobody; say who joins or who leaves")
    ]
