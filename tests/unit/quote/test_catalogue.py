"""The catalogue in memory: which version an order of a day is sold under, and when it is read again."""

import json
from datetime import UTC, date, datetime
from typing import Any, cast

from pydantic import BaseModel

from services.kernel.read_models import ReadModels
from services.quote.catalogue import Catalogue
from services.quote.domain.products.version import ProductVersion
from tests.unit.quote.orders import VERSIONS

DAY = date(2026, 1, 1)
DOCUMENT = VERSIONS["motor-private"].document


def version(number: int, *, withdrawn: bool = False, **changes: Any) -> ProductVersion:
    return ProductVersion.of(DOCUMENT.model_copy(update={"version": number, **changes}), withdrawn=withdrawn)


def found(*versions: ProductVersion) -> ProductVersion | None:
    return Catalogue(versions).find("motor-private", DAY)


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
    assert Catalogue().find("motor-private", DAY) is None


class _Rows:
    """Stands where the read models are: answers with rows as PostgreSQL would give them, and counts."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.loads = 0

    async def one(self, model: type[BaseModel], sql: str, *arguments: Any) -> BaseModel:
        revisions = sum(row["revision"] for row in self.rows)
        return model.model_validate({"versions": len(self.rows), "revisions": revisions})

    async def many(self, model: type[BaseModel], sql: str, *arguments: Any) -> list[BaseModel]:
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
    sold = catalogue.find("motor-private", DAY)
    assert sold is not None
    assert (sold.document, sold.withdrawn) == (DOCUMENT, False)
    rows.rows = [{**row, "withdrawn": True, "revision": 2}]
    await catalogue.refresh(read)
    sold = catalogue.find("motor-private", DAY)
    assert sold is not None
    assert sold.withdrawn
    assert rows.loads == 3
