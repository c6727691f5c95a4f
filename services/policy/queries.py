"""Reads of policy's own read models."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, computed_field

from contracts.vocabulary.identifiers import SANDBOX_SUFFIX, is_sandbox
from services.kernel.read_models import ReadModels
from services.policy.projections.written_premium import TOTAL


class PolicyTermView(BaseModel):
    """A term of a policy; `test` where it was sold in a sandbox."""

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

    @computed_field  # type: ignore[prop-decorator]
    @property
    def test(self) -> bool:
        """Whether it was sold in a sandbox: nobody is insured."""
        return is_sandbox(self.channel)


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


_SANDBOXES = f"%{SANDBOX_SUFFIX}"
"""Channels that try things out, as a pattern of LIKE."""
_BY_NUMBER = "select * from policy_term where policy_no = $1"
_BY_CONTRACT = "select * from policy_term where contract_id = $1 order by term_no"
_BY_ORDER = "select * from policy_term where channel = $1 and order_no = $2"
_WRITTEN = """
select product_code, channel, coverage, currency,
       sum(premium_minor)::bigint as premium_minor, sum(terms)::bigint as terms, sum(renewals)::bigint as renewals
  from written_premium
 where (channel like $2) = $3
 group by product_code, channel, coverage, currency
 order by product_code, channel, coverage = $1 desc, coverage
"""
_BY_FREQUENCY = """
select channel, frequency, currency, count(*) as terms
  from policy_term
 where (channel like $1) = $2
 group by channel, frequency, currency order by terms desc
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


async def premium_written(read: ReadModels, *, test: bool) -> list[WrittenPremium]:
    """Premium written so far, by product, channel and coverage; of the sandboxes alone, or without them."""
    return await read.many(WrittenPremium, _WRITTEN, TOTAL, _SANDBOXES, test)


async def terms_by_frequency(read: ReadModels, *, test: bool) -> list[FrequencyTotal]:
    """How many terms are paid in which rhythm; of the sandboxes alone, or without them."""
    return await read.many(FrequencyTotal, _BY_FREQUENCY, _SANDBOXES, test)
