"""Reads of quote's own read models."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.identifiers import SANDBOX_SUFFIX
from contracts.vocabulary.products import CoverageTerms
from services.kernel.read_models import ReadModels
from services.quote.domain.products.life import Effect, Life, SaleWindow, SandboxWindow, Stage
from services.quote.domain.products.tariff import RatedStep

CAMPAIGNS_LISTED_MAX = 10_000


class ApplicationView(BaseModel):
    """An order and how its application ended; `premium_minor` is 0 where no price was made."""

    channel: str
    order_no: str
    contract_id: str
    contract_no: str
    book: str | None
    product_code: str
    product_version: int | None
    status: str
    order_premium_minor: int
    premium_minor: int
    currency: str
    effective: date
    campaign: str | None
    sale_source: str | None
    page_path: str | None
    faults: list[Fault]
    policy_no: str | None
    placed_at: datetime
    submitted_at: datetime
    decided_at: datetime | None


class ContractApplication(BaseModel):
    """Which order of a contract became an application, and for which product version."""

    channel: str
    order_no: str
    product_code: str
    product_version: int | None


class WorkingView(BaseModel):
    """How the price of an order came about: by coverage, and every step in `working`."""

    channel: str
    order_no: str
    currency: str
    premium_minor: int
    coverages: list[CoverageTerms]
    working: list[RatedStep]


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


class OrderOutcomes(BaseModel):
    """How many messages of a channel ended so; `reason` is a fault code, empty for accepted orders."""

    channel: str
    outcome: str
    reason: str
    messages: int


class Motive(StrEnum):
    """What sales can be counted by."""

    CHANNEL = "channel"
    PRODUCT = "product"
    CAMPAIGN = "campaign"
    SOURCE = "source"
    PAGE = "page"


class CampaignSales(BaseModel):
    """How many applications of one motive ended so, and their premium in minor units.

    What was not asked for is None, as is what the orders did not say.
    """

    channel: str | None
    product_code: str | None
    campaign: str | None
    sale_source: str | None
    page_path: str | None
    status: str
    currency: str
    orders: int
    premium_minor: int


class RefusedMessageView(BaseModel):
    """A message that was not taken in; `source` says where it lies (topic/partition/offset)."""

    channel: str
    source: str
    message_type: str | None
    reference: str | None
    reason: str
    faults: list[Fault]
    refused_at: datetime


_SANDBOXES = f"%{SANDBOX_SUFFIX}"
"""Channels that try things out, as a pattern of LIKE."""
_APPLICATION = "select * from application where channel = $1 and order_no = $2"
_OF_CONTRACT = """
select channel, order_no, product_code, product_version from application
 where contract_id = $1 order by submitted_at, channel, order_no
"""
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
_OUTCOMES = """
select channel, outcome, reason, sum(messages)::bigint as messages
  from order_outcome
 where (channel like $1) = $2
 group by channel, outcome, reason
 order by channel, outcome, reason
"""
# One statement for every choice of columns: what is not asked for is null in all rows, and groups nothing apart.
_CAMPAIGNS = """
select case when 'channel' = any($1::text[]) then channel end as channel,
       case when 'product' = any($1) then product_code end as product_code,
       case when 'campaign' = any($1) then campaign end as campaign,
       case when 'source' = any($1) then sale_source end as sale_source,
       case when 'page' = any($1) then page_path end as page_path,
       status, currency, count(*) as orders, sum(premium_minor)::bigint as premium_minor
  from application
 where $2::text is null or channel = $2
 group by 1, 2, 3, 4, 5, 6, 7
 order by orders desc, 1, 2, 3, 4, 5, 6, 7
 limit $3
"""
_REFUSED = """
select * from refused_message
 where channel = $1 or ($1::text is null and channel not like $2)
 order by refused_at desc, refusal
 limit $3
"""


async def application_of_order(read: ReadModels, channel: str, order_no: str) -> ApplicationView | None:
    """The application of a channel's order."""
    return await read.one(ApplicationView, _APPLICATION, channel, order_no)


async def applications_of_contract(read: ReadModels, contract_id: str) -> list[ContractApplication]:
    """All applications of a contract, the first one first."""
    return await read.many(ContractApplication, _OF_CONTRACT, contract_id)


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


async def order_outcomes(read: ReadModels, *, test: bool) -> list[OrderOutcomes]:
    """Counts of messages by channel, outcome and reason; of the sandboxes alone, or without them."""
    return await read.many(OrderOutcomes, _OUTCOMES, _SANDBOXES, test)


async def campaign_sales(read: ReadModels, by: Sequence[str], channel: str | None, limit: int) -> list[CampaignSales]:
    """Applications counted by these of `channel`, `product`, `campaign`, `source`, `page`; the largest groups first."""
    return await read.many(CampaignSales, _CAMPAIGNS, list(by), channel, limit)


async def refused_messages(read: ReadModels, channel: str | None, limit: int) -> list[RefusedMessageView]:
    """Refused messages, the latest first; those of a sandbox where it is named."""
    return await read.many(RefusedMessageView, _REFUSED, channel, _SANDBOXES, limit)
