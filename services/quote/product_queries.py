"""Reads of the catalogue: product versions with their steps, and what was sold under them."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from services.kernel.read_models import ReadModels
from services.quote.domain.products.life import Effect, Life, SaleWindow, SandboxWindow, Stage
from services.quote.domain.products.outlets import Outlet, OutletMove, OutletStage, OutletStep, stage_on


class Step(BaseModel):
    """A step of a product version: who took it, why, when it was recorded; `from_day` null means at once."""

    by: str | None = None
    why: str | None = None
    at: datetime
    from_day: date | None = None
    until: date | None = None
    channels: frozenset[str] = frozenset()


class OutletStepView(BaseModel):
    """A step for one channel or one region alone: who took it, why; `from_day` null means at once."""

    channel: str | None = None
    region: str | None = None
    move: OutletMove
    from_day: date | None = None
    by: str
    why: str
    at: datetime

    def step(self) -> OutletStep:
        """The step as the rules know it."""
        return OutletStep(Outlet(self.channel, self.region), self.move, Effect(self.from_day))


class OutletState(BaseModel):
    """How a channel or region stands on a day, as far as the version itself is on sale then."""

    channel: str | None = None
    region: str | None = None
    state: OutletStage
    named_by_document: bool


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
    outlet_steps: tuple[OutletStepView, ...] = ()

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
            outlets=tuple(step.step() for step in self.outlet_steps),
        )


class ProductVersionView(CatalogueRow):
    """A product version with its steps; `state` is where it stands on the day asked for, `document` its definition.

    `outlets` are the channels and regions that the document names or that have steps of their own.
    """

    state: Stage
    on: date
    outlets: tuple[OutletState, ...] = ()

    @staticmethod
    def of(row: CatalogueRow, on: date) -> "ProductVersionView":
        """The view of a row on a day."""
        state = row.life().on(on)
        return ProductVersionView(**row.model_dump(), state=state, on=on, outlets=tuple(_outlets(row, on)))


def _outlets(row: CatalogueRow, on: date) -> Iterator[OutletState]:
    steps = tuple(step.step() for step in row.outlet_steps)
    channels, regions = row.document.get("channels"), row.document.get("regions")
    named = [Outlet(channel=each) for each in channels or ()] + [Outlet(region=each) for each in regions or ()]
    for outlet in dict.fromkeys((*named, *(step.outlet for step in steps))):
        offered = outlet in named or (channels if outlet.channel is not None else regions) is None
        yield OutletState(
            channel=outlet.channel,
            region=outlet.region,
            state=stage_on(steps, outlet, on, offered=offered),
            named_by_document=outlet in named,
        )


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
    outlet_steps: int = 0


_WITH_OUTLETS = """
select p.*, coalesce(
         (select jsonb_agg(to_jsonb(o) order by o.revision)
            from product_outlet o where o.code = p.code and o.version = p.version), '[]'::jsonb) as outlet_steps
  from product_version p
"""
_PRODUCTS = f"{_WITH_OUTLETS} order by p.code, p.version"
_OF_PRODUCT = f"{_WITH_OUTLETS} where p.code = $1 order by p.version"
_PRODUCT = f"{_WITH_OUTLETS} where p.code = $1 and p.version = $2"
_SOLD = """
select product_code as code, product_version as version, contract_id
  from application
 where (product_code, product_version) in (select * from unnest($1::text[], $2::integer[]))
   and status in ('accepted', 'issued')
"""
_MARK = """
select count(*) as versions, coalesce(sum(revision), 0)::bigint as revisions,
       (select count(*) from product_outlet) as outlet_steps
  from product_version
"""


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
