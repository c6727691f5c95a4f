"""Comprehensive private car: orders as channels write them, through the shipped document, to price and decision."""

from typing import Any

import pytest

from contracts.vocabulary.faults import FaultCode
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ApplicationAccepted
from services.quote.domain.state import NothingYet
from services.quote.domain.trial import Trial, trial
from services.quote.domain.underwriting.events import ApplicationAssessed, CounterOffered
from tests.support.cars import ANSWERS, DAMAGE, HISTORY, car_order, car_risk
from tests.unit.quote.orders import submit

THIRD_PARTY = {"code": "ThirdParty", "sum_insured_minor": 100_000_000}


def tried(*coverages: dict[str, Any], **changes: Any) -> Trial:
    return trial(submit(car_order(*coverages, **changes)), at_our_price=True)


def faults(found: Trial) -> list[tuple[str, str]]:
    return [(fault.code.value, fault.path) for fault in found.faults]


def test_an_order_at_the_tariffs_price_is_accepted() -> None:
    # Base 4,000.00 x level -1 0.8 x own factor 0.92 (worked figure W20).
    accepted = QUOTE_DECIDER.decide(submit(car_order()), NothingYet())[-1]
    assert isinstance(accepted, ApplicationAccepted)
    assert (accepted.terms.premium_minor, accepted.terms.settlement) == (294_400, "pay-before-cover")


@pytest.mark.parametrize(
    ("history", "level", "premium_minor"),
    [
        ({"new_car": True}, 0, 368_000),
        ({"claims_in_three_years": 0, "years_insured": 1}, -1, 294_400),
        ({"claims_in_three_years": 1, "years_insured": 3}, -2, 257_600),
        ({"claims_in_three_years": 0, "years_insured": 4}, -4, 184_000),
        ({"claims_in_three_years": 3, "years_insured": 1}, 2, 515_200),
    ],
    ids=["new", "one clean year", "three years one claim", "four clean years", "one year three claims"],
)
def test_the_no_claims_level_prices_the_order(history: dict[str, Any], level: int, premium_minor: int) -> None:
    # Worked figure W20: base 4,000.00, own factor 0.92.
    found = tried(risk=car_risk(history=history))
    assert (found.outcome, found.premium_minor) == ("accepted", premium_minor)
    assert f"factors.4.levels.{level}" in {step.row for step in found.working}


@pytest.mark.parametrize(
    ("more", "level", "premium_minor"),
    [
        ({"gap_months": 4}, -2, 257_600),
        ({"gap_months": 7}, 0, 368_000),
        ({"transferred": True}, 0, 368_000),
        ({"gap_months": 2}, -3, 220_800),
    ],
    ids=["a gap of four months", "of seven", "a new keeper", "of two"],
)
def test_after_a_gap_the_level_only_rises_and_a_new_keeper_begins_anew(
    more: dict[str, Any], level: int, premium_minor: int
) -> None:
    # Worked figure W20b: last level -2, computed -3.
    history = {"claims_in_three_years": 0, "years_insured": 3, "last_level": -2, **more}
    found = tried(risk=car_risk(history=history))
    assert found.premium_minor == premium_minor
    (step,) = [step for step in found.working if step.row.startswith("factors.4.")]
    assert (step.coverage, step.row) == ("VehicleDamage", f"factors.4.levels.{level}")


def test_the_working_tells_each_step_in_words() -> None:
    history = {"claims_in_three_years": 0, "years_insured": 3, "last_level": -2, "gap_months": 4}
    told = "claims_in_three_years 0, years_insured 3, gap_months 4, last_level -2"
    came_about = "claims 0 less years 3 is -3, but after 4 months without cover it only rises"
    steps = [(step.value, step.origin) for step in tried(risk=car_risk(history=history)).working]
    assert steps == [
        ("400000", "minor rate of VehicleDamage, table vehicle-damage, vehicle_age 1, sum_insured_minor 30000000"),
        ("1", "factor use, usage private"),
        ("1", "factor fuel, fuel petrol"),
        ("0.7", f"factor NCD, {told}: {came_about}, level -2"),
        ("0.92", "factor own pricing, driver_age 44, disclosure_yearly_km 10-to-20"),
        ("243019", "premium without VAT 6 % inside 257600 minor units"),
        ("14581", "VAT 6 % inside 257600 minor units"),
    ]


def test_a_new_keeper_needs_no_history_and_who_tells_none_is_not_priced() -> None:
    assert tried(risk=car_risk(history={"transferred": True})).premium_minor == 368_000
    found = tried(risk=car_risk(history={}))
    assert (found.outcome, found.premium_minor, faults(found)) == ("referred", None, [])


def test_the_compulsory_cover_has_a_scale_and_limits_of_its_own() -> None:
    found = tried({"code": "CompulsoryTP"}, risk=car_risk(history={"claims_in_three_years": 0, "years_insured": 5}))
    assert [(one.premium_minor, one.sum_insured_minor) for one in found.coverages] == [(66_500, 20_000_000)]
    two_claims = tried(
        {"code": "CompulsoryTP"}, risk=car_risk(history={"claims_in_three_years": 2, "years_insured": 1})
    )
    assert two_claims.premium_minor == 104_500


def test_passengers_are_insured_and_priced_by_seat() -> None:
    bought = [THIRD_PARTY, {"code": "Driver", "sum_insured_minor": 5_000_000}]
    found = tried(*bought, {"code": "Passengers", "sum_insured_minor": 2_000_000}, risk=car_risk(car={"seats": 7}))
    premiums = {one.code: (one.premium_minor, one.sum_insured_minor) for one in found.coverages}
    # 20,000.00 x 2.6 per mille x 6 seats x 0.8 x 0.92, and the most that is paid is six sums.
    assert premiums["Passengers"] == (22_963, 12_000_000)
    assert premiums["Driver"] == (15_088, 5_000_000)


def test_a_car_is_not_insured_for_more_than_it_is_worth_today() -> None:
    # 360,000.00 new, 18 months at 0.6 %: 321,120.00.
    worth = {**DAMAGE, "sum_insured_minor": 32_110_000}
    assert tried(worth).outcome == "accepted"
    found = tried({**DAMAGE, "sum_insured_minor": 32_120_000})
    assert faults(found) == [(FaultCode.SUM_INSURED_NOT_OFFERED, "coverages.0.sum_insured_minor")]
    assert "worth 321,120.00 today" in found.faults[0].message
    untold = tried(risk=car_risk(car={"value_minor": None}))
    assert (FaultCode.MISSING_FIELD, "risk.vehicle.value_minor") in faults(untold)


def test_a_car_keeps_a_fifth_of_its_value_and_its_age_in_years_stands_in_for_its_registration() -> None:
    old = car_risk(car={"first_registered": "2008-01-01", "value_minor": 10_000_000}, vehicle_age=18)
    assert tried({**DAMAGE, "sum_insured_minor": 2_000_000}, risk=old).outcome == "accepted"
    assert faults(tried({**DAMAGE, "sum_insured_minor": 2_010_000}, risk=old)) != []
    # Two years at 0.6 % a month leave 85.6 %.
    untold = car_risk(car={"first_registered": None, "value_minor": 10_000_000}, vehicle_age=2)
    assert tried({**DAMAGE, "sum_insured_minor": 8_560_000}, risk=untold).outcome == "accepted"
    assert faults(tried({**DAMAGE, "sum_insured_minor": 8_570_000}, risk=untold)) != []


@pytest.mark.parametrize(
    ("rule", "outcome", "changes"),
    [
        ("commercial-use", "declined", {"risk": car_risk(usage="taxi")}),
        ("commercial-use", "declined", {"disclosures": {**ANSWERS, "ride_hailing": True}}),
        ("claims-too-many", "declined", {"risk": car_risk(history={**HISTORY, "claims_in_three_years": 10})}),
        ("claims-many", "referred", {"risk": car_risk(history={**HISTORY, "claims_in_three_years": 6})}),
        ("old-high-value", "referred", {"risk": car_risk(vehicle_age=8)}),
        ("modified-car", "referred", {"disclosures": {**ANSWERS, "modified": True}}),
        ("gap-and-damage", "referred", {"risk": car_risk(history={**HISTORY, "gap_months": 1})}),
        ("young-driver", "accepted", {"risk": car_risk(driver_age=24)}),
        ("young-driver", "accepted", {"risk": car_risk(drivers=[{"birth_date": "2004-05-01"}])}),
        (
            "new-licence",
            "accepted",
            {"risk": car_risk(drivers=[{"birth_date": "1980-05-01", "licensed_on": "2025-06-01"}])},
        ),
    ],
)
def test_each_rule_fires(rule: str, outcome: str, changes: dict[str, Any]) -> None:
    assessed = next(
        event
        for event in QUOTE_DECIDER.decide(submit(car_order(**changes)), NothingYet())
        if isinstance(event, ApplicationAssessed)
    )
    assert rule in {fired.code for fired in assessed.fired}
    # A trial tells the loaded premium, at which the order would be taken.
    assert tried(**changes).outcome == outcome


def test_a_fast_new_car_of_very_high_value_is_seen_by_a_person() -> None:
    dear = car_risk(car={"value_minor": 200_000_000})
    found = tried({**DAMAGE, "sum_insured_minor": 150_000_000}, risk=dear)
    assert (found.outcome, found.premium_minor) == ("referred", 1_205_200)


def test_glass_of_a_worn_car_is_taken_out_of_the_offer() -> None:
    worn = car_risk(vehicle_age=12, car={"first_registered": "2014-01-01"})
    cheap = {**DAMAGE, "sum_insured_minor": 5_000_000}
    order = car_order(cheap, {"code": "Glass"}, risk=worn, premium_minor=154_792)
    (offered,) = QUOTE_DECIDER.decide(submit(order), NothingYet())[-1:]
    assert isinstance(offered, CounterOffered)
    assert [one.code for one in offered.terms.coverages] == ["VehicleDamage"]


def test_a_use_that_the_tariff_does_not_know_is_seen_by_a_person_and_not_priced() -> None:
    found = tried(risk=car_risk(usage="parades"))
    assert (found.outcome, found.premium_minor) == ("referred", None)


@pytest.mark.parametrize(
    ("codes", "fault"),
    [
        (("RoadAssistance",), FaultCode.RIDER_WITHOUT_BASE),
        (("Driver",), FaultCode.COMBINATION_NOT_OFFERED),
        (("VehicleDamage", "Glass", "Scratch", "Wheels", "RepairDays"), FaultCode.COMBINATION_NOT_OFFERED),
        (("ThirdParty", "HolidayLimit", "RoadAssistance"), FaultCode.COMBINATION_NOT_OFFERED),
    ],
)
def test_what_may_be_bought_together(codes: tuple[str, ...], fault: FaultCode) -> None:
    sums = {"Driver": 1_000_000, "VehicleDamage": 30_000_000, "ThirdParty": 50_000_000}
    sums |= {"Scratch": 200_000, "Wheels": 200_000, "RepairDays": 150_000}
    bought = [{"code": code, "sum_insured_minor": sums[code]} if code in sums else {"code": code} for code in codes]
    assert fault in {found for found, _ in faults(tried(*bought))}


def test_a_short_term_costs_the_months_that_it_begins() -> None:
    found = tried(expiry="2026-04-10")
    # 40 % of 2,944.00 for four months begun.
    assert (found.outcome, found.premium_minor) == ("accepted", 117_760)
