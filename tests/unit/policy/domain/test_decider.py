"""Issuance: one term an order, renewals, money first or cover first, no overlap."""

from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.identifiers import policy_number
from contracts.vocabulary.products import SettlementMethod
from contracts.vocabulary.wording import WordingReference
from services.policy.domain.commands import AwaitPayment, ConfirmPayment, IssuePolicy, ReleaseApplication
from services.policy.domain.decider import POLICY_DECIDER
from services.policy.domain.events import (
    ApplicationReleased,
    IssuanceFailed,
    PaymentAwaited,
    PaymentConfirmed,
    PolicyIssued,
    PolicyRenewed,
)
from tests.support.builders import CHANNEL, CONTRACT, YEAR_2027, cover_terms
from tests.support.decider_spec import DeciderSpec

policy = DeciderSpec(POLICY_DECIDER)
terms = cover_terms()
issued = PolicyIssued(policy_no=policy_number(CONTRACT, 1), term_no=1, terms=terms)
prepaid_terms = cover_terms(settlement=SettlementMethod.PAY_BEFORE_COVER)
prepaid_issued = PolicyIssued(policy_no=policy_number(CONTRACT, 1), term_no=1, terms=prepaid_terms)
awaited = PaymentAwaited(terms=prepaid_terms)
confirmed = PaymentConfirmed(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1")
RELEASE = ReleaseApplication(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1")


def test_accepted_terms_are_issued_at_once() -> None:
    policy.given().when(IssuePolicy(terms=terms)).then(issued)


def test_each_term_keeps_the_wording_that_it_was_sold_under() -> None:
    first, later = (
        WordingReference(code="motor", version=version, filing_number="C1", content_sha256=digit * 64)
        for version, digit in (("2026-A", "a"), ("2027-A", "b"))
    )
    sold = cover_terms(wording=first)
    policy.given().when(IssuePolicy(terms=sold)).then(issued.model_copy(update={"terms": sold}))
    again = cover_terms(order_no="O-2", period=YEAR_2027, wording=later)
    renewed = PolicyRenewed(policy_no=policy_number(CONTRACT, 2), term_no=2, terms=again)
    policy.given(issued.model_copy(update={"terms": sold})).when(IssuePolicy(terms=again)).then(renewed)
    assert PolicyIssued.model_validate_json(issued.model_dump_json(exclude={"terms": {"wording"}})) == issued


def test_an_order_is_issued_only_once() -> None:
    policy.given(issued).when(IssuePolicy(terms=terms)).then_nothing()


def test_a_second_term_of_the_contract_is_a_renewal() -> None:
    second = cover_terms(order_no="O-2", period=YEAR_2027)
    renewed = PolicyRenewed(policy_no=policy_number(CONTRACT, 2), term_no=2, terms=second)
    policy.given(issued).when(IssuePolicy(terms=second)).then(renewed)


def test_two_terms_of_a_contract_never_cover_the_same_day() -> None:
    spec = policy.given(issued).when(IssuePolicy(terms=cover_terms(order_no="O-2")))
    spec.then_types(IssuanceFailed)
    assert spec.decided[0].faults[0].code is FaultCode.OVERLAPPING_TERM


def test_pay_before_cover_waits_for_the_money() -> None:
    policy.given().when(AwaitPayment(terms=prepaid_terms)).then(awaited)


def test_the_money_issues_the_policy() -> None:
    command = ConfirmPayment(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1")
    policy.given(awaited).when(command).then(confirmed, prepaid_issued)


def test_money_that_comes_before_the_terms_is_remembered() -> None:
    policy.given().when(ConfirmPayment(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1")).then(confirmed)
    policy.given(confirmed).when(AwaitPayment(terms=prepaid_terms)).then(awaited, prepaid_issued)


def test_money_for_another_order_issues_nothing() -> None:
    other = PaymentConfirmed(contract_id=CONTRACT, channel=CHANNEL, order_no="O-9")
    policy.given(awaited).when(ConfirmPayment(contract_id=CONTRACT, channel=CHANNEL, order_no="O-9")).then(other)


def test_gift_cover_is_issued_without_waiting_for_money() -> None:
    gift = cover_terms(settlement=SettlementMethod.PAY_BEFORE_COVER, premium_minor=0)
    policy.given().when(AwaitPayment(terms=gift)).then_types(PolicyIssued)


def test_two_channels_of_one_book_may_use_the_same_order_number() -> None:
    other = cover_terms(channel="harbour", period=YEAR_2027)
    policy.given(issued).when(IssuePolicy(terms=other)).then_types(PolicyRenewed)


def test_a_released_order_is_never_issued() -> None:
    released = ApplicationReleased(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1")
    policy.given(awaited).when(RELEASE).then(released)
    policy.given(awaited, released).when(ConfirmPayment(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1")).then()
    policy.given(released).when(AwaitPayment(terms=prepaid_terms)).then_nothing()
    policy.given(released).when(IssuePolicy(terms=terms)).then_nothing()


def test_an_order_that_is_issued_or_failed_is_not_released() -> None:
    policy.given(issued).when(RELEASE).then_nothing()
    failed = IssuanceFailed(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1", faults=())
    policy.given(failed).when(RELEASE).then_nothing()
