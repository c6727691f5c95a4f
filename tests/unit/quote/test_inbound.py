"""From messages to instructions: addresses, unique numbers, refusals, and applications followed to their end."""

from datetime import UTC, datetime

import pytest

from contracts.envelope import cloud_event_headers
from contracts.policy.v1 import IssuanceFailed, PolicyIssued, PolicyRenewed
from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.identifiers import contract_id_of, policy_number
from contracts.vocabulary.model import PublicEvent
from services.kernel.messages import Delivery, FieldFault, UniqueKey
from services.quote.domain.commands import RecordIssue, RecordIssueFailure, RefuseMessage, SubmitApplication
from services.quote.inbound import application_stream, react
from tests.support.builders import CONTRACT, cover_terms, motor_order
from tests.unit.quote.orders import INBOUND, VERSIONS, delivery, instruction
from tests.unit.quote.test_channel_form import LOSS, PAYMENT

ISSUED = PolicyIssued(policy_no=policy_number(CONTRACT, 1), term_no=1, terms=cover_terms())


def public(event: PublicEvent) -> Delivery:
    headers = cloud_event_headers(
        type(event), event_id="1", source="/policy", subject="s", time=datetime(2026, 1, 1, tzinfo=UTC)
    )
    value = event.model_dump_json().encode()
    return Delivery("policy.events.v1", 0, 0, CONTRACT.encode(), value, tuple(headers), 0)


def test_an_order_goes_to_its_contracts_lane() -> None:
    found = instruction(motor_order())
    contract_id = contract_id_of("book:fremotor", "C-1")
    assert found.lane == contract_id
    assert found.stream == application_stream("shop", "O-1", contract_id)
    assert found.unique == UniqueKey("order_no", "shop/O-1")
    assert found.command.product is VERSIONS["motor-private"]


def test_an_order_without_a_contract_number_starts_its_own() -> None:
    found = instruction(motor_order(contract_no=None))
    assert found.lane == contract_id_of("book:fremotor", "O-1")
    assert found.command.order == instruction(motor_order(contract_no="O-1")).command.order


def test_the_number_of_another_contracts_order_is_refused() -> None:
    first, other = instruction(motor_order()), instruction(motor_order(contract_no="C-2"))
    assert first.stream != other.stream
    assert first.unique == other.unique
    assert other.otherwise is not None
    assert other.otherwise.dead_letter == "order_number_reused"
    assert [fault.path for fault in other.otherwise.command.faults] == ["order_no"]
    assert "first order stands" in other.otherwise.command.faults[0].message


def test_blanks_and_the_order_of_fields_are_no_content() -> None:
    message = motor_order()
    turned = dict(reversed(message.items())) | {"frequency": "annual", "placed_at": "2025-12-20T11:00:00+01:00"}
    one, other = instruction(message).command, instruction(turned).command
    assert isinstance(one, SubmitApplication)
    assert one.order == other.order
    assert one.order.digest() == other.order.digest()


def test_a_malformed_message_is_refused_and_kept() -> None:
    found = instruction(b"{")
    assert isinstance(found.command, RefuseMessage)
    assert found.stream == found.lane == f"intake-{found.command.content_digest}"
    assert found.dead_letter == "not_json"
    (told,) = found.command.faults
    assert found.faults == (FieldFault(told.code, told.path, told.message),)
    assert found.command.source == "orders.shop.v1/3/7"


def test_the_same_bytes_go_to_the_same_stream_and_other_bytes_to_another() -> None:
    assert instruction(b"{", offset=1).stream == instruction(b"{", offset=2).stream
    assert instruction(b"{").stream != instruction(b"[").stream


def test_valid_payments_and_notices_are_left_to_billing_and_claims() -> None:
    assert INBOUND.react_to_channel(delivery(PAYMENT)) == ()
    assert INBOUND.react_to_channel(delivery(LOSS)) == ()


def test_only_a_channels_topic_has_a_channel() -> None:
    with pytest.raises(ValueError, match="orders topic"):
        INBOUND.react_to_channel(Delivery("policy.events.v1", 0, 0, None, b"{}", (), 0))


def test_an_issued_policy_ends_its_application() -> None:
    (found,) = react(public(ISSUED))
    assert (found.lane, found.stream) == (CONTRACT, application_stream("shop", "O-1", CONTRACT))
    assert isinstance(found.command, RecordIssue)
    assert (found.command.policy_no, found.command.renewal) == (ISSUED.policy_no, False)


def test_a_renewal_ends_its_own_application() -> None:
    renewed = PolicyRenewed(policy_no=policy_number(CONTRACT, 2), term_no=2, terms=cover_terms(order_no="O-2"))
    (found,) = react(public(renewed))
    assert found.stream == application_stream("shop", "O-2", CONTRACT)
    assert found.command.renewal is True


def test_a_failed_issuance_ends_its_application() -> None:
    fault = Fault(code=FaultCode.OVERLAPPING_TERM, message="covered already")
    (found,) = react(public(IssuanceFailed(contract_id=CONTRACT, channel="shop", order_no="O-1", faults=(fault,))))
    expected = RecordIssueFailure(channel="shop", contract_id=CONTRACT, order_no="O-1", faults=(fault,))
    assert found.command == expected
