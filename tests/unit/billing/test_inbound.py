"""What billing takes from the topics, and what it leaves alone."""

import json
from datetime import date
from typing import Any

import pytest

from contracts.claims.v1 import ClaimApproved
from contracts.envelope import schema_name
from contracts.policy.v1 import IssuanceFailed, PolicyIssued
from contracts.quote.v1 import ApplicationAccepted, ApplicationExpired, ApplicationWithdrawn
from contracts.topics import ORDER_BYTES_MAX
from contracts.vocabulary.identifiers import claim_number, contract_id_of, policy_number
from contracts.vocabulary.model import PublicEvent
from services.billing.domain.commands import (
    BillAdvance,
    BookPayment,
    PayClaim,
    RefusePayment,
    ReverseAdvance,
    WritePremium,
)
from services.billing.inbound import react, react_to_channel, stream_of
from services.kernel.messages import Delivery, Instruction
from tests.support.builders import CHANNEL, CONTRACT, cover_terms
from tests.unit.billing.examples import prepaid_terms

REPORT = {
    "type": "payment.reported",
    "schema_version": 1,
    "payment_no": "PAY-1",
    "contract_no": "C-1",
    "amount_minor": 14_410,
    "currency": "EUR",
    "paid_at": "2026-01-02T12:00:00Z",
}


def _of(event: PublicEvent) -> list[Instruction]:
    headers = (("ce_type", event.event_type.encode()), ("ce_dataschema", schema_name(type(event)).encode()))
    value = event.model_dump_json(exclude_none=True).encode()
    return list(react(Delivery("topic", 0, 0, CONTRACT.encode(), value, headers, 0)))


def _from_channel(value: bytes | None, channel: str = CHANNEL, offset: int = 7) -> list[Instruction]:
    return list(react_to_channel(Delivery(f"orders.{channel}.v1", 2, offset, b"C-1", value, (), 0)))


def _reported(**changes: Any) -> bytes:
    return json.dumps({**REPORT, **changes}).encode()


def test_terms_to_be_paid_before_cover_are_billed_on_acceptance() -> None:
    terms = prepaid_terms()
    assert _of(ApplicationAccepted(terms=terms)) == [
        Instruction(lane=CONTRACT, stream=stream_of(CONTRACT), command=BillAdvance(terms=terms))
    ]


def test_terms_with_cover_first_are_billed_only_when_in_force() -> None:
    assert _of(ApplicationAccepted(terms=cover_terms())) == []
    number = policy_number(CONTRACT, 1)
    found = _of(PolicyIssued(policy_no=number, term_no=1, terms=cover_terms()))
    assert [i.command for i in found] == [WritePremium(policy_no=number, term_no=1, terms=cover_terms())]


def test_an_order_that_failed_has_its_advance_reversed() -> None:
    found = _of(IssuanceFailed(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1", faults=()))
    assert [i.command for i in found] == [ReverseAdvance(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1")]


def test_an_approved_claim_is_paid() -> None:
    claim_no = claim_number("claims-desk", "N-1")
    approved = ClaimApproved(
        contract_id=CONTRACT,
        channel="claims-desk",
        claim_no=claim_no,
        notice_no="N-1",
        approved_minor=500,
        currency="EUR",
        lines=(),
    )
    assert [i.command for i in _of(approved)] == [
        PayClaim(
            contract_id=CONTRACT,
            channel="claims-desk",
            claim_no=claim_no,
            notice_no="N-1",
            amount_minor=500,
            currency="EUR",
        )
    ]


def test_a_payment_report_goes_to_the_account_of_its_contract() -> None:
    (found,) = _from_channel(_reported())
    assert (found.lane, found.stream) == (CONTRACT, stream_of(CONTRACT))
    assert isinstance(found.command, BookPayment)
    payment = found.command.payment
    assert (payment.channel, payment.amount_minor, payment.source) == (CHANNEL, 14_410, "orders.shop.v1/2/7")


def test_the_payment_number_is_the_channels_own_and_used_once() -> None:
    (found,) = _from_channel(_reported())
    assert found.unique is not None
    assert (found.unique.scope, found.unique.key) == ("payment_no", "shop/PAY-1")
    assert found.otherwise is not None
    assert isinstance(found.otherwise.command, RefusePayment)
    assert found.otherwise.lane == CONTRACT
    assert found.otherwise.stream.startswith("payment-")


def test_a_payment_of_a_book_goes_to_the_contract_of_the_book() -> None:
    (found,) = _from_channel(_reported(book="fremotor"))
    assert found.lane == contract_id_of("book:fremotor", "C-1")


def test_the_same_report_in_other_words_has_the_same_content() -> None:
    (first,) = _from_channel(_reported())
    turned = json.dumps(dict(reversed(REPORT.items())), indent=2).encode()
    zone = _reported(paid_at="2026-01-02T13:00:00+01:00")
    for value in (turned, zone):
        (again,) = _from_channel(value, offset=99)
        assert again.command.payment.content == first.command.payment.content
    for other in (_reported(amount_minor=1), _reported(paid_at="2026-01-02T12:00:01Z")):
        (found,) = _from_channel(other)
        assert found.command.payment.content != first.command.payment.content
    (elsewhere,) = _from_channel(_reported(), channel="harbour")
    assert elsewhere.command.payment.content != first.command.payment.content


def test_a_type_spelt_in_escapes_is_the_same_type() -> None:
    escaped = _reported().replace(b"payment.reported", b"\\u0070ayment.reported")
    assert len(_from_channel(escaped)) == 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"not json, but about a payment.reported",
        b'{"type": "order.placed"}',
        b'{"type": "order.placed", "campaign": "payment.reported"}',
        _reported(amount_minor=0),
        _reported(amount_minor=-1),
        _reported(amount_minor=1.5),
        _reported(amount_minor="14410"),
        _reported(amount_minor=10**16),
        _reported(schema_version=2),
        _reported(currency="eur"),
        _reported(surprise=1),
        _reported(paid_at="2026-01-02T12:00:00"),
        _reported(payment_no="PAY 1"),
        _reported()[:-1] + b', "amount_minor": 1}',
        b"[" + _reported() + b"]",
        _reported() + b" " * ORDER_BYTES_MAX,
        _reported() + b"\x00",
    ],
)
def test_what_is_no_valid_payment_report_is_left_to_quote(value: bytes | None) -> None:
    assert _from_channel(value) == []


def test_an_application_that_ends_takes_its_open_invoices_with_it() -> None:
    names = {"contract_id": CONTRACT, "channel": CHANNEL, "order_no": "O-1"}
    expected = [Instruction(lane=CONTRACT, stream=stream_of(CONTRACT), command=ReverseAdvance(**names))]
    assert _of(ApplicationWithdrawn(**names, reason="changed his mind")) == expected
    assert _of(ApplicationExpired(**names, expired_on=date(2026, 1, 2))) == expected
