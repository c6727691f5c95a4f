"""The gate of form: every kind of bad bytes has its code, its path and a sentence that helps."""

import json
from typing import Any

import pytest

from contracts.channel.v1 import LossReported, OrderPlaced, PaymentReported
from contracts.topics import ORDER_BYTES_MAX
from contracts.vocabulary.faults import FaultCode
from services.quote.channel_form import Malformed, read_message
from services.quote.domain.form import FAULTS_MAX
from tests.support.builders import ADULT, MOTOR_RISK, health_order, motor_order

PAYMENT: dict[str, Any] = {
    "type": "payment.reported",
    "schema_version": 1,
    "payment_no": "Z-1",
    "contract_no": "C-1",
    "amount_minor": 100,
    "currency": "EUR",
    "paid_at": "2026-01-01T00:00:00Z",
}
LOSS: dict[str, Any] = {
    "type": "loss.reported",
    "schema_version": 1,
    "notice_no": "N-1",
    "contract_no": "C-1",
    "loss_date": "2026-02-01",
    "reported_at": "2026-02-02T00:00:00Z",
    "currency": "EUR",
    "lines": [{"line_no": 1, "coverage": "TPLM", "claimed_minor": 100}],
}


def malformed(value: dict[str, Any] | bytes | None) -> Malformed:
    found = read_message(json.dumps(value).encode() if isinstance(value, dict) else value)
    assert isinstance(found, Malformed), found
    return found


def faults(value: dict[str, Any] | bytes | None) -> list[tuple[str, str]]:
    return [(fault.code.value, fault.path) for fault in malformed(value).faults]


def text(message: dict[str, Any]) -> str:
    return json.dumps(message)


@pytest.mark.parametrize(
    ("message", "model"),
    [(motor_order(), OrderPlaced), (health_order(), OrderPlaced), (PAYMENT, PaymentReported), (LOSS, LossReported)],
)
def test_good_messages_pass(message: dict[str, Any], model: type) -> None:
    assert isinstance(read_message(text(message).encode()), model)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"\xff\xff", "UTF-8"),
        (text(motor_order()).encode("utf-16"), "UTF-8"),
        (b"\xef\xbb\xbf" + text(motor_order()).encode(), "BOM"),
        (b"order", "not JSON"),
        (b'{"type": "order.placed",}', "line 1"),
        (b'{"type": "order.placed"', "not JSON"),
        (b'{"premium_minor": NaN}', "NaN"),
        (b'{"premium_minor": Infinity}', "Infinity"),
        (b'{"premium_minor": -Infinity}', "-Infinity"),
        (b'{"type": "order.placed", "type": "loss.reported"}', "type twice"),
        (b'{"risk": {"line": "motor", "line": "health"}}', "line twice"),
        (b"[" * 10_000 + b"]" * 10_000, "too deep"),
        (b'{"premium_minor": ' + b"9" * 5_000 + b"}", "too many digits"),
        (b"[]", "no object"),
        (b'"order"', "no object"),
        (b"null", "no object"),
        (b"1", "no object"),
    ],
)
def test_what_is_no_json_object_is_not_json(value: bytes | None, sentence: str) -> None:
    (fault,) = malformed(value).faults
    assert fault.code is FaultCode.NOT_JSON
    assert sentence in fault.message


def test_half_a_character_is_not_json() -> None:
    value = text(motor_order(campaign="CUT")).replace("CUT", "\\ud800").encode()
    assert faults(value) == [("not_json", "")]


def test_nesting_that_only_the_second_reader_refuses_is_not_json() -> None:
    value = text(motor_order(campaign="CUT")).replace('"CUT"', "[" * 300 + "]" * 300).encode()
    assert faults(value)[0][0] == "not_json"


def test_the_size_is_limited_to_the_byte() -> None:
    padding = b" " * (ORDER_BYTES_MAX - len(text(motor_order())))
    assert isinstance(read_message(text(motor_order()).encode() + padding), OrderPlaced)
    assert faults(text(motor_order()).encode() + padding + b" ") == [("too_large", "")]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"type": None}, "type"),
        ({"type": "order.cancelled"}, "type"),
        ({"type": ["order.placed"]}, "type"),
        ({"schema_version": None}, "schema_version"),
        ({"schema_version": 2}, "schema_version"),
        ({"schema_version": "1"}, "schema_version"),
        ({"schema_version": True}, "schema_version"),
    ],
)
def test_an_unknown_type_or_version_is_told(changes: dict[str, Any], path: str) -> None:
    assert faults(motor_order(**changes)) == [("unknown_schema", path)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"premium_minor": None}, ("missing_field", "premium_minor")),
        ({"currency": None}, ("missing_field", "currency")),
        ({"colour": "red"}, ("unknown_field", "colour")),
        ({"premium_minor": 412500.5}, ("invalid_field", "premium_minor")),
        ({"premium_minor": 14410.0}, ("invalid_field", "premium_minor")),
        ({"premium_minor": "14410"}, ("invalid_field", "premium_minor")),
        ({"premium_minor": True}, ("invalid_field", "premium_minor")),
        ({"premium_minor": -1}, ("invalid_field", "premium_minor")),
        ({"premium_minor": 2**53 + 1}, ("invalid_field", "premium_minor")),
        ({"premium_minor": 10**30}, ("invalid_field", "premium_minor")),
        ({"order_no": 5}, ("invalid_field", "order_no")),
        ({"order_no": "O 1"}, ("invalid_field", "order_no")),
        ({"order_no": " O-1"}, ("invalid_field", "order_no")),
        ({"order_no": ""}, ("invalid_field", "order_no")),
        ({"order_no": "x" * 65}, ("invalid_field", "order_no")),
        ({"order_no": "订单"}, ("invalid_field", "order_no")),
        ({"currency": "eur"}, ("invalid_field", "currency")),
        ({"currency": "EURO"}, ("invalid_field", "currency")),
        ({"effective": "2026-02-30"}, ("invalid_field", "effective")),
        ({"effective": "0001-01-01"}, ("invalid_field", "effective")),
        ({"effective": "9999-12-31"}, ("invalid_field", "effective")),
        ({"effective": "2026-01-01T00:00:00Z"}, ("invalid_field", "effective")),
        ({"effective": 0}, ("invalid_field", "effective")),
        ({"placed_at": "2025-12-20T10:00:00"}, ("invalid_field", "placed_at")),
        ({"placed_at": "2025-12-20T24:00:00Z"}, ("invalid_field", "placed_at")),
        ({"placed_at": "2025-12-20"}, ("invalid_field", "placed_at")),
        ({"placed_at": 1_766_224_800}, ("invalid_field", "placed_at")),
        ({"placed_at": "0001-01-01T00:00:00+05:00"}, ("invalid_field", "placed_at")),
        ({"placed_at": "9999-12-31T23:59:59-05:00"}, ("invalid_field", "placed_at")),
        ({"frequency": "weekly"}, ("invalid_field", "frequency")),
        ({"product": "Motor Private"}, ("invalid_field", "product")),
        ({"campaign": "   "}, ("invalid_field", "campaign")),
        ({"policyholder_name": "x" * 500}, ("invalid_field", "policyholder_name")),
        ({"policyholder_name": "A\0B"}, ("invalid_field", "policyholder_name")),
        ({"coverages": []}, ("invalid_field", "coverages")),
        ({"coverages": {}}, ("invalid_field", "coverages")),
        ({"coverages": [{"code": "A"}] * 51}, ("invalid_field", "coverages")),
        ({"coverages": [{"code": "A"}, {"premium_minor": 1}]}, ("missing_field", "coverages.1.code")),
        ({"coverages": [{"code": "A", "sum_insured_minor": 0}]}, ("invalid_field", "coverages.0.sum_insured_minor")),
        ({"risk": None}, ("missing_field", "risk")),
        ({"risk": "car"}, ("invalid_field", "risk")),
        ({"risk": {}}, ("missing_field", "risk.line")),
        ({"risk": {**MOTOR_RISK, "line": "boat"}}, ("invalid_field", "risk.line")),
        ({"risk": {**MOTOR_RISK, "driver_age": "44"}}, ("invalid_field", "risk.driver_age")),
        ({"risk": {**MOTOR_RISK, "bonus_malus": 49}}, ("invalid_field", "risk.bonus_malus")),
        ({"risk": {**MOTOR_RISK, "bonus_malus": 351}}, ("invalid_field", "risk.bonus_malus")),
        ({"risk": {**MOTOR_RISK, "motor": 1}}, ("unknown_field", "risk.motor")),
        ({"risk": {"line": "health", "insureds": []}}, ("invalid_field", "risk.insureds")),
        (
            {"risk": {"line": "health", "insureds": [{**ADULT, "smoker": "yes"}]}},
            ("invalid_field", "risk.insureds.0.smoker"),
        ),
    ],
)
def test_each_bad_field_has_its_code_and_path(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert faults(motor_order(**changes)) == [expected]


@pytest.mark.parametrize("name", ["李雷", "🚗 Ünïcode", "عمر", "𠀀𠮷", "O\u200bBrien"])
def test_names_of_any_script_pass(name: str) -> None:
    assert isinstance(read_message(text(motor_order(policyholder_name=name)).encode()), OrderPlaced)


def test_a_backslash_before_u0000_is_no_nul() -> None:
    assert isinstance(read_message(text(motor_order(campaign="A\\u0000")).encode()), OrderPlaced)


def test_a_number_too_large_for_any_reader_is_an_invalid_field() -> None:
    value = text(motor_order()).replace("14410", "1e400").encode()
    assert faults(value) == [("invalid_field", "premium_minor")]


def test_all_faults_are_told_at_once_in_plain_words() -> None:
    order = motor_order(premium_minor="x", risk=None, currency="eur", colour="red", policyholder_name="A\0B")
    messages = {fault.path: fault.message for fault in malformed(order).faults}
    assert messages == {
        "currency": "currency must be a currency code of three capital letters, such as EUR",
        "premium_minor": "premium_minor must be a whole number, without quotes and without a decimal point",
        "risk": "risk is required; add it",
        "colour": "colour is not a field of this message; remove it or correct its name",
        "policyholder_name": "policyholder_name is not valid: it holds a control character; remove it",
    }


def test_a_message_of_nothing_but_mistakes_is_not_answered_with_thousands() -> None:
    found = malformed({**motor_order(), **{f"field_{i}": 1 for i in range(10_000)}}).faults
    assert len(found) == FAULTS_MAX + 1
    assert "9950 more" in found[-1].message


def test_a_path_holds_nothing_that_cannot_be_printed() -> None:
    (fault,) = malformed({**motor_order(), "a\0\ud800\n" + "b" * 500: 1}).faults[:1]
    assert fault.code in (FaultCode.UNKNOWN_FIELD, FaultCode.NOT_JSON)
    assert fault.path.isprintable()
    assert fault.path.isascii()


def test_a_refusal_names_the_message_as_far_as_it_can_be_read() -> None:
    found = malformed({**PAYMENT, "amount_minor": 0})
    assert (found.message_type, found.reference) == ("payment.reported", "Z-1")
    assert malformed(motor_order(order_no="O 1")).reference is None
    assert malformed({"type": "x\n"}).message_type is None


def test_a_loss_notice_that_names_no_contract_says_so() -> None:
    (fault,) = malformed({name: value for name, value in LOSS.items() if name != "contract_no"}).faults
    assert (fault.code, fault.path) == (FaultCode.INVALID_FIELD, "")
    assert "give either policy_no or contract_no" in fault.message


@pytest.mark.parametrize("message", [{**PAYMENT, "amount_minor": 0}, {**LOSS, "lines": []}, {**LOSS, "loss_date": "x"}])
def test_malformed_payments_and_notices_are_refused_too(message: dict[str, Any]) -> None:
    assert faults(message)[0][0] == "invalid_field"
