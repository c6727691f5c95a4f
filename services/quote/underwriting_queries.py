"""Reads of underwriting: the referral queue, underwriters, the blacklist, and customers' contracts."""

from datetime import date, datetime

from pydantic import BaseModel

from contracts.vocabulary.identifiers import SANDBOX_SUFFIX
from services.kernel.read_models import ReadModels
from services.quote.domain.underwriting.assessment import OtherContract, Sales


class ReferralReason(BaseModel):
    """A rule's code, its words, the part of the order, and the facts that it looked at."""

    code: str
    en: str
    zh: str
    path: str
    facts: dict[str, str | int]


class ReferralView(BaseModel):
    """An application that waits or waited for a person; sums in minor units.

    `state` is referred, asked, offered, accepted, declined, withdrawn or expired. `answer_until` is the customer's
    last day, `due_at` when the underwriter should have answered. `premium_minor` means nothing unless `priced`.
    """

    channel: str
    order_no: str
    contract_id: str
    product_code: str
    product_version: int
    state: str
    reasons: list[ReferralReason]
    priced: bool
    premium_minor: int
    currency: str
    sum_insured_minor: int
    level_needed: int
    underwriter: str | None
    last_note: str | None
    question: str | None
    answer: str | None
    offer_premium_minor: int | None
    answer_until: date | None
    referred_at: datetime
    due_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None


class BlacklistEntryView(BaseModel):
    """A person on the blacklist, or off it again; `subject` is the digest of a document or a name."""

    kind: str
    subject: str
    listed: bool
    reason: str
    changed_by: str
    changed_at: datetime


class BlacklistMark(BaseModel):
    """Differs whenever an entry was added or removed."""

    entries: int
    changes: int


class UnderwriterView(BaseModel):
    """Who may decide on referrals; level 0 is no authority."""

    underwriter: str
    level: int
    reason: str
    changed_by: str
    changed_at: datetime


class ChannelSale(BaseModel):
    """What a channel sold of a product on one day; sums in minor units."""

    channel: str
    product_code: str
    day: date
    orders: int
    premium_minor: int
    sum_insured_minor: int

    def sales(self) -> Sales:
        """The same, as rules look at it."""
        return Sales(self.orders, self.premium_minor, self.sum_insured_minor)


class CustomerContract(BaseModel):
    """A contract of a customer."""

    customer: str
    channel: str
    order_no: str
    contract_id: str
    product_code: str
    currency: str
    effective: date
    expiry: date
    premium_minor: int
    sums_insured_minor: dict[str, int]

    @property
    def key(self) -> str:
        """Channel and number of its order."""
        return f"{self.channel}/{self.order_no}"

    def contract(self) -> OtherContract:
        """The same, as rules look at it."""
        return OtherContract(
            contract_id=self.contract_id,
            product_code=self.product_code,
            currency=self.currency,
            effective=self.effective,
            expiry=self.expiry,
            premium_minor=self.premium_minor,
            sums_insured_minor=self.sums_insured_minor,
            channel=self.channel,
        )


class AcceptedContract(CustomerContract):
    """A contract of a customer who has others, with how it was accepted; `by_rules`: no person decided on it."""

    product_version: int
    by_rules: bool
    accepted_at: datetime


class Overlap(BaseModel):
    """A contract that rules would have referred or declined after those accepted before it, which are `others`."""

    channel: str
    order_no: str
    contract_id: str
    accepted_at: datetime
    others: list[str]
    rules: list[ReferralReason]


_SANDBOXES = f"%{SANDBOX_SUFFIX}"
"""Channels that try things out, as a pattern of LIKE."""

_REFERRALS = """
select * from referral
 where ($1::text is null or state = $1)
   and ($1::text is not null or state in ('referred', 'asked', 'offered'))
   and ($2::text is null or underwriter = $2)
   and ($3::date is null or answer_until < $3)
   and (channel like $4) = $5
 order by referred_at, channel, order_no
 limit $6
"""
_REFERRAL = "select * from referral where channel = $1 and order_no = $2"
_BLACKLIST = "select * from blacklist_entry where listed order by changed_at desc, subject"
_BLACKLIST_MARK = """
select count(*) as entries, coalesce(sum(change), 0)::bigint as changes from blacklist_entry
"""
_UNDERWRITERS = "select * from underwriter order by underwriter"
_UNDERWRITER = "select * from underwriter where underwriter = $1"
_CUSTOMER_CONTRACTS = """
select * from customer_contract
 where customer = any($1::text[]) and in_force
 order by customer, effective, order_no
"""

_CHANNEL_SALES = """
select channel, product_code, day, sum(orders)::bigint as orders, sum(premium_minor)::bigint as premium_minor,
       sum(sum_insured_minor)::bigint as sum_insured_minor
  from channel_sale
 where channel = any($1::text[]) and product_code = any($2::text[])
 group by channel, product_code, day
"""

_OF_SEVERAL = """
select * from customer_contract
 where in_force and (channel like $1) = $2 and customer in (
       select customer from customer_contract
        where in_force and (channel like $1) = $2
        group by customer having count(*) > 1)
 order by customer, accepted_at, order_no
 limit $3
"""


async def referrals(
    read: ReadModels, state: str | None, underwriter: str | None, overdue_on: date | None, limit: int, *, test: bool
) -> list[ReferralView]:
    """The queue, the longest waiting first: undecided ones unless a state is given.

    `overdue_on` leaves only those whose customer had to answer before that day; `test` asks for those of the
    sandboxes alone.
    """
    return await read.many(ReferralView, _REFERRALS, state, underwriter, overdue_on, _SANDBOXES, test, limit)


async def referral_of_order(read: ReadModels, channel: str, order_no: str) -> ReferralView | None:
    """The referral of a channel's order."""
    return await read.one(ReferralView, _REFERRAL, channel, order_no)


async def blacklist(read: ReadModels) -> list[BlacklistEntryView]:
    """Everybody who is on the blacklist now, the latest first."""
    return await read.many(BlacklistEntryView, _BLACKLIST)


async def blacklist_mark(read: ReadModels) -> BlacklistMark:
    """A mark that tells whether the blacklist has changed."""
    return await read.one(BlacklistMark, _BLACKLIST_MARK) or BlacklistMark(entries=0, changes=0)


async def underwriters(read: ReadModels) -> list[UnderwriterView]:
    """Everybody who is or was an underwriter."""
    return await read.many(UnderwriterView, _UNDERWRITERS)


async def authority_of(read: ReadModels, underwriter: str) -> int:
    """The level of somebody; 0 for who is no underwriter."""
    found = await read.one(UnderwriterView, _UNDERWRITER, underwriter)
    return 0 if found is None else found.level


async def contracts_of_customers(
    read: ReadModels, customers: list[str]
) -> tuple[list[CustomerContract], dict[int, int]]:
    """The contracts of these customers that were accepted and did not fail, and how far the log was read for it."""
    return await read.with_progress("customer_contract", CustomerContract, _CUSTOMER_CONTRACTS, customers)


async def channel_sales(
    read: ReadModels, channels: list[str], products: list[str]
) -> tuple[list[ChannelSale], dict[int, int]]:
    """What these channels have sold of these products by day, and how far the log was read for it."""
    return await read.with_progress("channel_sale", ChannelSale, _CHANNEL_SALES, channels, products)


async def contracts_of_several(read: ReadModels, limit: int, *, test: bool) -> list[AcceptedContract]:
    """Contracts of customers who have several, each customer's in the order in which they were accepted."""
    return await read.many(AcceptedContract, _OF_SEVERAL, _SANDBOXES, test, limit)
