"""Whether an order may have a version: its stage on the order's day, the order's region, a renewal; coinsured terms."""

from datetime import date
from typing import Any

import pytest

from contracts.vocabulary.products import Coinsurance, CoinsuranceShare
from contracts.vocabulary.wording import WordingReference
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined
from services.quote.domain.products.launch import Coinsured, Coinsurer, Wording
from services.quote.domain.products.life import Effect, Life, SaleWindow, SandboxWindow
from services.quote.domain.products.version import ProductVersion
from tests.support.builders import motor_order
from tests.support.decider_spec import DeciderSpec
from tests.unit.quote.orders import VERSIONS, instruction, submit

MOTOR = VERSIONS["motor-private"].document
SALE = SaleWindow(date(2025, 1, 1), None)
PLACED, NEXT_DAY = date(2025, 12, 20), date(2025, 12, 21)


def end_of(product: ProductVersion, order: dict[str, Any] | None = None, **changes: Any) -> Any:
    command = submit(order or motor_order(), product=product, **changes)
    return DeciderSpec(QUOTE_DECIDER).given().when(command).decided[-1]


def faults_of(product: ProductVersion, order: dict[str, Any] | None = None, **changes: Any) -> list[tuple[str, str]]:
    end = end_of(product, order, **changes)
    assert isinstance(end, ApplicationDeclined)
    return [(fault.code.value, fault.path) for fault in end.faults]


@pytest.mark.parametrize(
    ("life", "fault"),
    [
        (Life(sandbox=SandboxWindow(Effect(), frozenset(("shop",)))), ("not_on_sale", "product")),
        (Life(sale=SaleWindow(NEXT_DAY, None)), ("not_on_sale", "placed_at")),
        (Life(sale=SaleWindow(date(2025, 1, 1), date(2025, 12, 19))), ("not_on_sale", "placed_at")),
        (Life(sale=SALE, closed=Effect(PLACED)), ("product_closed", "product")),
        (Life(sale=SALE, closed=Effect(), withdrawn=Effect(PLACED)), ("product_withdrawn", "product")),
    ],
)
def test_an_order_is_declined_for_the_stage_of_its_day(life: Life, fault: tuple[str, str]) -> None:
    assert faults_of(ProductVersion.of(MOTOR, life)) == [fault]


def test_a_sandbox_sells_what_its_channel_may_try() -> None:
    life = Life(approved=True, sandbox=SandboxWindow(Effect(PLACED), frozenset(("shop",))))
    tried = ProductVersion.of(MOTOR, life)
    assert isinstance(end_of(tried, channel="shop-sandbox"), ApplicationAccepted)
    assert faults_of(tried, channel="other-sandbox") == [("not_on_sale", "product")]
    later = ProductVersion.of(MOTOR, Life(approved=True, sandbox=SandboxWindow(Effect(NEXT_DAY), frozenset(("shop",)))))
    assert faults_of(later, channel="shop-sandbox") == [("not_on_sale", "product")]


def test_a_sandbox_may_sell_what_its_channel_may() -> None:
    own = MOTOR.model_copy(update={"channels": ("shop",)})
    assert isinstance(end_of(ProductVersion.of(own), channel="shop-sandbox"), ApplicationAccepted)
    assert faults_of(ProductVersion.of(own), channel="other-sandbox") == [("channel_not_allowed", "product")]


def test_an_end_that_is_planned_declines_nothing_before_its_day() -> None:
    life = Life(sale=SALE, closed=Effect(NEXT_DAY), withdrawn=Effect(NEXT_DAY))
    assert isinstance(end_of(ProductVersion.of(MOTOR, life)), ApplicationAccepted)


def test_a_closed_version_renews_and_a_withdrawn_one_does_not() -> None:
    closed = ProductVersion.of(MOTOR, Life(sale=SALE, closed=Effect()))
    assert isinstance(end_of(closed, renewal=True), ApplicationAccepted)
    withdrawn = ProductVersion.of(MOTOR, Life(sale=SALE, withdrawn=Effect()))
    assert faults_of(withdrawn, renewal=True) == [("product_withdrawn", "product")]


def test_where_regions_are_named_the_order_names_its_own() -> None:
    regional = ProductVersion.of(MOTOR.model_copy(update={"regions": ("CN-31", "CN-32")}))
    for region in (None, "CN-11"):
        assert faults_of(regional, motor_order(region=region)) == [("region_not_allowed", "region")]
    assert isinstance(end_of(regional, motor_order(region="CN-32")), ApplicationAccepted)
    assert isinstance(end_of(VERSIONS["motor-private"], motor_order(region="CN-11")), ApplicationAccepted)


def test_the_region_of_an_order_is_taken_in() -> None:
    assert instruction(motor_order(region="CN-31")).command.order.region == "CN-31"


def test_the_terms_keep_the_wording_that_they_were_sold_under() -> None:
    wording = Wording(version="2026-A", filing_number="C1234", content_sha256="0f" * 32)
    end = end_of(ProductVersion.of(MOTOR.model_copy(update={"wording": wording})))
    kept = WordingReference(code="motor-private", version="2026-A", filing_number="C1234", content_sha256="0f" * 32)
    assert end.terms.wording == kept
    shared = wording.model_copy(update={"code": "Motor.General"})
    assert end_of(ProductVersion.of(MOTOR.model_copy(update={"wording": shared}))).terms.wording.code == "Motor.General"
    assert end_of(VERSIONS["motor-private"]).terms.wording is None


def test_a_coinsured_product_says_so_in_the_terms() -> None:
    leader, follower = Coinsurer(insurer="Alpha", share_bp=6_000), Coinsurer(insurer="Beta", share_bp=4_000)
    coinsured = Coinsured(leader=leader, followers=(follower,), issuance_fee_bp=200)
    end = end_of(ProductVersion.of(MOTOR.model_copy(update={"coinsurance": coinsured})))
    assert end.terms.coinsurance == Coinsurance(
        leader=CoinsuranceShare(insurer="Alpha", share_bp=6_000),
        followers=(CoinsuranceShare(insurer="Beta", share_bp=4_000),),
        issuance_fee_bp=200,
    )
    assert end_of(VERSIONS["motor-private"]).terms.coinsurance is None
