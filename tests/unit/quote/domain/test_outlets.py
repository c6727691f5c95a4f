"""One channel or region alone: opened, closed and withdrawn from a day on, while the others go on."""

from datetime import date
from typing import Any

import pytest

from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined
from services.quote.domain.lifecycle.commands import MoveOutlet, OpenSandbox
from services.quote.domain.lifecycle.events import OutletClosed, OutletOpened, OutletWithdrawn
from services.quote.domain.products.effect import Effect
from services.quote.domain.products.life import Life, SaleWindow
from services.quote.domain.products.outlets import Outlet, OutletMove, OutletStage, OutletStep, stage_on
from services.quote.domain.products.version import ProductVersion
from tests.support.builders import motor_order
from tests.support.decider_spec import DeciderSpec
from tests.unit.quote.domain.test_product_versions import (
    APPROVED,
    DAY,
    DOCUMENT,
    DRAFTED,
    LATER,
    PUBLISHED,
    STEP,
    WITHDRAWN,
    changed,
    closed,
    drafted,
    published,
)
from tests.unit.quote.orders import submit

product = DeciderSpec(QUOTE_DECIDER)
SHOP, LAKE, NORTH = Outlet(channel="shop"), Outlet(channel="lake"), Outlet(region="CN-11")
OWN = changed(channels=("shop", "hill"))
ON_SALE = (drafted(OWN), published(OWN))
EVENTS = {"open": OutletOpened, "close": OutletClosed, "withdraw": OutletWithdrawn}


def move(step: str, outlet: Outlet, day: date | None = None, by: str = "Bob") -> MoveOutlet:
    return MoveOutlet(**STEP, outlet=outlet, move=OutletMove(step), from_day=day, by=by, why="agreed")


def moved(step: str, outlet: Outlet, day: date | None = None, by: str = "Bob") -> Any:
    return EVENTS[step](**STEP, channel=outlet.channel, region=outlet.region, from_day=day, by=by, why="agreed")


def test_a_channel_is_withdrawn_and_another_added_without_a_new_document() -> None:
    product.given(*ON_SALE).when(move("withdraw", SHOP, DAY)).then(moved("withdraw", SHOP, DAY))
    product.given(*ON_SALE).when(move("open", LAKE, DAY)).then(moved("open", LAKE, DAY))
    product.given(*ON_SALE, moved("open", LAKE)).when(move("close", LAKE, DAY)).then(moved("close", LAKE, DAY))
    product.given(*ON_SALE).when(move("withdraw", NORTH)).then(moved("withdraw", NORTH))


def test_the_same_step_again_is_nothing() -> None:
    product.given(*ON_SALE).when(move("open", SHOP)).then_nothing()
    for step in ("withdraw", "close"):
        product.given(*ON_SALE, moved(step, SHOP, DAY)).when(move(step, SHOP, DAY)).then_nothing()
    product.given(*ON_SALE, moved("open", LAKE, DAY)).when(move("open", LAKE, DAY)).then_nothing()
    product.given(*ON_SALE, moved("withdraw", SHOP)).when(move("close", SHOP)).then_nothing()


def test_an_end_is_brought_forward_and_never_put_off_but_the_channel_may_be_opened_again() -> None:
    ended = (*ON_SALE, moved("withdraw", SHOP, LATER))
    product.given(*ended).when(move("withdraw", SHOP, DAY)).then(moved("withdraw", SHOP, DAY))
    product.given(*ended).when(move("close", SHOP, DAY)).then(moved("close", SHOP, DAY))
    product.given(*ON_SALE, moved("withdraw", SHOP, DAY)).when(move("withdraw", SHOP, LATER)).then_refused(
        "product_ends_earlier"
    )
    product.given(*ended).when(move("open", SHOP, LATER)).then(moved("open", SHOP, LATER))
    forward = (*ended, moved("withdraw", SHOP, DAY))
    product.given(*forward).when(move("withdraw", SHOP, LATER)).then_refused("product_ends_earlier")
    product.given(*forward).when(move("close", SHOP, LATER)).then_refused("product_ends_earlier")


def test_whoever_wrote_the_document_opens_no_channel_that_it_does_not_name() -> None:
    product.given(*ON_SALE).when(move("open", LAKE, by=" ANN ")).then_refused("outlet_opened_by_author")
    again = moved("open", SHOP, by="Ann")
    product.given(*ON_SALE, moved("withdraw", SHOP)).when(move("open", SHOP, by="Ann")).then(again)


def test_outlets_are_moved_only_of_what_is_on_sale_and_sold_there() -> None:
    product.given(DRAFTED, APPROVED).when(move("open", LAKE)).then_refused("product_not_on_sale")
    product.given(*ON_SALE).when(move("withdraw", LAKE)).then_refused("outlet_not_on_sale")
    product.given(*ON_SALE, WITHDRAWN).when(move("open", LAKE)).then_refused("product_version_withdrawn")
    product.given(*ON_SALE, closed(DAY)).when(move("open", LAKE, LATER)).then_refused("product_version_closed")
    product.given(*ON_SALE).when(move("open", Outlet(channel="lake-sandbox"))).then_refused("outlet_is_sandbox")
    product.given(PUBLISHED).when(move("open", SHOP)).then_nothing()


def test_the_document_stays_as_it_was_approved() -> None:
    history = (*ON_SALE, moved("open", LAKE))
    state = QUOTE_DECIDER.fold(history)
    assert state.versions[1].document == OWN.canonical()  # type: ignore[union-attr]
    trial = OpenSandbox(**STEP, channels=("lake",), from_day=None, by="Ann", why="trial")
    product.given(*history).when(trial).then_refused("product_on_sale")


STEPS = [
    # Steps in the order in which they were recorded, the day asked for, what the document says, the stage.
    ((), DAY, True, "on-sale"),
    ((), DAY, False, "not-offered"),
    ((("open", DAY),), date(2026, 2, 28), False, "not-offered"),
    ((("open", DAY),), DAY, False, "on-sale"),
    ((("withdraw", DAY),), DAY, True, "withdrawn"),
    ((("withdraw", LATER), ("close", DAY)), DAY, True, "closed"),
    ((("withdraw", LATER), ("close", DAY)), LATER, True, "withdrawn"),
    ((("withdraw", DAY), ("open", LATER)), DAY, True, "withdrawn"),
    ((("withdraw", DAY), ("open", LATER)), LATER, True, "on-sale"),
    ((("withdraw", LATER), ("open", None)), LATER, True, "on-sale"),
    ((("open", LATER), ("withdraw", None)), LATER, False, "withdrawn"),
]


@pytest.mark.parametrize(("steps", "day", "offered", "stage"), STEPS)
def test_the_stage_of_an_outlet_follows_from_its_steps(
    steps: tuple[tuple[str, date | None], ...], day: date, offered: bool, stage: str
) -> None:
    own = [OutletStep(SHOP, OutletMove(step), Effect(since)) for step, since in steps]
    others = [OutletStep(LAKE, OutletMove.WITHDRAW, Effect()), OutletStep(NORTH, OutletMove.WITHDRAW, Effect())]
    assert stage_on([*others, *own], SHOP, day, offered=offered) is OutletStage(stage)


def version(*steps: OutletStep, **changes: Any) -> ProductVersion:
    life = Life(approved=True, sale=SaleWindow(date(2025, 1, 1), None), outlets=steps)
    return ProductVersion.of(DOCUMENT.model_copy(update=changes), life)


def told(sold: ProductVersion, *, channel: str = "shop", renewal: bool = False, **order: Any) -> list[tuple[str, str]]:
    command = submit(motor_order(**order), product=sold, channel=channel, renewal=renewal)
    end = QUOTE_DECIDER.decide(command, QUOTE_DECIDER.fold([]))[-1]
    if isinstance(end, ApplicationAccepted):
        return []
    assert isinstance(end, ApplicationDeclined)
    return [(fault.code.value, fault.message) for fault in end.faults]


def step(move: OutletMove, outlet: Outlet, day: date | None = None) -> OutletStep:
    return OutletStep(outlet, move, Effect(day))


def test_orders_of_a_channel_that_was_withdrawn_are_told_so_and_others_are_taken() -> None:
    ended = version(step(OutletMove.WITHDRAW, SHOP, date(2025, 12, 20)))
    because = "version 1 of motor-private has been withdrawn from channel shop; it may still be sold elsewhere"
    assert told(ended) == [("product_withdrawn", because)]
    assert told(ended, renewal=True) == [("product_withdrawn", because)]
    assert [code for code, _ in told(ended, channel="shop-sandbox")] == ["product_withdrawn"]
    assert told(ended, channel="hill") == []
    assert told(version(step(OutletMove.WITHDRAW, SHOP, date(2025, 12, 21)))) == []


def test_a_channel_that_was_closed_renews_and_one_that_was_opened_sells() -> None:
    closed_here = version(step(OutletMove.CLOSE, SHOP))
    assert [code for code, _ in told(closed_here)] == ["product_closed"]
    assert told(closed_here, renewal=True) == []
    opened = version(step(OutletMove.OPEN, LAKE), channels=("hill",))
    assert told(opened, channel="lake") == []
    assert [code for code, _ in told(opened)] == ["channel_not_allowed"]


def test_a_region_ends_alone_and_then_orders_name_theirs() -> None:
    ended = version(step(OutletMove.WITHDRAW, NORTH))
    assert [code for code, _ in told(ended, region="CN-11")] == ["product_withdrawn"]
    assert told(ended, region="CN-31") == []
    because = "motor-private is not sold in all regions (CN-11 ended), so an order names its region"
    assert told(ended, region=None) == [("region_not_allowed", f"{because}; the order names no region")]
    more = version(step(OutletMove.OPEN, NORTH), regions=("CN-31",))
    assert told(more, region="CN-11") == told(more, region="CN-31") == []
    assert told(more, region="CN-44") == [
        ("region_not_allowed", "motor-private is sold in CN-11, CN-31; not in CN-44"),
    ]
