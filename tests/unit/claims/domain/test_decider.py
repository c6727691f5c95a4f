"""Cover, repeated and conflicting notices, payment, and the life of a reserve."""

import pytest

from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.wording import WordingReference
from services.claims.domain import findings
from services.claims.domain.commands import ApproveClaim, ClearSandbox, DeclineClaim, RecordPayment, RefuseNotice
from services.claims.domain.decider import CLAIMS_DECIDER
from services.claims.domain.events import (
    CLAIMS_EVENTS,
    ClaimClosed,
    CoverRegistered,
    NoticeRefused,
    PaymentRecorded,
    ReserveChanged,
)
from services.claims.domain.lines import ClosingKind
from services.kernel.codec import EventCodec
from services.kernel.errors import CorruptHistory
from tests.support.builders import CHANNEL, CONTRACT, YEAR_2026
from tests.unit.claims.examples import CLAIM, POLICY, SOURCE, claims, history, loss, register, registered

PAY = RecordPayment(claim_no=CLAIM, paid_minor=45_000, currency="EUR")
APPROVED = history(register(), loss(("Windscreen", 45_000)))


def test_a_term_is_registered_with_its_sums_insured() -> None:
    claims.given().when(register(straight_through_claim_minor=50_000)).then(
        CoverRegistered(
            contract_id=CONTRACT,
            policy_no=POLICY,
            term_no=1,
            channel=CHANNEL,
            product_code="motor-private",
            period=YEAR_2026,
            currency="EUR",
            sums_insured_minor={"Windscreen": None, "TPLM": 1_000_000},
            straight_through_claim_minor=50_000,
        )
    )


def test_claims_keep_the_wording_of_a_term() -> None:
    wording = WordingReference(code="motor", version="2026-A", filing_number="C1", content_sha256="a" * 64)
    spec = claims.given().when(register(wording=wording))
    spec.then_types(CoverRegistered)
    assert spec.decided[0].wording == wording


def test_terms_are_known_once_each_in_any_order_of_arrival() -> None:
    claims.given(registered(2)).when(register(1)).then(registered(1))
    claims.given(registered(2), registered(1)).when(register(2)).then_nothing()


def test_the_same_notice_again_makes_no_second_claim() -> None:
    claims.given(*APPROVED).when(loss(("Windscreen", 45_000), source="orders.shop.v1/0/9")).then_nothing()


def test_the_notice_number_with_other_content_is_refused_and_the_first_claim_stands() -> None:
    other = loss(("Windscreen", 46_000), content_digest="digest-2", source="orders.shop.v1/0/9")
    refused = NoticeRefused(
        contract_id=CONTRACT,
        channel=CHANNEL,
        notice_no="N-1",
        content_digest="digest-2",
        source="orders.shop.v1/0/9",
        faults=(findings.notice_number_reused("N-1"),),
    )
    claims.given(*APPROVED).when(other).then(refused)
    state = CLAIMS_DECIDER.fold((*APPROVED, refused))
    assert state.claims == CLAIMS_DECIDER.fold(APPROVED).claims


def test_another_channel_may_use_the_same_notice_number() -> None:
    spec = claims.given(*APPROVED).when(loss(("Windscreen", 100), channel="desk", content_digest="digest-2"))
    assert len(spec.decided) == 4


def test_a_refusal_is_recorded_once() -> None:
    fault = findings.notice_number_reused("N-1")
    command = RefuseNotice(
        contract_id=CONTRACT,
        channel=CHANNEL,
        notice_no="N-1",
        content_digest="digest-2",
        source=SOURCE,
        faults=(fault,),
    )
    spec = claims.given().when(command).then_types(NoticeRefused)
    assert spec.decided[0].faults[0].code is FaultCode.NOTICE_NUMBER_REUSED


def test_payment_releases_the_reserve_and_closes_the_claim() -> None:
    claims.given(*APPROVED).when(PAY).then(
        PaymentRecorded(contract_id=CONTRACT, claim_no=CLAIM, paid_minor=45_000, currency="EUR"),
        ReserveChanged(contract_id=CONTRACT, claim_no=CLAIM, outstanding_minor=0, currency="EUR"),
        ClaimClosed(
            contract_id=CONTRACT,
            channel=CHANNEL,
            claim_no=CLAIM,
            notice_no="N-1",
            kind=ClosingKind.PAID,
            paid_minor=45_000,
            currency="EUR",
        ),
    )


def test_payment_of_an_unknown_claim_is_refused() -> None:
    claims.given(registered()).when(PAY).then_refused("claim_unknown")


@pytest.mark.parametrize(
    "unpaid",
    [
        history(register(straight_through_claim_minor=0), loss(("Windscreen", 45_000))),
        history(register(), loss(("Theft", 45_000))),
        history(register(), loss(("Windscreen", 0))),
    ],
    ids=["waiting", "declined", "zero"],
)
def test_payment_of_a_claim_that_is_not_approved_is_refused(unpaid: tuple[object, ...]) -> None:
    claims.given(*unpaid).when(PAY).then_refused("claim_not_approved")


def test_payment_in_another_currency_is_refused() -> None:
    command = RecordPayment(claim_no=CLAIM, paid_minor=45_000, currency="USD")
    claims.given(*APPROVED).when(command).then_refused("wrong_currency")


@pytest.mark.parametrize(
    ("last", "figures"),
    [
        (
            ApproveClaim(claim_no=CLAIM, approved_by="Ada"),
            [(0, 0), (8_000, 8_000), (8_000, 8_000), (0, 4_500)],
        ),
        (
            ApproveClaim(claim_no=CLAIM, approved_by="Ada", approved_minor=4_500),
            [(0, 0), (8_000, 8_000), (4_500, 4_500), (0, 4_500)],
        ),
        (
            DeclineClaim(claim_no=CLAIM, declined_by="Ada", reason="staged"),
            [(0, 0), (8_000, 8_000), (0, 0)],
        ),
    ],
    ids=["in full", "cut", "declined"],
)
def test_incurred_is_outstanding_plus_paid_all_through_a_claim(
    last: ApproveClaim | DeclineClaim, figures: list[tuple[int, int]]
) -> None:
    commands = [register(straight_through_claim_minor=0), loss(("Windscreen", 8_000)), last]
    if isinstance(last, ApproveClaim):
        commands.append(RecordPayment(claim_no=CLAIM, paid_minor=4_500, currency="EUR"))
    seen = []
    for count in range(1, len(commands) + 1):
        claim = CLAIMS_DECIDER.fold(history(*commands[:count])).claims.get(CLAIM)
        outstanding = claim.outstanding_minor if claim else 0
        seen.append((outstanding, outstanding + (claim.paid_minor if claim else 0)))
    assert seen == figures


def test_a_history_that_decides_an_unreported_claim_is_corrupt() -> None:
    with pytest.raises(CorruptHistory):
        CLAIMS_DECIDER.fold(APPROVED[2:])


def test_every_event_reads_back_from_its_stored_form() -> None:
    codec = EventCodec(CLAIMS_EVENTS)
    stored = (
        *history(register(straight_through_claim_minor=0), loss(("TPLM", 5), ("Theft", 5)), loss(("TPLM", 6))),
        *history(register(), loss(("TPLM", 45_000)), loss(("TPLM", 1), content_digest="digest-2"), PAY),
        *history(loss(("TPLM", 5))),
        *history(ClearSandbox(channel="river-sandbox", lane="river-sandbox/0", cleared_by="Li", reason="over")),
    )
    assert {type(event) for event in stored} == set(CLAIMS_EVENTS)
    for event in stored:
        assert codec.decode(event.event_type, event.schema_version, codec.encode(event)) == event
