"""Mapping files: what is accepted, and that every mistake is named with its path."""

import pytest

from services.intake.contract_fields import Conversion
from services.intake.mapping import MappingError, load_mapping, parse_mapping, shipped_mappings

PAYMENTS = """
message: payment.reported
channel: {value: shop}
fields:
  payment_no: {column: Ref}
  contract_no: {column: Contract}
  amount_minor: {column: Amount}
  currency: {value: EUR}
  paid_at: {template: "{Day}T00:00:00Z"}
"""


def faults_of(text: str) -> list[str]:
    with pytest.raises(MappingError) as caught:
        parse_mapping(text.encode(), "m.yaml")
    return str(caught.value).splitlines()


def test_a_mapping_names_its_columns_once_each() -> None:
    mapping = parse_mapping(PAYMENTS.encode(), "m.yaml")
    assert mapping.columns == ("Ref", "Contract", "Amount", "Day")


def test_the_field_of_the_contract_decides_how_a_cell_is_read() -> None:
    mapping = parse_mapping(PAYMENTS.encode(), "m.yaml")
    wanted = {
        "payment_no": Conversion.TEXT,
        "amount_minor": Conversion.MINOR,
        "paid_at": Conversion.INSTANT,
    }
    assert {path: mapping.conversion(path, None) for path in wanted} == wanted
    assert mapping.conversion("amount_minor", Conversion.INTEGER) is Conversion.INTEGER


def test_all_mistakes_are_told_at_once() -> None:
    text = PAYMENTS.replace("currency:", "curency:").replace("{column: Ref}", "{colum: Ref}")
    assert faults_of(text) == [
        "m.yaml: fields.payment_no.colum: is not known here",
    ]
    assert faults_of(PAYMENTS.replace("currency:", "curency:")) == [
        "m.yaml: fields.curency: payment.reported has no field curency",
        "m.yaml: fields.currency: payment.reported needs it",
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{column: Ref}", "{column: Ref, value: x}", "fields.payment_no: give exactly one of column, value, template"),
        ("{column: Ref}", "{}", "fields.payment_no: give exactly one of column, value, template"),
        ('"{Day}T00:00:00Z"', "noon", "fields.paid_at: the template names no column; write {Column}, or use value"),
        ("payment.reported", "payment.made", "message: must be 'order.placed', "),
        ("message: payment.reported", "", "message: is missing"),
        ("payment_no:", "type:", "fields.type: is set for you"),
        ("{column: Amount}", "{column: Amount, as: money}", "fields.amount_minor.as: must be 'text', "),
    ],
)
def test_a_mistake_is_named_with_its_path(old: str, new: str, fault: str) -> None:
    assert any(line.startswith(f"m.yaml: {fault}") for line in faults_of(PAYMENTS.replace(old, new, 1)))


def test_a_list_that_the_message_does_not_have_is_a_mistake() -> None:
    text = PAYMENTS + "column_lists: {lines: {name_field: code, value_field: amount_minor, columns: {A: B}}}\n"
    assert "m.yaml: lines: payment.reported has no such list" in faults_of(text)


def test_a_group_needs_something_that_its_rows_become() -> None:
    assert faults_of(PAYMENTS + "group_by: [Ref]\n") == [
        "m.yaml: group_by: needs row_lists, which say what the rows of a group become"
    ]


def test_a_field_given_twice_is_a_mistake() -> None:
    assert "currency stands twice" in faults_of(PAYMENTS + "  currency: {value: CNY}\n")[0]


@pytest.mark.parametrize("text", ["", "- a list", "{", "a: [", "\ttab"])
def test_what_is_no_mapping_is_told_in_one_sentence(text: str) -> None:
    assert faults_of(text)[0].startswith("m.yaml: ")


def test_words_that_yaml_would_turn_into_something_else_stay_words() -> None:
    text = PAYMENTS.replace("{value: shop}", "{column: Country, map: {No: norway, 007: bond}}")
    assert parse_mapping(text.encode(), "m").channel.replacements == {"No": "norway", "007": "bond"}


def test_shipped_mappings_are_found_by_name() -> None:
    assert shipped_mappings() == ["casdatasets-motor-claims", "casdatasets-motor-policies"]
    for name in shipped_mappings():
        assert load_mapping(name) == load_mapping(f"{name}.yaml")


def test_a_mapping_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(MappingError, match=r"nowhere\.yaml: No such file"):
        load_mapping("nowhere.yaml")
