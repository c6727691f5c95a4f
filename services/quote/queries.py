"""Reads of quote's own read models."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.identifiers import SANDBOX_SUFFIX
from contracts.vocabulary.products import CoverageTerms
from services.kernel.read_models import ReadModels
from services.quote.domain.products.rating.census import CensusRating
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
    """How the price of an order came about: by coverage, every step in `working`, and a group's headcount and rates."""

    channel: str
    order_no: str
    currency: str
    premium_minor: int
    coverages: list[CoverageTerms]
    working: list[RatedStep]
    census: CensusRating | None = None


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
_OUTCOMES = """
select channel, outcome, reason, sum(messages)::bigint as messages
  from order_outcome
 where (channel like $1) = $2
 group by channel, outcome, reason
having sum(messages) <> 0
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
 where channel = $2 or ($2::text is null and channel not like $4)
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


async def order_outcomes(read: ReadModels, *, test: bool) -> list[OrderOutcomes]:
    """Counts of messages by channel, outcome and reason; of the sandboxes alone, or without them."""
    return await read.many(OrderOutcomes, _OUTCOMES, _SANDBOXES, test)


async def campaign_sales(read: ReadModels, by: Sequence[str], channel: str | None, limit: int) -> list[CampaignSales]:
    """Applications counted by these of `channel`, `product`, `campaign`, `source`, `page`; the largest groups first.

    Those of a sandbox where it is named.
    """
    return await read.many(CampaignSales, _CAMPAIGNS, list(by), channel, limit, _SANDBOXES)


async def refused_messages(read: ReadModels, channel: str | None, limit: int) -> list[RefusedMessageView]:
    """Refused messages, the latest first; those of a sandbox where it is named."""
    return await read.many(RefusedMessageView, _REFUSED, channel, _SANDBOXES, limit)
