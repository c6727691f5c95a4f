"""Referrals: every step that underwriters and customers may take, and the codes of those that they may not."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.products import CoverageTerms
from services.quote.domain.commands import RecordIssue
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined, ApplicationIssued, OrderConflicted
from services.quote.domain.underwriting.commands import (
    AcceptReferral,
    AssignReferral,
    DeclineReferral,
    ExpireApplication,
    MakeCounterOffer,
    NoteReferral,
    ProvideInformation,
    RefuseCounterOffer,
    RequestInformation,
    TakeCounterOffer,
    WithdrawApplication,
)
from services.quote.domain.underwriting.events import (
    ApplicationExpired,
    ApplicationWithdrawn,
    CounterOffered,
    CounterOfferRefused,
    CounterOfferTaken,
    InformationProvided,
    InformationRequested,
    ReferralAssigned,
    ReferralNoted,
)
from services.quote.domain.underwriting.offers import Alteration
from tests.support.builders import ADULT, YEAR_2026
from tests.unit.quote.orders import submit
from tests.unit.quote.underwritten import (
    HIGH_SUM,
    OUTPATIENT,
    PRODUCT,
    REFERRED,
    REFERRED_ORDER,
    SMOKER,
    application,
    decided,
    order,
    product,
)

NO: dict[str, Any] = {"order_no": "H-1"}
NAMES = {"channel": "shop", "contract_id": REFERRED[-1].terms.contract_id, "order_no": "H-1"}
DAY = date(2025, 12, 21)
ACCEPT = AcceptReferral(**NO, accepted_by="li", level=1, reason="good risk")
DECLINE = DeclineReferral(**NO, declined_by="li", reason="too high")
ASK = RequestInformation(**NO, requested_by="li", question="Weight?", until=date(2026, 1, 4))
ANSWER = ProvideInformation(**NO, provided_by="shop", answer="70 kg")
TAKE = TakeCounterOffer(**NO, taken_by="Zhang", taken_on=date(2025, 12, 31))
REFUSE = RefuseCounterOffer(**NO, refused_by="Zhang")
WITHDRAW = WithdrawApplication(**NO, withdrawn_by="Zhang", reason="changed his mind")


def counter(**changes: Any) -> MakeCounterOffer:
    """A quarter more on everything, offered on 21 December by somebody of level 2."""
    fields: dict[str, Any] = {
        "offered_by": "li", "level": 2, "reason": "weight", "alterations": (Alteration(percent="25"),),
        "excluded": (), "premiums": (), "offered_on": DAY, "product": PRODUCT.document,
    }  # fmt: skip
    return MakeCounterOffer(**{**NO, **fields, **changes})


def expire(day: date) -> ExpireApplication:
    return ExpireApplication(**NO, expired_on=day)


def after(*commands: Any, start: list[Any] | None = None) -> Any:
    """The referred application after these commands, as a history to go on from."""
    history = list(REFERRED if start is None else start)
    for command in commands:
        history += application.given(*history).when(command).decided
    return application.given(*history)


def test_a_referral_is_assigned_and_reassigned() -> None:
    to_wang = AssignReferral(**NO, underwriter="wang", assigned_by="head")
    after().when(to_wang).then(ReferralAssigned(**NAMES, underwriter="wang", assigned_by="head"))
    after(to_wang).when(AssignReferral(**NO, underwriter="li", assigned_by="head")).then_types(ReferralAssigned)


def test_notes_are_kept_each_once() -> None:
    note = NoteReferral(**NO, noted_by="li", note="called the clinic")
    after().when(note).then(ReferralNoted(**NAMES, noted_by="li", note="called the clinic"))
    after(note).when(NoteReferral(**NO, noted_by="wang", note="called the clinic")).then_types(ReferralNoted)


def test_information_is_requested_and_provided() -> None:
    after().when(ASK).then(InformationRequested(**NAMES, requested_by="li", question="Weight?", until=date(2026, 1, 4)))
    after(ASK).when(ANSWER).then(InformationProvided(**NAMES, provided_by="shop", answer="70 kg"))
    after(ASK, ANSWER).when(ACCEPT).then_types(ApplicationAccepted)


def test_nothing_is_answered_that_was_not_asked() -> None:
    after().when(ANSWER).then_refused("no_question_open")
    other = ProvideInformation(**NO, provided_by="shop", answer="75 kg")
    after(ASK, ANSWER).when(other).then_refused("no_question_open")


def test_a_person_accepts_as_ordered_with_name_and_reason() -> None:
    after().when(ACCEPT).then(
        ApplicationAccepted(
            terms=REFERRED[-1].terms,
            decided_by="li",
            reason="good risk",
            referred_for="high-sum",
            placed_on=date(2025, 12, 20),
        )
    )


def test_a_person_accepts_within_their_authority_only() -> None:
    after().when(AcceptReferral(**NO, accepted_by="li", level=0, reason="-")).then_refused("authority_exceeded")
    # 500,000.00 x 4.35 per mille x 1.04 x 0.95 = 2,148.90, above the 1,500.00 of level 1
    older = decided(order({**ADULT, "birth_date": "1980-01-01"}, insured=50_000_000, premium=214_890))
    after(start=older).when(ACCEPT).then_refused("authority_exceeded")
    second = AcceptReferral(**NO, accepted_by="wang", level=2, reason="-")
    after(start=older).when(second).then_types(ApplicationAccepted)


def test_without_levels_in_the_document_anybody_accepts() -> None:
    free = decided(REFERRED_ORDER, product(referrals={}))
    nobody = AcceptReferral(**NO, accepted_by="li", level=0, reason="-")
    after(start=free).when(nobody).then_types(ApplicationAccepted)


def test_a_person_declines_and_the_channel_reads_why() -> None:
    spec = after().when(DECLINE).then_types(ApplicationDeclined)
    (event,) = spec.decided
    assert (event.decided_by, event.referred_for) == ("li", "high-sum")
    assert (event.faults[0].code, event.faults[0].message) == (FaultCode.DECLINED_BY_UNDERWRITER, "too high")


def test_a_counter_offer_is_priced_anew() -> None:
    spec = after().when(counter()).then_types(CounterOffered)
    (event,) = spec.decided
    # 25 % of 1,309.10 is 327.275
    assert (event.terms.premium_minor, event.valid_until) == (163_638, date(2025, 12, 31))
    assert (event.offered_by, event.reason, event.referred_for) == ("li", "weight", "high-sum")
    assert [(step.value, step.origin) for step in event.working if step.kind] == [("25 %", "loading weight, by li")]


def test_a_counter_offer_needs_the_authority_for_its_own_terms() -> None:
    after().when(counter(level=1)).then_refused("authority_exceeded")
    lower = counter(level=1, alterations=(Alteration(percent="10"),))
    after().when(lower).then_types(CounterOffered)


def test_a_counter_offer_may_leave_coverages_out() -> None:
    both = [{"code": "Inpatient", "sum_insured_minor": 50_000_000}, OUTPATIENT]
    start = decided(order(coverages=both, premium=130_910 + 16_870))
    spec = after(start=start).when(counter(alterations=(), excluded=("Outpatient",))).then_types(CounterOffered)
    assert spec.decided[0].terms.coverages == (
        CoverageTerms(code="Inpatient", premium_minor=130_910, sum_insured_minor=50_000_000),
    )
    flat = counter(alterations=(Alteration(amount_minor=1_000, coverages=("Outpatient",)),))
    offered = after(start=start).when(flat).decided[0].terms
    assert [one.premium_minor for one in offered.coverages] == [130_910, 17_870]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"excluded": ("Inpatient",)}, "coverage_mandatory"),
        ({"excluded": ("Dental",)}, "coverage_not_ordered"),
        ({"premiums": (("Dental", 1),)}, "coverage_not_ordered"),
        ({"alterations": (Alteration(percent="5", coverages=("Dental",)),)}, "coverage_not_ordered"),
        ({"alterations": ()}, "offer_changes_nothing"),
    ],
)
def test_a_counter_offer_that_cannot_be_is_refused(changes: dict[str, Any], code: str) -> None:
    after().when(counter(**changes)).then_refused(code)


def test_what_the_tariff_cannot_price_a_person_does() -> None:
    unpriced = decided(order({**ADULT, "birth_date": "1955-01-01"}), product([HIGH_SUM]))
    after(start=unpriced).when(AcceptReferral(**NO, accepted_by="li", level=9, reason="-")).then_refused("not_priced")
    after(start=unpriced).when(counter()).then_refused("premium_missing")
    priced = counter(alterations=(), premiums=(("Inpatient", 99_900),))
    spec = after(start=unpriced).when(priced).then_types(CounterOffered)
    assert spec.decided[0].terms.premium_minor == 99_900
    # 999.00 x 1.25 = 1,248.75
    loaded = after(start=unpriced).when(counter(premiums=(("Inpatient", 99_900),))).decided[0]
    assert loaded.terms.premium_minor == 124_875
    assert [(step.value, step.origin) for step in loaded.working] == [
        ("99900", "premium set by the underwriter, minor units"),
        ("25 %", "loading weight, by li"),
    ]


def test_the_customer_takes_the_offer_and_the_order_is_accepted_on_its_terms() -> None:
    spec = after(counter()).when(TAKE).then_types(CounterOfferTaken, ApplicationAccepted)
    accepted = spec.decided[1]
    assert (accepted.terms.premium_minor, accepted.decided_by, accepted.reason) == (163_638, "li", "weight")


def test_an_offer_cannot_be_taken_after_its_last_day() -> None:
    late = TakeCounterOffer(**NO, taken_by="Zhang", taken_on=date(2026, 1, 1))
    after(counter()).when(late).then_refused("counter_offer_lapsed")
    after().when(TAKE).then_refused("no_counter_offer")


def test_an_offer_is_open_no_longer_than_to_the_day_on_which_cover_starts() -> None:
    made = after(counter(offered_on=date(2025, 12, 28)))
    offer = after().when(counter(offered_on=date(2025, 12, 28))).decided[0]
    assert offer.valid_until == YEAR_2026.effective
    on_time = TakeCounterOffer(**NO, taken_by="Zhang", taken_on=date(2026, 1, 1))
    made.when(on_time).then_types(CounterOfferTaken, ApplicationAccepted)
    made.when(replace(on_time, taken_on=date(2026, 1, 2))).then_refused("cover_started")
    after().when(counter(offered_on=date(2026, 1, 2))).then_refused("cover_started")


def test_an_older_offer_that_is_open_for_longer_cannot_be_taken_once_cover_would_have_started() -> None:
    offer = after().when(counter()).decided[0]
    longer = [*REFERRED, offer.model_copy(update={"valid_until": date(2026, 2, 1)})]
    late = TakeCounterOffer(**NO, taken_by="Zhang", taken_on=date(2026, 1, 2))
    application.given(*longer).when(late).then_refused("cover_started")


def test_an_offer_of_the_rules_is_taken_and_refused_like_any_other() -> None:
    start = decided(order(SMOKER, premium=37_206))
    taken = TakeCounterOffer(**NO, taken_by="Zhang", taken_on=date(2025, 12, 30))
    spec = after(start=start).when(taken).then_types(CounterOfferTaken, ApplicationAccepted)
    assert (spec.decided[1].decided_by, spec.decided[1].referred_for) == (None, "smoker")
    after(start=start).when(REFUSE).then_types(CounterOfferRefused, ApplicationWithdrawn)
    after(start=start).when(counter()).then_refused("counter_offer_open")


def test_the_customer_refuses_the_offer_and_the_order_is_withdrawn() -> None:
    after(counter()).when(REFUSE).then(
        CounterOfferRefused(**NAMES, refused_by="Zhang"),
        ApplicationWithdrawn(
            **NAMES, withdrawn_by="Zhang", reason="the counter-offer was refused", referred_for="high-sum"
        ),
    )
    after().when(REFUSE).then_refused("no_counter_offer")


def test_an_offer_lapses_after_its_last_day() -> None:
    after(counter()).when(expire(date(2025, 12, 31))).then_refused("not_expired")
    after(counter()).when(expire(date(2026, 1, 1))).then(
        ApplicationExpired(**NAMES, expired_on=date(2026, 1, 1), referred_for="high-sum")
    )


def test_a_question_that_nobody_answers_lapses_too() -> None:
    after(ASK).when(expire(date(2026, 1, 4))).then_refused("not_expired")
    after(ASK).when(expire(date(2026, 1, 5))).then_types(ApplicationExpired)


def test_what_waits_for_the_underwriter_does_not_lapse() -> None:
    after().when(expire(date(2030, 1, 1))).then_refused("nothing_to_expire")
    after(ASK, ANSWER).when(expire(date(2030, 1, 1))).then_refused("nothing_to_expire")


@pytest.mark.parametrize("steps", [(), (ASK,), (counter(),)])
def test_the_customer_withdraws_before_the_decision(steps: tuple[Any, ...]) -> None:
    after(*steps).when(WITHDRAW).then(
        ApplicationWithdrawn(**NAMES, withdrawn_by="Zhang", reason="changed his mind", referred_for="high-sum")
    )


@pytest.mark.parametrize("command", [ACCEPT, DECLINE, ASK, counter(level=1, alterations=(Alteration(percent="1"),))])
def test_while_an_offer_stands_the_underwriter_waits(command: Any) -> None:
    after(counter()).when(command).then_refused("counter_offer_open")


@pytest.mark.parametrize("end", [ACCEPT, DECLINE, WITHDRAW])
@pytest.mark.parametrize(
    "command",
    [
        AssignReferral(**NO, underwriter="wang", assigned_by="head"),
        NoteReferral(**NO, noted_by="li", note="late"),
        ASK,
        ANSWER,
        AcceptReferral(**NO, accepted_by="wang", level=2, reason="-"),
        DeclineReferral(**NO, declined_by="wang", reason="-"),
        counter(),
        TAKE,
        REFUSE,
        expire(date(2030, 1, 1)),
    ],
)
def test_what_is_decided_stays_decided(end: Any, command: Any) -> None:
    if end is WITHDRAW and command is REFUSE:
        after(end).when(command).then_nothing()
    elif end is ACCEPT and isinstance(command, ExpireApplication):
        after(end).when(command).then_refused("nothing_to_expire")
    else:
        after(end).when(command).then_refused("application_decided")


@pytest.mark.parametrize("command", [ACCEPT, TAKE, REFUSE, ANSWER])
def test_an_order_that_was_never_referred_has_no_referral(command: Any) -> None:
    application.given().when(command).then_refused("application_not_referred")
    after(start=decided(order())).when(command).then_refused("application_not_referred")


def test_an_application_that_a_person_accepted_is_followed_to_its_policy() -> None:
    issue = RecordIssue(**NAMES, policy_no="P01", renewal=False, period=YEAR_2026)
    after(counter(), TAKE).when(issue).then_types(ApplicationIssued)
    after(counter()).when(issue).then_refused("application_not_accepted")
    after(counter(), TAKE, issue).when(TAKE).then_nothing()


def test_the_order_again_changes_nothing_while_it_is_referred() -> None:
    after(counter()).when(submit(REFERRED_ORDER, product=PRODUCT)).then_nothing()
    other = submit({**REFERRED_ORDER, "campaign": "other"}, product=PRODUCT)
    conflicted = after(counter()).when(other).then_types(OrderConflicted)
    after(counter(), other).when(TAKE).then_types(CounterOfferTaken, ApplicationAccepted)
    assert conflicted.decided[0].faults[0].path == "campaign"
