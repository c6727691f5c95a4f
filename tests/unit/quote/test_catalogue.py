"""The catalogue in memory: which version an order is sold under, and when it is read again."""

import json
from datetime import UTC, date, datetime
from typing import Any, cast

from pydantic import BaseModel

from services.kernel.read_models import ReadModels
from services.quote.catalogue import Catalogue, Offer
from services.quote.domain.products.life import Effect, Life, SaleWindow, SandboxWindow
from services.quote.domain.products.outlets import Outlet, OutletMove, OutletStep
from services.quote.domain.products.version import ProductVersion
from tests.unit.quote.orders import VERSIONS

DAY, TOMORROW = date(2026, 1, 1), date(2026, 1, 2)
DOCUMENT = VERSIONS["motor-private"].document
SALE = SaleWindow(date(2002, 1, 1), None)
CONTRACT = "0123456789ABCDEF"


def version(number: int, life: Life | None = None, *, withdrawn: bool = False, **changes: Any) -> ProductVersion:
    return ProductVersion.of(DOCUMENT.model_copy(update={"version": number, **changes}), life, withdrawn=withdrawn)


def offer(*versions: ProductVersion, channel: str = "shop", region: str | None = None, sold: str = "") -> Offer:
    known = {("motor-private", one.document.version): frozenset((sold,)) for one in versions}
    return Catalogue(versions, known).find("motor-private", DAY, channel, region, CONTRACT)


def found(*versions: ProductVersion) -> ProductVersion | None:
    return offer(*versions).product


def test_the_newest_version_on_sale_is_sold() -> None:
    first, second = version(1), version(2)
    assert found(first, second) is second
    assert found(second, first) is second


def test_a_version_that_is_not_on_sale_yet_does_not_hide_the_one_before() -> None:
    first = version(1)
    assert found(first, version(2, on_sale_from=date(2027, 1, 1))) is first


def test_a_withdrawn_version_gives_way_to_the_one_before() -> None:
    first = version(1)
    assert found(first, version(2, withdrawn=True)) is first


def test_where_nothing_is_on_sale_the_withdrawn_one_tells_why() -> None:
    withdrawn = version(1, withdrawn=True)
    assert found(withdrawn, version(2, on_sale_from=date(2027, 1, 1))) is withdrawn
    late = version(2, on_sale_from=date(2027, 1, 1))
    assert found(late) is late


def test_an_unknown_product_is_not_found() -> None:
    assert found() is None
    assert Catalogue([version(1)]).find("boat", DAY, "shop", None, CONTRACT) == Offer(None)


def test_drafts_are_not_told_of() -> None:
    assert found(version(1, Life(approved=True))) is None
    first = version(1)
    assert found(first, version(2, Life())) is first


def test_the_newest_version_for_the_channel_and_region_is_sold() -> None:
    everywhere, river = version(1), version(2, channels=("river",))
    shanghai = version(3, regions=("CN-31",))
    assert offer(everywhere, river).product is everywhere
    assert offer(everywhere, river, channel="river").product is river
    assert offer(everywhere, river, shanghai, channel="river", region="CN-31").product is shanghai
    assert offer(everywhere, shanghai, region="CN-11").product is everywhere


def test_where_others_may_sell_it_the_newest_on_sale_tells_why() -> None:
    river = version(1, channels=("river",))
    assert offer(river).product is river


def test_a_closed_version_gives_way_to_the_one_before_or_tells_why() -> None:
    first, second = version(1), version(2, Life(sale=SALE, closed=Effect(DAY)))
    assert found(first, second) is first
    assert offer(second) == Offer(second)
    not_yet = version(2, Life(sale=SALE, closed=Effect(TOMORROW)))
    assert found(first, not_yet) is not_yet


def test_a_contract_sold_under_a_closed_version_is_renewed_where_nothing_newer_is_on_sale() -> None:
    closed = version(1, Life(sale=SALE, closed=Effect()))
    assert offer(closed, sold=CONTRACT) == Offer(closed, renewal=True)
    assert offer(closed, sold="another") == Offer(closed)
    newer = version(2)
    assert offer(closed, newer, sold=CONTRACT) == Offer(newer)


def test_the_sandbox_is_told_of_only_where_nothing_is_on_sale() -> None:
    first, sandbox = version(1), version(2, Life(approved=True, sandbox=SandboxWindow(Effect(), frozenset(("shop",)))))
    assert found(first, sandbox) is first
    assert found(sandbox) is sandbox
    assert offer(first, sandbox, channel="shop-sandbox").product is sandbox
    assert offer(first, sandbox, channel="other-sandbox").product is first


def test_where_a_channel_has_ended_the_version_before_is_sold_or_the_end_is_told() -> None:
    def ended(number: int, move: OutletMove) -> ProductVersion:
        return version(number, Life(sale=SALE, outlets=(OutletStep(Outlet(channel="shop"), move, Effect(DAY)),)))

    first, withdrawn, closed = version(1), ended(2, OutletMove.WITHDRAW), ended(3, OutletMove.CLOSE)
    assert found(first, withdrawn) is first
    assert offer(first, withdrawn, channel="river").product is withdrawn
    river = version(4, channels=("river",))
    assert found(withdrawn, river) is withdrawn
    assert offer(closed, sold=CONTRACT) == Offer(closed, renewal=True)
    assert offer(closed, sold="another") == Offer(closed)
    assert offer(withdrawn, sold=CONTRACT) == Offer(withdrawn)


class _Rows:
    """Stands where the read models are: answers with rows as PostgreSQL would give them, and counts."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.loads = 0

    async def one(self, model: type[BaseModel], sql: str, *arguments: Any) -> BaseModel:
        revisions = sum(row["revision"] for row in self.rows)
        return model.model_validate({"versions": len(self.rows), "revisions": revisions})

    async def many(self, model: type[BaseModel], sql: str, *arguments: Any) -> list[BaseModel]:
        if "from application" in sql:
            assert arguments == (["motor-private"], [1])
            sold = {"code": "motor-private", "version": 1, "contract_id": CONTRACT}
            return [model.model_validate(sold)]
        self.loads += 1
        return [model.model_validate(row) for row in self.rows]


async def test_the_catalogue_is_read_again_only_after_a_change() -> None:
    rows, catalogue = _Rows(), Catalogue()
    read = cast("ReadModels", rows)
    await catalogue.refresh(read)
    await catalogue.refresh(read)
    assert rows.loads == 1
    row = {
        "code": "motor-private",
        "version": 1,
        "line": "motor",
        "on_sale_from": DOCUMENT.on_sale_from,
        "on_sale_until": None,
        "withdrawn": False,
        "withdrawal_reason": None,
        "published_at": datetime(2026, 1, 1, tzinfo=UTC),
        "document": json.loads(DOCUMENT.canonical()),
        "revision": 1,
    }
    rows.rows = [row]
    await catalogue.refresh(read)
    sold = catalogue.find("motor-private", DAY, "shop", None, CONTRACT).product
    assert sold is not None
    assert sold == ProductVersion.of(DOCUMENT, Life(sale=SALE))
    rows.rows = [{**row, "withdrawn": True, "revision": 2}]
    await catalogue.refresh(read)
    sold = catalogue.find("motor-private", DAY, "shop", None, CONTRACT).product
    assert sold is not None
    assert sold.life.withdrawn == Effect()
    assert rows.loads == 3
    rows.rows = [{**row, "closing": {"at": "2026-01-01T00:00:00Z", "from_day": None}, "revision": 3}]
    await catalogue.refresh(read)
    assert catalogue.find("motor-private", DAY, "shop", None, CONTRACT).renewal
