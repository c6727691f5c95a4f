"""Applications: every reason to decline, acceptance on exact terms, repetition, conflict, and the end."""

from typing import Any

import pytest

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.products import CoverageTerms, SettlementMethod
from services.quote.domain.commands import RecordIssue, RecordIssueFailure
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationIssued,
    ApplicationNotIssued,
    ApplicationSubmitted,
    OrderConflicted,
    PremiumRated,
)
from services.quote.domain.products.reading import read_document
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.underwriting.events import ApplicationReferred
from tests.support.builders import ADULT, MOTOR_RISK, YEAR_2026, health_order, motor_order
from tests.support.decider_spec import DeciderSpec
from tests.unit.quote.orders import VERSIONS, submit

application = DeciderSpec(QUOTE_DECIDER)
MOTOR, HEALTH = VERSIONS["motor-private"], VERSIONS["health-basic"]


def changed(product: ProductVersion, **changes: Any) -> ProductVersion:
    content = product.document.model_dump(mode="json")
    return ProductVersion.of(read_document({**content, **changes}))


def declined_for(order: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    """Code and path of each fault that the order is declined for."""
    spec = application.given().when(submit(order, **changes))
    assert isinstance(spec.decided[-1], ApplicationDeclined)
    return [(fault.code.value, fault.path) for fault in spec.decided[-1].faults]


def accepted(order: dict[str, Any], **changes: Any) -> ApplicationAccepted:
    spec = application.given().when(submit(order, **changes))
    spec.then_types(ApplicationSubmitted, PremiumRated, ApplicationAccepted)
    found = spec.decided[-1]
    assert isinstance(found, ApplicationAccepted)
    return found


def coverages(*premiums: tuple[str, int | None]) -> list[dict[str, Any]]:
    return [{"code": code, "premium_minor": premium} for code, premium in premiums]


def test_a_quoted_order_is_accepted_on_its_own_premiums() -> None:
    terms = accepted(motor_order()).terms
    assert terms.period == YEAR_2026
    assert (terms.contract_no, terms.book, terms.product_version) == ("C-1", "fremotor", 1)
    assert (terms.premium_minor, terms.settlement) == (14_410, SettlementMethod.PER_ORDER)
    assert terms.coverages == (
        CoverageTerms(code="Windscreen", premium_minor=1_500),
        CoverageTerms(code="TPLM", premium_minor=12_910),
    )


def test_a_premium_of_zero_means_not_bought() -> None:
    terms = accepted(motor_order(coverages=coverages(("TPLM", 14_410), ("Theft", 0)))).terms
    assert [coverage.code for coverage in terms.coverages] == ["TPLM"]


def test_a_tariff_order_is_accepted_at_the_tariffs_price() -> None:
    # 100,000.00 x 2.65 per mille x 1.04 x 0.95 = 261.82
    terms = accepted(health_order()).terms
    assert (terms.premium_minor, terms.settlement) == (26_182, SettlementMethod.PAY_BEFORE_COVER)
    assert terms.coverages == (CoverageTerms(code="Inpatient", premium_minor=26_182, sum_insured_minor=10_000_000),)


def test_within_the_tolerance_the_price_that_the_buyer_saw_stands() -> None:
    spec = application.given().when(submit(health_order(premium_minor=26_183)))
    spec.then_types(ApplicationSubmitted, PremiumRated, ApplicationAccepted)
    assert spec.decided[1].premium_minor == 26_182
    assert spec.decided[2].terms.premium_minor == 26_183
    assert sum(coverage.premium_minor for coverage in spec.decided[2].terms.coverages) == 26_183


@pytest.mark.parametrize("premium_minor", [26_180, 26_184])
def test_a_price_outside_the_tolerance_is_declined_after_rating(premium_minor: int) -> None:
    spec = application.given().when(submit(health_order(premium_minor=premium_minor)))
    spec.then_types(ApplicationSubmitted, PremiumRated, ApplicationDeclined)
    (fault,) = spec.decided[-1].faults
    assert (fault.code, fault.path) == (FaultCode.PRICE_OUTSIDE_TOLERANCE, "premium_minor")
    assert "261.82 CNY" in fault.message
    assert f"{premium_minor / 100:.2f} CNY" in fault.message


def test_the_working_names_every_factor() -> None:
    spec = application.given().when(submit(health_order()))
    assert [(step.subject, step.value) for step in spec.decided[1].working] == [
        ("risk.insureds.0", value) for value in ("2.65", "10000000", "0.001", "1.04", "0.95")
    ]


def test_the_price_of_several_persons_is_their_sum() -> None:
    child = {"birth_date": "2020-03-01", "gender": "M", "smoker": False}
    risk = {"line": "health", "insureds": [ADULT, child]}
    # the child: 100,000.00 x 1.45 per mille x 0.97 x 0.95 = 133.6175, rounded with the adult's 261.82
    assert accepted(health_order(risk=risk, premium_minor=39_544)).terms.premium_minor == 39_544


def test_age_counts_on_the_day_that_cover_starts() -> None:
    turns_66 = {"line": "health", "insureds": [{**ADULT, "birth_date": "1960-01-01"}]}
    day_younger = {"line": "health", "insureds": [{**ADULT, "birth_date": "1960-01-02"}]}
    assert declined_for(health_order(risk=turns_66)) == [("risk_not_accepted", "risk.insureds.0")]
    assert declined_for(health_order(risk=day_younger)) == [("price_outside_tolerance", "premium_minor")]


def test_nobody_is_insured_before_birth() -> None:
    unborn = {"line": "health", "insureds": [{**ADULT, "birth_date": "2026-01-02"}]}
    assert declined_for(health_order(risk=unborn)) == [("risk_not_accepted", "risk.insureds.0")]


def test_an_unknown_product_declines_without_a_version() -> None:
    spec = application.given().when(submit(motor_order(product="boat")))
    spec.then_types(ApplicationSubmitted, ApplicationDeclined)
    assert spec.decided[0].product_version is None
    assert spec.decided[1].faults[0].code is FaultCode.UNKNOWN_PRODUCT


def test_a_withdrawn_product_declines() -> None:
    withdrawn = ProductVersion.of(MOTOR.document, withdrawn=True)
    assert declined_for(motor_order(), product=withdrawn) == [("product_withdrawn", "product")]


@pytest.mark.parametrize(
    ("placed_at", "on_sale"),
    [
        ("2001-12-31T23:59:59Z", False),
        ("2002-01-01T00:00:00Z", True),
        ("2030-06-30T23:59:59Z", True),
        ("2030-07-01T00:00:00Z", False),
        ("2030-07-01T00:30:00+02:00", True),
    ],
)
def test_orders_are_taken_from_the_first_to_the_last_day_of_sale(placed_at: str, on_sale: bool) -> None:
    product = changed(MOTOR, on_sale_until="2030-06-30")
    spec = application.given().when(submit(motor_order(placed_at=placed_at), product=product))
    assert isinstance(spec.decided[-1], ApplicationAccepted) is on_sale


def test_a_product_may_be_for_some_channels_only() -> None:
    assert declined_for(motor_order(), product=changed(MOTOR, channels=["bank"])) == [
        ("channel_not_allowed", "product")
    ]
    accepted(motor_order(), product=changed(MOTOR, channels=["shop"]))


def test_a_risk_of_another_line_is_declined() -> None:
    assert declined_for(health_order(risk=MOTOR_RISK)) == [("wrong_line", "risk.line")]


def test_the_currency_must_be_the_products() -> None:
    assert declined_for(motor_order(currency="USD")) == [("wrong_currency", "currency")]


@pytest.mark.parametrize("book", [None, "other"])
def test_the_book_must_be_the_products(book: str | None) -> None:
    assert declined_for(motor_order(book=book)) == [("wrong_book", "book")]


def test_a_product_without_a_book_takes_none() -> None:
    assert declined_for(health_order(book="fremotor")) == [("wrong_book", "book")]


def test_the_frequency_must_be_offered() -> None:
    assert declined_for(motor_order(), product=changed(MOTOR, frequencies=["monthly"])) == [
        ("frequency_not_offered", "frequency")
    ]


def test_cover_must_end_within_the_calendar() -> None:
    assert declined_for(motor_order(effective="2199-01-01")) == [("invalid_field", "effective")]
    accepted(motor_order(effective="2198-12-31"))


def test_coverages_are_those_of_the_plan_and_each_once() -> None:
    order = motor_order(coverages=coverages(("Hull", 1), ("TPLM", 1), ("TPLM", 1)), premium_minor=3)
    assert declined_for(order) == [("coverage_not_in_plan", "coverages.0.code"), ("coverage_twice", "coverages.2.code")]


def test_a_quoted_coverage_needs_its_premium() -> None:
    order = motor_order(coverages=coverages(("TPLM", 14_410), ("Theft", None)))
    assert declined_for(order) == [("missing_field", "coverages.1.premium_minor")]


def test_an_order_of_nothing_is_declined() -> None:
    assert declined_for(motor_order(coverages=coverages(("TPLM", 0)), premium_minor=0)) == [
        ("coverage_missing", "coverages")
    ]


def test_a_mandatory_coverage_must_be_bought() -> None:
    order = health_order(coverages=[{"code": "Accident", "sum_insured_minor": 5_000_000}])
    assert declined_for(order) == [("coverage_missing", "coverages")]


@pytest.mark.parametrize("sum_insured_minor", [9_999_999, None])
def test_the_sum_insured_must_be_offered(sum_insured_minor: int | None) -> None:
    order = health_order(coverages=[{"code": "Inpatient", "sum_insured_minor": sum_insured_minor}])
    assert declined_for(order) == [("sum_insured_not_offered", "coverages.0.sum_insured_minor")]


def test_a_coverage_without_a_sum_insured_takes_none() -> None:
    order = motor_order(coverages=[{"code": "TPLM", "premium_minor": 14_410, "sum_insured_minor": 1}])
    assert declined_for(order) == [("sum_insured_not_offered", "coverages.0.sum_insured_minor")]


def test_a_single_sum_insured_is_taken_unsaid() -> None:
    plan = MOTOR.document.model_dump(mode="json")["coverages"]
    plan[6]["sums_insured_minor"] = [5_000_000]
    (_, tplm) = accepted(motor_order(), product=changed(MOTOR, coverages=plan)).terms.coverages
    assert tplm.sum_insured_minor == 5_000_000


@pytest.mark.parametrize("premium_minor", [14_409, 14_411])
def test_quoted_premiums_must_add_up_to_the_minor_unit(premium_minor: int) -> None:
    spec = application.given().when(submit(motor_order(premium_minor=premium_minor)))
    spec.then_types(ApplicationSubmitted, PremiumRated, ApplicationDeclined)
    (fault,) = spec.decided[-1].faults
    assert (fault.code, fault.path) == (FaultCode.PREMIUM_DOES_NOT_ADD_UP, "premium_minor")


def test_premiums_beyond_every_amount_are_not_rated() -> None:
    order = motor_order(coverages=coverages(("TPLM", 10**15), ("Theft", 10**15)), premium_minor=10**15)
    application.given().when(submit(order)).then_types(ApplicationSubmitted, ApplicationDeclined)


def test_a_quoted_premium_must_lie_within_its_limits() -> None:
    pricing = {"method": "quoted", "limits": {"TPLM": {"at_least_minor": 5_000, "at_most_minor": 12_909}}}
    assert declined_for(motor_order(), product=changed(MOTOR, pricing=pricing)) == [
        ("price_outside_tolerance", "coverages.1.premium_minor")
    ]


def reference(tolerance_bp: int) -> dict[str, Any]:
    band = {"at_least": 18, "at_most": 60, "ratio": "7000"}
    rates = {code: {"basis": "minor", "fact": "driver_age", "bands": [band]} for code in MOTOR.plan}
    return {"method": "quoted", "reference": {"tariff": {"rates": rates}, "tolerance_bp": tolerance_bp}}


def test_quoted_prices_may_be_held_against_a_tariff() -> None:
    # 144.10 is 292.86 basis points above the tariff's 140.00.
    accepted(motor_order(), product=changed(MOTOR, pricing=reference(293)))
    assert declined_for(motor_order(), product=changed(MOTOR, pricing=reference(292))) == [
        ("price_outside_tolerance", "premium_minor")
    ]


def test_a_missing_rate_refers_and_is_never_zero() -> None:
    order = motor_order(risk={**MOTOR_RISK, "driver_age": 61})
    spec = application.given().when(submit(order, product=changed(MOTOR, pricing=reference(10_000))))
    spec.then_types(ApplicationSubmitted, ApplicationReferred)
    assert spec.decided[-1].reasons[0].code == "no-rate"
    assert not spec.decided[-1].priced


def test_a_missing_rate_beside_another_fault_of_the_price_declines() -> None:
    order = motor_order(risk={**MOTOR_RISK, "driver_age": 61}, premium_minor=14_411)
    spec = application.given().when(submit(order, product=changed(MOTOR, pricing=reference(10_000))))
    spec.then_types(ApplicationSubmitted, ApplicationDeclined)
    assert {fault.code for fault in spec.decided[-1].faults} == {FaultCode.PREMIUM_DOES_NOT_ADD_UP, FaultCode.NO_RATE}


@pytest.mark.parametrize(("driver_age", "faults"), [(17, [("risk_not_accepted", "risk")]), (18, [])])
def test_the_driver_must_be_of_age(driver_age: int, faults: list[tuple[str, str]]) -> None:
    order = motor_order(risk={**MOTOR_RISK, "driver_age": driver_age})
    spec = application.given().when(submit(order))
    assert [(f.code.value, f.path) for f in getattr(spec.decided[-1], "faults", ())] == faults


def test_all_faults_of_a_stage_are_told_at_once() -> None:
    order = motor_order(
        currency="USD", book=None, coverages=coverages(("Hull", 1)), risk={**MOTOR_RISK, "driver_age": 17}
    )
    assert [code for code, _ in declined_for(order)] == [
        "wrong_currency",
        "wrong_book",
        "coverage_not_in_plan",
        "risk_not_accepted",
    ]


def history(order: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(application.given().when(submit(order)).decided)


def test_the_same_order_again_decides_nothing_whatever_came_of_it() -> None:
    for order in (motor_order(), motor_order(currency="USD"), motor_order(product="boat")):
        application.given(*history(order)).when(submit(order)).then_nothing()


def test_an_order_repeated_after_its_product_was_withdrawn_decides_nothing() -> None:
    again = submit(motor_order(), product=ProductVersion.of(MOTOR.document, withdrawn=True))
    application.given(*history(motor_order())).when(again).then_nothing()


def test_the_number_with_other_content_is_a_conflict_that_names_the_fields() -> None:
    other = motor_order(premium_minor=14_411, campaign=None)
    spec = application.given(*history(motor_order())).when(submit(other)).then_types(OrderConflicted)
    assert [(fault.code.value, fault.path) for fault in spec.decided[0].faults] == [
        ("order_number_reused", "premium_minor"),
        ("order_number_reused", "campaign"),
    ]


def test_after_a_conflict_the_first_order_stands() -> None:
    conflict = application.given(*history(motor_order())).when(submit(motor_order(campaign="M2"))).decided
    past = (*history(motor_order()), *conflict)
    application.given(*past).when(submit(motor_order())).then_nothing()
    application.given(*past).when(submit(motor_order(campaign="M2"))).then_nothing()
    application.given(*past).when(submit(motor_order(campaign="M3"))).then_types(OrderConflicted)


ISSUE = RecordIssue(channel="shop", contract_id="X", order_no="O-1", policy_no="P01", renewal=False, period=YEAR_2026)
FAULT = Fault(code=FaultCode.OVERLAPPING_TERM, path="effective", message="covered already")
FAILURE = RecordIssueFailure(channel="shop", contract_id="X", order_no="O-1", faults=(FAULT,))


def test_an_accepted_application_is_followed_to_its_policy() -> None:
    issued = ApplicationIssued(
        channel="shop", contract_id="X", order_no="O-1", policy_no="P01", renewal=False, period=YEAR_2026
    )
    application.given(*history(motor_order())).when(ISSUE).then(issued)
    application.given(*history(motor_order()), issued).when(submit(motor_order())).then_nothing()


def test_an_accepted_application_is_followed_to_its_failure() -> None:
    accepted = history(motor_order())
    failed = ApplicationNotIssued(
        channel="shop",
        contract_id="X",
        order_no="O-1",
        faults=(FAULT,),
        accepted=accepted[-1].terms,
        placed_on=accepted[-1].placed_on,
    )
    application.given(*accepted).when(FAILURE).then(failed)


def test_an_application_that_was_never_accepted_cannot_be_issued() -> None:
    application.given().when(ISSUE).then_refused("application_not_accepted")
    application.given(*history(motor_order(currency="USD"))).when(ISSUE).then_refused("application_not_accepted")
