"""Which foreign records become commands, with which lane, stream and unique number."""

import json
from typing import Any

import pytest

from contracts.billing.v1 import ClaimPaid
from contracts.envelope import schema_name
from contracts.policy.v1 import PolicyIssued, PolicyRenewed
from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.identifiers import contract_id_of, policy_number
from contracts.vocabulary.model import PublicEvent
from contracts.vocabulary.money import AMOUNT_MINOR_MAX
from services.claims.domain.commands import RecordPayment, RefuseNotice, RegisterCover, ReportLoss
from services.claims.inbound import react, react_to_channel
from services.kernel.messages import Delivery, Instruction, UniqueKey
from tests.support.builders import CHANNEL, CONTRACT, cover_terms
from tests.unit.claims.examples import CLAIM, POLICY

NOTICE: dict[str, Any] = {
    "type": "loss.reported",
    "schema_version": 1,
    "notice_no": "N-1",
    "contract_no": "C-1",
    "loss_date": "2026-05-01",
    "reported_at": "2026-05-02T09:30:00Z",
    "currency": "EUR",
    "lines": [{"line_no": 1, "coverage": "Windscreen", "claimed_minor": 45_000}],
}


def delivery(value: bytes | None, topic: str = f"orders.{CHANNEL}.v1", headers: Any = ()) -> Delivery:
    """A record at offset 7 of partition 0."""
    return Delivery(topic, 0, 7, None, value, headers, 0)


def reported(value: bytes | None = None, **changes: Any) -> list[Instruction]:
    """The instructions of a channel's notice."""
    content = {name: field for name, field in {**NOTICE, **changes}.items() if field is not None}
    return list(react_to_channel(delivery(value or json.dumps(content).encode())))


def public(event: PublicEvent) -> Delivery:
    """A record of an events topic."""
    model = type(event)
    headers = (("ce_type", model.event_type.encode()), ("ce_dataschema", schema_name(model).encode()))
    return delivery(event.model_dump_json().encode(), "policy.events.v1", headers)


@pytest.mark.parametrize("kind", [PolicyIssued, PolicyRenewed])
def test_an_issued_or_renewed_term_becomes_cover(kind: type[PolicyIssued | PolicyRenewed]) -> None:
    (instruction,) = react(public(kind(policy_no=POLICY, term_no=1, terms=cover_terms())))
    assert instruction.lane == CONTRACT
    assert instruction.stream == f"cover-{CONTRACT}"
    assert instruction.command == RegisterCover(policy_no=POLICY, term_no=1, terms=cover_terms())


def test_a_paid_claim_becomes_a_recorded_payment() -> None:
    paid = ClaimPaid(
        contract_id=CONTRACT,
        channel=CHANNEL,
        claim_no=CLAIM,
        notice_no="N-1",
        paid_minor=45_000,
        currency="EUR",
    )
    (instruction,) = react(public(paid))
    assert instruction.stream == f"cover-{CONTRACT}"
    assert instruction.command == RecordPayment(claim_no=CLAIM, paid_minor=45_000, currency="EUR")


def test_a_loss_notice_goes_to_the_contract_that_it_names() -> None:
    (instruction,) = reported()
    assert (instruction.lane, instruction.stream) == (CONTRACT, f"cover-{CONTRACT}")
    assert instruction.unique == UniqueKey("notice_no", "shop/N-1")
    assert isinstance(instruction.command, ReportLoss)
    assert instruction.command.source == "orders.shop.v1/0/7"
    assert instruction.command.lines[0].claimed_minor == 45_000


def test_a_policy_number_and_a_book_name_contracts_too() -> None:
    (by_policy,) = reported(contract_no=None, policy_no=policy_number(CONTRACT, 2))
    assert by_policy.lane == CONTRACT
    (by_book,) = reported(book="fremotor")
    assert by_book.lane == contract_id_of("book:fremotor", "C-1")


def test_a_number_taken_by_another_contract_is_refused_in_a_stream_of_its_own() -> None:
    (instruction,) = reported()
    otherwise = instruction.otherwise
    assert otherwise is not None
    assert isinstance(otherwise.command, RefuseNotice)
    assert otherwise.command.faults[0].code is FaultCode.NOTICE_NUMBER_REUSED
    assert otherwise.stream == f"loss-notice-{otherwise.command.content_digest}"
    assert otherwise.lane == CONTRACT


def test_the_digest_is_of_the_content_not_of_its_spelling() -> None:
    spelled = json.dumps({**dict(reversed(NOTICE.items())), "reported_at": "2026-05-02T11:30:00+02:00"}, indent=2)
    first, again = reported()[0], reported(spelled.encode())[0]
    assert first.command.content_digest == again.command.content_digest
    assert first.command.content_digest != reported(loss_date="2026-05-02")[0].command.content_digest


def test_an_escaped_type_is_still_a_loss_notice() -> None:
    escaped = json.dumps(NOTICE).replace("loss.reported", "loss\\u002ereported")
    assert len(reported(escaped.encode())) == 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"not JSON but loss.reported",
        b'{"type": "order.placed", "policyholder_name": "loss.reported"}',
        b'{"type": "order.placed", "policyholder_name": "Zo\\u00eb"}',
        json.dumps({**NOTICE, "colour": "red"}).encode(),
        json.dumps({**NOTICE, "schema_version": 2}).encode(),
        json.dumps({**NOTICE, "policy_no": POLICY}).encode(),
        json.dumps(NOTICE).replace('"currency": "EUR"', '"currency": "USD", "currency": "EUR"').encode(),
        json.dumps(NOTICE).encode().replace(b"EUR", b"EU\xff"),
        json.dumps(NOTICE).encode() + b" " * 256 * 1024,
    ],
    ids=[
        "tombstone",
        "empty",
        "not JSON",
        "order naming the type",
        "order with an escape",
        "unknown field",
        "unknown version",
        "two contracts",
        "field given twice",
        "not UTF-8",
        "too large",
    ],
)
def test_what_is_no_valid_loss_notice_is_left_to_the_service_that_refuses_it(value: bytes | None) -> None:
    assert list(react_to_channel(delivery(value))) == []


def test_a_claimed_total_beyond_any_amount_is_refused_and_kept() -> None:
    lines = [{"line_no": n, "coverage": "TPLM", "claimed_minor": AMOUNT_MINOR_MAX} for n in (1, 2)]
    (instruction,) = reported(lines=lines)
    assert isinstance(instruction.command, RefuseNotice)
    assert instruction.dead_letter == FaultCode.INVALID_FIELD
    assert [fault.message for fault in instruction.faults] == [fault.message for fault in instruction.command.faults]
    assert instruction.unique is None
