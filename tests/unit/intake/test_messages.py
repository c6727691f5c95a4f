"""Rows to messages: values, groups, keys, and all faults of a row at once."""

import json
from collections.abc import Sequence
from typing import Any

from services.intake.faults import RowFault
from services.intake.mapping import Mapping, parse_mapping
from services.intake.messages import Prepared, Rejected, prepare
from services.intake.rows import BadRow, Row

ORDERS = """
message: order.placed
channel: {column: Shop}
fields:
  order_no: {template: "{Contract}/{Year}"}
  contract_no: {column: Contract}
  product: {value: motor-private}
  placed_at: {template: "{Year}-01-01T00:00:00Z"}
  effective: {template: "{Year}-01-01"}
  currency: {column: Currency}
  premium_minor: {column: Total}
  frequency: {column: Pays, map: {"twice": half-yearly, "once": annual}}
  campaign: {column: Campaign, optional: true}
  risk.line: {value: motor}
  risk.driver_age: {column: Age}
  risk.driver_gender: {value: F}
  risk.vehicle_age: {value: "3"}
  risk.vehicle_class: {value: small}
  risk.vehicle_power: {value: 70 kW}
  risk.fuel: {value: petrol}
  risk.usage: {value: private}
  risk.garage: {value: street}
  risk.area: {value: zone 1}
  risk.region: {value: north}
column_lists:
  coverages: {name_field: code, value_field: premium_minor, skip_zero: true, columns: {Fire: F, Theft: T}}
"""
CLAIMS = """
message: loss.reported
channel: {value: desk}
group_by: [Claim]
fields:
  notice_no: {column: Claim}
  contract_no: {column: Contract}
  loss_date: {column: Day}
  reported_at: {template: "{Day}T00:00:00Z"}
  currency: {value: EUR}
row_lists:
  lines:
    number_field: line_no
    per_row:
      coverage: {column: Guarantee, map: {TPL: TPLM, Glass: Windscreen}}
      claimed_minor: {column: Payment}
"""
GOOD = {
    "Shop": "river",
    "Contract": "C-1",
    "Year": "2026",
    "Currency": "EUR",
    "Total": "144.10",
    "Pays": "twice",
    "Campaign": "",
    "Age": "44",
    "F": "15.00",
    "T": "129.10",
}


def order(**cells: str) -> Prepared | Rejected:
    return rows_of(ORDERS, [{**GOOD, **cells}])[0]


def rows_of(text: str, cells: Sequence[dict[str, str]]) -> list[Prepared | Rejected]:
    mapping: Mapping = parse_mapping(text.encode(), "m.yaml")
    rows = [Row(line, line, [row[name] for name in mapping.columns]) for line, row in enumerate(cells, 2)]
    return list(prepare(mapping, rows))


def content(made: Prepared | Rejected) -> dict[str, Any]:
    assert isinstance(made, Prepared), made
    message: dict[str, Any] = json.loads(made.value)
    return message


def faults(made: Prepared | Rejected) -> dict[str, str]:
    assert isinstance(made, Rejected), made
    return {fault.field: fault.reason for fault in made.faults}


def claim(**cells: str) -> dict[str, str]:
    row = {"Claim": "N-1", "Contract": "C-1", "Day": "2026-03-01", "Guarantee": "TPL", "Payment": "331"}
    return {**row, **cells}


def test_a_row_becomes_a_message_of_its_contract() -> None:
    message = content(order())
    assert message["order_no"] == "C-1/2026"
    assert message["premium_minor"] == 14_410
    assert message["frequency"] == "half-yearly"
    assert message["effective"] == "2026-01-01"
    assert message["coverages"] == [
        {"code": "Fire", "premium_minor": 1_500},
        {"code": "Theft", "premium_minor": 12_910},
    ]
    assert message["risk"]["driver_age"] == 44
    assert "campaign" not in message


def test_the_channel_and_the_key_come_from_the_row() -> None:
    made = order(Shop="harbour")
    assert isinstance(made, Prepared)
    assert (made.channel, made.key, made.lines) == ("harbour", "C-1", ((2, 2),))


def test_a_zero_premium_is_a_coverage_that_was_not_bought() -> None:
    assert content(order(F="0.00", Total="129.10"))["coverages"] == [{"code": "Theft", "premium_minor": 12_910}]
    assert content(order(F="", Total="129.10"))["coverages"] == [{"code": "Theft", "premium_minor": 12_910}]


def test_the_currency_decides_how_many_decimals_an_amount_has() -> None:
    assert content(order(Currency="JPY", Total="144", F="15", T="129"))["premium_minor"] == 144
    assert "more than 0 decimals" in faults(order(Currency="JPY"))["premium_minor"]


def test_all_faults_of_a_row_are_told_at_once() -> None:
    found = faults(order(Shop="ri ver", Age="old", Pays="thrice", Year="26", T="1.234"))
    assert found == {
        "channel": '"ri ver" is not a channel code',
        "risk.driver_age": 'column Age: "old" is not a whole number',
        "frequency": 'column Pays: "thrice" is not one of twice, once',
        "placed_at": 'template {Year}-01-01T00:00:00Z: "26-01-01T00:00:00Z" is not a moment of the form '
        "YYYY-MM-DDTHH:MM:SSZ",
        "effective": 'template {Year}-01-01: "26-01-01" is not a date of the form YYYY-MM-DD',
        "coverages.1.premium_minor": 'column T: "1.234" has more than 2 decimals',
    }


def test_what_only_the_contract_knows_is_told_in_plain_words() -> None:
    found = faults(order(Age="200", Contract="C 1", Currency="eur"))
    assert found["risk.driver_age"] == '"200" must be at most 130'
    assert '"C 1" does not have the form' in found["contract_no"]
    assert '"eur" does not have the form' in found["currency"]


def test_an_empty_cell_is_a_fault_unless_it_is_optional() -> None:
    assert faults(order(Age=" "))["risk.driver_age"] == "column Age: is empty"
    assert faults(order(Year=""))["order_no"] == "template {Contract}/{Year}: is empty"


def test_rows_of_a_group_become_one_message_though_they_stand_apart() -> None:
    made = rows_of(CLAIMS, [claim(), claim(Claim="N-2"), claim(Guarantee="Glass", Payment="12.50")])
    assert [content(one)["notice_no"] for one in made] == ["N-1", "N-2"]
    assert content(made[0])["lines"] == [
        {"line_no": 1, "coverage": "TPLM", "claimed_minor": 33_100},
        {"line_no": 2, "coverage": "Windscreen", "claimed_minor": 1_250},
    ]
    assert isinstance(made[0], Prepared)
    assert made[0].lines == ((2, 2), (4, 4))


def test_rows_of_a_group_that_contradict_each_other_make_no_message() -> None:
    (made,) = rows_of(CLAIMS, [claim(), claim(Day="2026-03-02")])
    assert isinstance(made, Rejected)
    assert set(made.faults) == {
        RowFault(3, "loss_date", "differs from line 2 of the same group"),
        RowFault(3, "reported_at", "differs from line 2 of the same group"),
    }


def test_a_bad_row_spoils_its_whole_group_and_no_other() -> None:
    bad, good = rows_of(CLAIMS, [claim(), claim(Guarantee="Hail"), claim(Claim="N-2")])
    assert isinstance(bad, Rejected)
    assert bad.lines == ((2, 2), (3, 3))
    assert [(fault.line, fault.field) for fault in bad.faults] == [(3, "lines.1.coverage")]
    assert isinstance(good, Prepared)


def test_a_group_of_too_many_rows_is_refused_by_the_contract() -> None:
    (made,) = rows_of(CLAIMS, [claim(Payment=str(number)) for number in range(101)])
    assert faults(made) == {"lines.100.line_no": '"101" must be at most 100'}


def test_a_row_that_cannot_be_read_is_rejected_alone() -> None:
    mapping = parse_mapping(CLAIMS.encode(), "m")
    assert list(prepare(mapping, [BadRow(7, 7, "has a NUL character")])) == [
        Rejected((RowFault(7, "", "has a NUL character"),), ((7, 7),))
    ]


def test_nobody_can_put_control_characters_into_a_report() -> None:
    assert faults(order(Age="4\x1b[2J"))["risk.driver_age"] == 'column Age: "4\\u001b[2J" is not a whole number'
