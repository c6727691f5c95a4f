"""The events of an application in words, as an underwriter reads them."""

from typing import Any

from services.cli.decisions import sentences
from tests.unit.quote.domain.test_referrals import TAKE, after, counter
from tests.unit.quote.underwritten import REFERRED, SMOKER, decided, order


def said(events: list[Any]) -> list[str]:
    found = [(event.event_type.removeprefix("quote."), event.model_dump(mode="json")) for event in events]
    return [line for kind, content in found for line in sentences(kind, content)]


def test_an_order_that_a_person_decided_on_is_told_from_end_to_end() -> None:
    events = [*REFERRED]
    for command in (counter(), TAKE):
        events += after(start=events).when(command).decided
    figures = "order.days_to_cover 12, order.sum_insured_minor.Inpatient 50000000"
    until = "open to 2025-12-31; because of the risk (high-sum)"
    assert said(events) == [
        "order H-1 of shop for health-basic, version 1: 1,309.10 CNY, cover from 2026-01-01",
        f"the rules looked at what the order says of each insured and at {figures}",
        "priced at 1,309.10 CNY",
        "referred: because of the risk (high-sum); as ordered 1,309.10 CNY",
        f"offered by li (weight): 1,636.38 CNY instead of 1,309.10 CNY, {until}",
        "loading of 25 % on all coverages",
        "counter offer taken: Zhang",
        "accepted by li (weight) at 1,636.38 CNY",
    ]


def test_an_offer_of_the_rules_says_what_it_adds_and_why() -> None:
    assert said(decided(order(SMOKER, premium=37_206)))[-2:] == [
        "offered by the rules: 465.08 CNY instead of 372.06 CNY, open to 2025-12-30; because of the risk (smoker)",
        "loading of 25 % on Inpatient",
    ]


def test_a_decline_gives_every_fault() -> None:
    lines = said(decided(order(effective="2026-05-01")))
    assert lines[-1] == "declined: because of the risk (long-ahead)"
