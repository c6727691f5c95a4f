"""A census: counted by band and facts, priced in its classes, and never larger than what the log can hold."""

import json
from dataclasses import replace
from typing import Any

import pytest

from contracts.topics import ORDER_BYTES_MAX
from contracts.vocabulary.lines.group import MEMBERS_MAX
from contracts.vocabulary.money import unearned
from contracts.vocabulary.products import CoverageTerms
from services.kernel.codec import EVENT_BYTES_MAX, EventCodec
from services.quote.channel_form import Malformed, read_message
from services.quote.domain.commands import SubmitApplication
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import (
    QUOTE_EVENTS,
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationSubmitted,
    PremiumRated,
)
from services.quote.domain.pricing import price
from services.quote.domain.products import subjects_of
from services.quote.domain.products.group_misfits import RATED_STEPS_MAX
from services.quote.domain.products.group_terms import AgeBand, counted
from services.quote.domain.products.rating.census import BlendedRate, CensusCell, CensusRating
from services.quote.domain.products.reading import read_document
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.trial import trial
from tests.support.builders import DAUGHTER, MANAGERS, STAFF, group_order, health_order, member
from tests.support.decider_spec import DeciderSpec
from tests.unit.quote.domain.products.documents import edited
from tests.unit.quote.orders import instruction, submit

application = DeciderSpec(QUOTE_DECIDER)
WITHOUT_NAMES = ProductVersion.of(
    read_document(edited("group-medical", lambda document: document["group"].update(names_required=False)))
)
BANDS = (AgeBand(at_least=0, at_most=17), AgeBand(at_least=18, at_most=30))


def rated(order: dict[str, Any]) -> PremiumRated:
    found = application.given().when(submit(order)).decided[1]
    assert isinstance(found, PremiumRated), found
    return found


def accepted(order: dict[str, Any]) -> tuple[CoverageTerms, ...]:
    found = application.given().when(submit(order)).decided[-1]
    assert isinstance(found, ApplicationAccepted), found
    return found.terms.coverages


def subject(place: int, **facts: str | int) -> Subject:
    return Subject(f"risk.members.{place}", facts)


def test_members_of_a_band_and_the_same_facts_are_counted_together() -> None:
    census = [subject(0, age=18, gender="F"), subject(1, age=30, gender="F"), subject(2, age=30, gender="M")]
    first, other = counted(census, BANDS)
    assert (first.path, first.count, first.counted_as) == ("risk.members.0", 2, "members of age 18 to 30, gender F")
    assert (other.path, other.count, other.facts) == ("risk.members.2", 1, {"age": 18, "gender": "M"})


def test_a_member_of_no_band_stays_alone_and_is_never_priced_at_zero() -> None:
    (outside,) = counted([subject(0, age=31, gender="F")], BANDS)
    assert (outside.count, outside.facts["age"]) == (1, 31)
    order = group_order(*(member(number) for number in range(5)), member(9, age=66))
    declined = application.given().when(submit(order)).decided[-1]
    assert isinstance(declined, ApplicationDeclined)
    assert [fault.path for fault in declined.faults] == ["risk.members.5"]


def test_the_price_of_a_census_is_that_of_its_members_in_their_classes() -> None:
    """Management 2 x 300,000.00 x 2.10 per mille x 1.06 x 1.10, staff 3 x 100,000.00 x 1.55 per mille x 0.96 x 1.10,
    the daughter 50,000.00 x 3.10 per mille x 1.06 x 1.10: 1,469.16 + 491.04 + 180.73 = 2,140.93."""
    assert accepted(group_order()) == (
        CoverageTerms(code="Inpatient", premium_minor=214_093, sum_insured_minor=95_000_000),
    )


def test_a_class_pays_only_for_the_coverages_that_it_has() -> None:
    # Maternity is for management: 2 x 360.00; the class of the daughter has none, nor has the staff.
    order = group_order(coverages=[{"code": "Inpatient"}, {"code": "Maternity"}], premium_minor=214_093 + 72_000)
    assert accepted(order)[1] == CoverageTerms(code="Maternity", premium_minor=72_000, sum_insured_minor=2_000_000)


def test_a_coverage_may_leave_dependants_out_of_a_class_that_has_it() -> None:
    child = {**DAUGHTER, "cover_class": "A"}
    order = group_order(*MANAGERS, *STAFF, child, coverages=[{"code": "Inpatient"}, {"code": "Maternity"}])
    priced = rated(order)
    assert [(each.code, each.sum_insured_minor) for each in priced.coverages][1] == ("Maternity", 2_000_000)


def test_part_of_an_order_is_priced_where_a_coverage_insures_nobody_in_it() -> None:
    order = group_order(coverages=[{"code": "Inpatient"}, {"code": "Maternity"}], premium_minor=214_093 + 72_000)
    command = submit(order)
    assert command.product is not None
    staff = subjects_of(command.order.risk, command.order.effective)[2:]
    priced = price(command.order, command.product, staff)
    assert priced.rated is not None
    assert [(each.premium_minor, each.sum_insured_minor) for each in priced.rated] == [(67_177, 35_000_000), (0, None)]


def test_the_working_says_how_many_members_a_rate_was_taken_for() -> None:
    steps = rated(group_order()).working
    counts = [(step.subject, step.value, step.origin) for step in steps if step.origin.startswith("members of")]
    assert counts == [
        ("risk.members.0", "2", "members of age 31 to 40, gender F, cover_class A, relation self"),
        ("risk.members.2", "3", "members of age 18 to 30, gender M, cover_class B, relation self"),
        ("risk.members.5", "1", "members of age 0 to 17, gender F, cover_class C, relation child"),
    ]


def test_a_member_who_is_counted_is_priced_as_one_who_stands_alone() -> None:
    together = rated(group_order(*(member(number) for number in range(7))))
    assert together.premium_minor == 7 * 16_368


def test_a_joiner_costs_the_unearned_part_of_a_members_premium() -> None:
    """Seven of the staff at 163.68 a year and an eighth from 12 April: 163.68 x 264/365 = 118.39."""
    staff = [member(number) for number in range(7)]
    late = member(8, joins="2026-04-12", name=None)
    priced = rated(group_order(*staff, late, effective="2026-01-01", placed_at="2025-12-20T09:00:00Z"))
    assert priced.premium_minor == 7 * 16_368 + 11_839
    # Whoever joins is insured for the whole sum from that day on.
    assert priced.coverages[0].sum_insured_minor == 8 * 10_000_000
    assert [(step.value, step.origin) for step in priced.working if step.kind == "joiners"] == [
        (
            "11839",
            (
                "1 joining from 2026-04-12, 264 of 365 days: 11839 of 16368 minor units each; "
                "members of age 18 to 30, gender M, cover_class B, relation self"
            ),
        )
    ]


def test_a_joiner_is_of_the_age_of_the_day_of_joining() -> None:
    staff = [member(number) for number in range(5)]
    born = {"age": None, "birth_date": "1995-06-01", "joins": "2026-06-01"}
    for day, band in (("2026-05-31", "18 to 30"), ("2026-06-01", "31 to 40")):
        late = {**member(8, **born), "joins": day}
        order = group_order(*staff, late, effective="2026-01-01", placed_at="2025-12-20T09:00:00Z")
        found = rated(order).census
        assert found is not None
        assert {cell.band: cell.joiners for cell in found.cells if cell.joiners} == {band: 1}


def test_who_is_only_announced_makes_a_group_no_larger() -> None:
    late = [member(number, joins="2026-09-01") for number in range(30, 50)]
    five = [member(number) for number in range(5)]
    plain = {"effective": "2026-01-01", "placed_at": "2025-12-20T09:00:00Z"}
    alone, announced = (rated(group_order(*rows, **plain)) for rows in (five, [*five, *late]))
    # With 25 heads the tariff's factor for the size of the group would be 1 and not 1.10.
    assert announced.premium_minor == alone.premium_minor + 20 * unearned(16_368, 122, 365)
    four = application.given().when(submit(group_order(*five[:4], *late, **plain))).decided[-1]
    assert isinstance(four, ApplicationDeclined)
    assert [(fault.code, fault.path, fault.message) for fault in four.faults] == [
        (
            "headcount_too_low",
            "risk.members",
            (
                "the census has 4 members from the first day, and 20 who join later; "
                "a group has at least 5 from the first day"
            ),
        )
    ]


def test_who_is_covered_from_the_first_day_is_named_and_all_wrong_days_are_told() -> None:
    rows = [
        *(member(number) for number in range(5)),
        member(5, name=None),
        member(6, name=None, joins="2026-01-01"),
        member(7, name=None, joins="2026-04-12"),
        member(8, joins="2025-12-31"),
        member(9, joins="2027-01-01"),
    ]
    order = group_order(*rows, effective="2026-01-01", placed_at="2025-12-20T09:00:00Z")
    declined = application.given().when(submit(order)).decided[-1]
    assert isinstance(declined, ApplicationDeclined)
    assert [(fault.code, fault.path) for fault in declined.faults] == [
        ("missing_field", "risk.members.5.name"),
        ("missing_field", "risk.members.6.name"),
        ("invalid_field", "risk.members.8.joins"),
        ("invalid_field", "risk.members.9.joins"),
    ]
    assert declined.faults[0].message == (
        "who is covered from the first day is named; add the name, "
        "or in joins the later day from which the member is covered"
    )
    assert declined.faults[3].message == (
        "a member joins from 2026-01-01 on and before 2027-01-01, not on 2027-01-01; mend the day"
    )


def test_the_price_of_a_group_is_kept_with_headcount_and_blended_rates() -> None:
    """2,140.93 of six heads are 356.82 each; 734.58 for each manager, 163.68 for the staff, 180.73 for the daughter."""
    found = rated(group_order()).census
    assert found == CensusRating(
        cells=(CensusCell("A", "31 to 40", 2), CensusCell("B", "18 to 30", 3), CensusCell("C", "0 to 17", 1)),
        group=BlendedRate(35_682, 6, 214_093),
        classes={
            "A": BlendedRate(73_458, 2, 146_916),
            "B": BlendedRate(16_368, 3, 49_104),
            "C": BlendedRate(18_073, 1, 18_073),
        },
    )
    assert trial(submit(group_order()), at_our_price=False).census == found
    assert PremiumRated.model_validate_json(rated(group_order()).model_dump_json()).census == found
    assert rated(health_order(premium_minor=26_182)).census is None


def test_a_document_may_charge_one_rate_per_head() -> None:
    """Six heads at 356.82, which is 0.01 less than their own prices; a joiner of 12 April 258.08 more."""
    blended = ProductVersion.of(
        read_document(edited("group-medical", lambda document: document["group"].update(blended="group")))
    )
    dated = {"effective": "2026-01-01", "placed_at": "2025-12-20T09:00:00Z", "premium_minor": 6 * 35_682}
    rows = (*MANAGERS, *STAFF, DAUGHTER)
    for late, premium_minor in (((), 214_092), ((member(9, joins="2026-04-12", name=None),), 214_092 + 25_808)):
        events = application.given().when(submit(group_order(*rows, *late, **dated), product=blended)).decided
        assert isinstance(events[1], PremiumRated)
        assert events[1].premium_minor == premium_minor


def large_census(members: int, **changes: Any) -> dict[str, Any]:
    """As many different members as there are, without names: every age, gender, class and relation."""
    rows = [
        {
            "member_no": f"M{number}",
            "age": number % 66,
            "gender": "FM"[number % 2],
            "cover_class": "ABC"[number // 2 % 3],
            "relation": ("self", "spouse", "child")[number // 6 % 3],
            **{name: change(number) for name, change in changes.items()},
        }
        for number in range(members)
    ]
    # Wives and children of 12 have no maternity rate, so it is left out.
    coverages = [{"code": code} for code in ("Inpatient", "Outpatient", "Accident", "CriticalIllness")]
    return group_order(*rows, coverages=coverages)


def compact(order: dict[str, Any]) -> bytes:
    return json.dumps(order, separators=(",", ":")).encode()


def test_the_largest_census_fits_a_message_and_every_event_of_it_fits_the_log() -> None:
    order = compact(large_census(MEMBERS_MAX))
    assert len(order) < ORDER_BYTES_MAX
    command = instruction(order).command
    assert isinstance(command, SubmitApplication)
    events = application.given().when(replace(command, product=WITHOUT_NAMES)).decided
    assert [type(event) for event in events[:2]] == [ApplicationSubmitted, PremiumRated]
    # The codec refuses an event above its limit; what is left of it here is room for names.
    submitted, working = (len(EventCodec(QUOTE_EVENTS).encode(event)) for event in events[:2])
    assert submitted + (ORDER_BYTES_MAX - len(order)) < EVENT_BYTES_MAX
    assert working < EVENT_BYTES_MAX
    assert len(events[1].working) <= RATED_STEPS_MAX


def test_joiners_of_every_day_fit_the_log_and_are_told_by_kind_of_member() -> None:
    first = [member(number) for number in range(5)]
    order = large_census(2_300, joins=lambda number: f"2026-{number % 9 + 2:02d}-{number % 28 + 1:02d}")
    order["risk"]["members"] = [*first, *order["risk"]["members"]]
    assert len(compact(order)) < ORDER_BYTES_MAX
    for number, row in enumerate(order["risk"]["members"]):
        row["member_no"] = str(number)
    events = application.given().when(submit(order)).decided
    assert [type(event) for event in events[:2]] == [ApplicationSubmitted, PremiumRated]
    assert all(len(EventCodec(QUOTE_EVENTS).encode(event)) < EVENT_BYTES_MAX for event in events)
    joining = [step for step in events[1].working if step.kind == "joiners"]
    assert sum(int(step.origin.split()[0]) for step in joining) == 2_300
    # At most 108 kinds of member: six bands, two genders, three classes, three relations.
    assert 100 < len(joining) <= 108
    assert "each the unearned part of" in joining[-1].origin


@pytest.mark.parametrize(("more", "said"), [(1, "at most 3000 entries"), (1_500, "at most 262144 are taken")])
def test_a_larger_census_is_refused_in_words(more: int, said: str) -> None:
    found = read_message(compact(large_census(MEMBERS_MAX + more)))
    assert isinstance(found, Malformed)
    assert said in found.faults[0].message
