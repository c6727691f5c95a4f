"""Reads of the catalogue: product versions with their steps, and what was sold under them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from services.kernel.read_models import ReadModels
from services.quote.domain.products.life import Effect, Life, SaleWindow, SandboxWindow, Stage


class Step(BaseModel):
    """A step of a product version: who took it, why, when it was recorded; `from_day` null means at once."""

    by: str | None = None
    why: str | None = None
    at: datetime
    from_day: date | None = None
    until: date | None = None
    channels: frozenset[str] = frozenset()


class CatalogueRow(BaseModel):
    """A version as the read model keeps it. What its first shape did not have is optional here."""

    code: str
    version: int
    line: str
    on_sale_from: date | None
    on_sale_until: date | None
    withdrawn: bool
    withdrawal_reason: str | None
    published_at: datetime | None
    document: dict[str, Any]
    author: str | None = None
    drafted_at: datetime | None = None
    cloned_from: str | None = None
    document_digest: str | None = None
    approval: Step | None = None
    sandbox: Step | None = None
    sale: Step | None = None
    closing: Step | None = None
    withdrawal: Step | None = None

    def life(self) -> Life:
        """The steps as the rules know them."""
        sandbox, first = self.sandbox, self.on_sale_from
        withdrawn = _effect(self.withdrawal)
        return Life(
            approved=self.approval is not None,
            sandbox=None if sandbox is None else SandboxWindow(Effect(sandbox.from_day), sandbox.channels),
            sale=None if first is None else SaleWindow(first, self.on_sale_until),
            closed=_effect(self.closing),
            withdrawn=Effect() if withdrawn is None and self.withdrawn else withdrawn,
        )


class ProductVersionView(CatalogueRow):
    """A product version with its steps; `state` is where it stands on the day asked for, `document` its definition."""

    state: Stage
    on: date

    @staticmethod
    def of(row: CatalogueRow, on: date) -> "ProductVersionView":
        """The view of a row on a day."""
        return ProductVersionView(**row.model_dump(), state=row.life().on(on), on=on)


def _effect(step: Step | None) -> Effect | None:
    return None if step is None else Effect(step.from_day)


class _Sold(BaseModel):
    code: str
    version: int
    contract_id: str


class CatalogueMark(BaseModel):
    """Differs whenever a product version has taken a step."""

    versions: int
    revisions: int


_PRODUCTS = "select * from product_version order by code, version"
_OF_PRODUCT = "select * from product_version where code = $1 order by version"
_PRODUCT = "select * from product_version where code = $1 and version = $2"
_SOLD = """
select product_code as code, product_version as version, contract_id
  from application
 where (product_code, product_version) in (select * from unnest($1::text[], $2::integer[]))
   and status in ('accepted', 'issued')
"""
_MARK = "select count(*) as versions, coalesce(sum(revision), 0)::bigint as revisions from product_version"


async def catalogue_rows(read: ReadModels) -> list[CatalogueRow]:
    """All versions of all products, as they are kept."""
    return await read.many(CatalogueRow, _PRODUCTS)


async def contracts_sold(
    read: ReadModels, versions: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], frozenset[str]]:
    """The contracts that were accepted under each of these versions, given as (code, version)."""
    found: dict[tuple[str, int], set[str]] = {version: set() for version in versions}
    if found:
        codes, numbers = zip(*found, strict=True)
        for row in await read.many(_Sold, _SOLD, list(codes), list(numbers)):
            found[row.code, row.version].add(row.contract_id)
    return {version: frozenset(contracts) for version, contracts in found.items()}


async def product_versions(read: ReadModels, on: date, code: str | None = None) -> list[ProductVersionView]:
    """All versions, of one product if a code is given, each with its state on a day."""
    rows = await read.many(CatalogueRow, _OF_PRODUCT, code) if code else await catalogue_rows(read)
    return [ProductVersionView.of(row, on) for row in rows]


async def product_version(read: ReadModels, code: str, version: int, on: date) -> ProductVersionView | None:
    """One version of a product, with its state on a day."""
    row = await read.one(CatalogueRow, _PRODUCT, code, version)
    return None if row is None else ProductVersionView.of(row, on)


async def catalogue_mark(read: ReadModels) -> CatalogueMark:
    """A mark that tells whether the catalogue has changed."""
    return await read.one(CatalogueMark, _MARK) or CatalogueMark(versions=0, revisions=0)
