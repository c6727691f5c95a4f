"""A census: counted by band and facts, priced in its classes, and never larger than what the log can hold."""

import json
from typing import Any

import pytest

from contracts.topics import ORDER_BYTES_MAX
from contracts.vocabulary.products import MEMBERS_MAX, CoverageTerms
from services.kernel.codec import EVENT_BYTES_MAX, EventCodec
from services.quote.channel_form import Malformed, read_message
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
from services.quote.domain.products.rules import Subject
from tests.support.builders import DAUGHTER, MANAGERS, STAFF, group_order, member
from tests.support.decider_spec import DeciderSpec
from tests.unit.quote.orders import instruction, submit

application = DeciderSpec(QUOTE_DECIDER)
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


def large_census(members: int) -> dict[str, Any]:
    """As many different members as there are: every age, gender, class and relation."""
    rows = [
        member(
            number,
            age=number % 66,
            gender="FM"[number % 2],
            cover_class="ABC"[number // 2 % 3],
            relation=("self", "spouse", "child")[number // 6 % 3],
        )
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
    events = application.given().when(instruction(order).command).decided
    assert [type(event) for event in events[:2]] == [ApplicationSubmitted, PremiumRated]
    # The codec refuses an event above its limit; what is left of it here is room for names.
    submitted, working = (len(EventCodec(QUOTE_EVENTS).encode(event)) for event in events[:2])
    assert submitted + (ORDER_BYTES_MAX - len(order)) < EVENT_BYTES_MAX
    assert working < EVENT_BYTES_MAX
    assert len(events[1].working) <= RATED_STEPS_MAX


@pytest.mark.parametrize(("more", "said"), [(1, "at most 3000 entries"), (1_500, "at most 262144 are taken")])
def test_a_larger_census_is_refused_in_words(more: int, said: str) -> None:
    found = read_message(compact(large_census(MEMBERS_MAX + more)))
    assert isinstance(found, Malformed)
    assert said in found.faults[0].message
