"""Reads of policy's own read models."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from services.kernel.read_models import ReadModels
from services.policy.projections.written_premium import TOTAL


class PolicyTermView(BaseModel):
    """A term of a policy."""

    policy_no: str
    term_no: int
    contract_id: str
    contract_no: str
    book: str | None
    channel: str
    order_no: str
    product_code: str
    product_version: int
    line: str
    effective: date
    expiry: date
    currency: str
    premium_minor: int
    settlement: str
    frequency: str
    coverages: list[dict[str, Any]]
    issued_at: datetime


class WrittenPremium(BaseModel):
    """Premium written for one product, channel and coverage (`*`: all coverages)."""

    product_code: str
    channel: str
    coverage: str
    currency: str
    premium_minor: int
    terms: int
    renewals: int


class FrequencyTotal(BaseModel):
    """Policy terms of a channel by pay frequency."""

    channel: str
    frequency: str
    currency: str
    terms: int


_BY_NUMBER = "select * from policy_term where policy_no = $1"
_BY_CONTRACT = "select * from policy_term where contract_id = $1 order by term_no"
_BY_ORDER = "select * from policy_term where channel = $1 and order_no = $2"
_WRITTEN = """
select product_code, channel, coverage, currency,
       sum(premium_minor)::bigint as premium_minor, sum(terms)::bigint as terms, sum(renewals)::bigint as renewals
  from written_premium
 group by product_code, channel, coverage, currency
 order by product_code, channel, coverage = $1 desc, coverage
"""
_BY_FREQUENCY = """
select channel, frequency, currency, count(*) as terms
  from policy_term group by channel, frequency, currency order by terms desc
"""


async def policy_by_number(read: ReadModels, policy_no: str) -> PolicyTermView | None:
    """The term with this policy number."""
    return await read.one(PolicyTermView, _BY_NUMBER, policy_no)


async def terms_of_contract(read: ReadModels, contract_id: str) -> list[PolicyTermView]:
    """All terms of a contract, first to last."""
    return await read.many(PolicyTermView, _BY_CONTRACT, contract_id)


async def policy_of_order(read: ReadModels, channel: str, order_no: str) -> PolicyTermView | None:
    """The term that an order of a channel led to."""
    return await read.one(PolicyTermView, _BY_ORDER, channel, order_no)


async def premium_written(read: ReadModels) -> list[WrittenPremium]:
    """Premium written so far, by product, channel and coverage."""
    return await read.many(WrittenPremium, _WRITTEN, TOTAL)


async def terms_by_frequency(read: ReadModels) -> list[FrequencyTotal]:
    """How many terms are paid in which rhythm."""
    return await read.many(FrequencyTotal, _BY_FREQUENCY)
