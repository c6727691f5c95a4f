"""Reads of quote's own read models."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from contracts.vocabulary.faults import Fault
from contracts.vocabulary.products import CoverageTerms
from services.kernel.read_models import ReadModels
from services.quote.domain.products.tariff import RatedStep


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
    faults: list[Fault]
    policy_no: str | None
    placed_at: datetime
    submitted_at: datetime
    decided_at: datetime | None


class WorkingView(BaseModel):
    """How the price of an order came about: by coverage, and every step in `working`."""

    channel: str
    order_no: str
    currency: str
    premium_minor: int
    coverages: list[CoverageTerms]
    working: list[RatedStep]


class ProductVersionView(BaseModel):
    """A product version; `document` is its whole definition."""

    code: str
    version: int
    line: str
    on_sale_from: date
    on_sale_until: date | None
    withdrawn: bool
    withdrawal_reason: str | None
    published_at: datetime
    document: dict[str, Any]


class CatalogueMark(BaseModel):
    """Differs whenever a product was published or withdrawn."""

    versions: int
    revisions: int


class OrderOutcomes(BaseModel):
    """How many messages of a channel ended so; `reason` is a fault code, empty for accepted orders."""

    channel: str
    outcome: str
    reason: str
    messages: int


class RefusedMessageView(BaseModel):
    """A message that was not taken in; `source` says where it lies (topic/partition/offset)."""

    channel: str
    source: str
    message_type: str | None
    reference: str | None
    reason: str
    faults: list[Fault]
    refused_at: datetime


_APPLICATION = "select * from application where channel = $1 and order_no = $2"
_PRODUCTS = "select * from product_version order by code, version"
_PRODUCT = "select * from product_version where code = $1 and version = $2"
_MARK = "select count(*) as versions, coalesce(sum(revision), 0)::bigint as revisions from product_version"
_OUTCOMES = """
select channel, outcome, reason, sum(messages)::bigint as messages
  from order_outcome
 group by channel, outcome, reason
 order by channel, outcome, reason
"""
_REFUSED = """
select * from refused_message
 where $1::text is null or channel = $1
 order by refused_at desc, refusal
 limit $2
"""


async def application_of_order(read: ReadModels, channel: str, order_no: str) -> ApplicationView | None:
    """The application of a channel's order."""
    return await read.one(ApplicationView, _APPLICATION, channel, order_no)


async def product_versions(read: ReadModels) -> list[ProductVersionView]:
    """All versions of all products."""
    return await read.many(ProductVersionView, _PRODUCTS)


async def product_version(read: ReadModels, code: str, version: int) -> ProductVersionView | None:
    """One version of a product."""
    return await read.one(ProductVersionView, _PRODUCT, code, version)


async def catalogue_mark(read: ReadModels) -> CatalogueMark:
    """A mark that tells whether the catalogue has changed."""
    return await read.one(CatalogueMark, _MARK) or CatalogueMark(versions=0, revisions=0)


async def order_outcomes(read: ReadModels) -> list[OrderOutcomes]:
    """Counts of accepted, declined, refused and conflicting messages by channel and reason."""
    return await read.many(OrderOutcomes, _OUTCOMES)


async def refused_messages(read: ReadModels, channel: str | None, limit: int) -> list[RefusedMessageView]:
    """Refused messages, the latest first."""
    return await read.many(RefusedMessageView, _REFUSED, channel, limit)
