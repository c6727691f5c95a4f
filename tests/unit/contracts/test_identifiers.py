"""Derived identifiers: always the same from the same cause, never the same from another."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.vocabulary.identifiers import (
    ChannelCode,
    ClaimNumber,
    ContractId,
    ExternalNumber,
    PolicyNumber,
    claim_number,
    contract_id_of,
    contract_of_policy,
    invoice_number,
    numbering_owner,
    policy_number,
)

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CONTRACT = contract_id_of("channel:shop", "C-1")
numbers = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


def test_the_same_order_always_has_the_same_contract() -> None:
    # Ids are stored for ever: this one was written down and must never change.
    assert contract_id_of("channel:shop", "C-1") == "MSZNYSQATGT5MYTK"


@given(owner=numbers, number=numbers)
def test_a_contract_id_has_its_form(owner: str, number: str) -> None:
    assert TypeAdapter(ContractId).validate_python(contract_id_of(owner, number))


def test_parts_of_an_identifier_cannot_run_into_each_other() -> None:
    assert contract_id_of("ab", "c") != contract_id_of("a", "bc")


def test_channels_number_their_contracts_unless_a_book_does() -> None:
    assert numbering_owner("river", None) != numbering_owner("harbour", None)
    assert numbering_owner("river", "fremotor") == numbering_owner("harbour", "fremotor")
    # A book may be called like a channel without taking its numbers.
    assert numbering_owner("river", "river") != numbering_owner("river", None)


@given(term_no=st.integers(1, 99), number=numbers)
def test_a_policy_number_holds_its_contract(term_no: int, number: str) -> None:
    contract = contract_id_of("channel:shop", number)
    policy_no = policy_number(contract, term_no)
    assert TypeAdapter(PolicyNumber).validate_python(policy_no) == policy_no
    assert contract_of_policy(policy_no) == contract


def test_a_policy_number_can_be_read_out() -> None:
    assert re.fullmatch(r"P01(-[0-9A-Z]{4}){4}-[0-9A-Z]", policy_number(CONTRACT, 1))


@given(place=st.integers(0, 15), symbol=st.sampled_from(SYMBOLS))
def test_a_wrong_symbol_in_a_policy_number_is_found(place: int, symbol: str) -> None:
    policy_no = policy_number(CONTRACT, 1)
    at = 4 + place + place // 4
    # The two symbols whose values differ by the modulus are the one pair that the check cannot tell apart.
    assume((SYMBOLS.index(policy_no[at]) - SYMBOLS.index(symbol)) % 31 != 0)
    with pytest.raises(ValueError, match="check symbol"):
        contract_of_policy(policy_no[:at] + symbol + policy_no[at + 1 :])


def test_a_wrong_term_in_a_policy_number_is_found() -> None:
    with pytest.raises(ValueError, match="check symbol"):
        contract_of_policy("P02" + policy_number(CONTRACT, 1)[3:])


def test_claims_are_numbered_by_channel_and_notice() -> None:
    number = claim_number("claims-desk", "N-1")
    assert TypeAdapter(ClaimNumber).validate_python(number) == number
    assert number == claim_number("claims-desk", "N-1")
    assert number != claim_number("shop", "N-1")


def test_an_invoice_number_names_order_and_instalment() -> None:
    assert invoice_number("O-1", 3) == "O-1/03"
    assert invoice_number("1000111.100a/2003", 12) == "1000111.100a/2003/12"


@pytest.mark.parametrize("number", ["", " ", "a b", "ü", "a" * 65, "tab\t"])
def test_a_channels_number_is_visible_ascii(number: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ExternalNumber).validate_python(number)


@pytest.mark.parametrize("code", ["", "-shop", "shop/east", "a" * 33, "shop.v1"])
def test_a_channel_code_can_stand_in_a_topic_name(code: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ChannelCode).validate_python(code)
