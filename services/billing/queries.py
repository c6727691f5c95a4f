"""Reads of billing's own read models."""

from datetime import date, datetime
from itertools import groupby

from pydantic import BaseModel

from contracts.vocabulary.identifiers import SANDBOX_SUFFIX
from services.kernel.read_models import ReadModels


class AccountBalance(BaseModel):
    """Money of one currency on a contract; `outstanding_minor` is billed and neither paid nor cancelled."""

    currency: str
    billed_minor: int
    paid_minor: int
    cancelled_minor: int
    outstanding_minor: int
    suspended_minor: int
    refundable_minor: int
    claims_paid_minor: int


class InvoiceView(BaseModel):
    """An invoice; `status` is open, settled or cancelled, `instalment_no` counts to `instalments`."""

    invoice_no: str
    order_no: str
    channel: str
    instalment_no: int
    instalments: int
    frequency: str
    amount_minor: int
    paid_minor: int
    currency: str
    due: date
    status: str
    issued_at: datetime
    closed_at: datetime | None


class AccountHead(BaseModel):
    """Whose account it is. The contract's number is unknown until its first term or payment names it."""

    contract_id: str
    contract_no: str | None
    book: str | None
    channel: str
    opened_at: datetime


class AccountView(AccountHead):
    """A contract's account with its balances and invoices."""

    balances: list[AccountBalance]
    invoices: list[InvoiceView]


class PostingView(BaseModel):
    """A journal line; debits are positive, credits negative, and each `entry_no` sums to zero."""

    entry_no: int
    event_type: str
    account: str
    amount_minor: int
    currency: str
    booked_at: datetime


class LedgerLine(BaseModel):
    """Turnover of one ledger account; `balance_minor` is debits minus credits."""

    currency: str
    account: str
    debit_minor: int
    credit_minor: int
    balance_minor: int


class TrialBalance(BaseModel):
    """All ledger accounts of one currency; the two totals are equal."""

    currency: str
    debit_minor: int
    credit_minor: int
    accounts: list[LedgerLine]


class InvoiceCount(BaseModel):
    """Invoices issued on one channel with one payment frequency, and their sum."""

    channel: str
    frequency: str
    currency: str
    invoices: int
    amount_minor: int


class SuspendedPayment(BaseModel):
    """Money that still waits for an invoice; `reason` is a fault code."""

    contract_id: str
    channel: str
    payment_no: str
    amount_minor: int
    currency: str
    reason: str
    paid_at: datetime
    suspended_at: datetime


_SANDBOXES = f"%{SANDBOX_SUFFIX}"
"""Channels that try things out, as a pattern of LIKE."""
_ACCOUNT = "select * from account where contract_id = $1"
_BALANCES = """
select *, billed_minor - paid_minor - cancelled_minor as outstanding_minor
  from account_balance where contract_id = $1 order by currency
"""
_INVOICES = "select * from invoice where contract_id = $1 order by due, channel, invoice_no"
# An account that was put away has no journal either.
_POSTINGS = """
select * from posting
 where contract_id = $1 and exists (select from account where contract_id = $1)
 order by entry_no, amount_minor desc, account
"""
_TRIAL_BALANCE = """
select currency, account, sum(debit_minor)::bigint as debit_minor, sum(credit_minor)::bigint as credit_minor,
       sum(debit_minor - credit_minor)::bigint as balance_minor
  from ledger_balance
 where channel = $1 or ($1::text is null and (channel like $2) = $3)
 group by currency, account
 order by currency, account
"""
_INVOICE_COUNTS = """
select channel, frequency, currency, sum(invoices)::bigint as invoices, sum(amount_minor)::bigint as amount_minor
  from invoice_count
 where (channel like $1) = $2
 group by channel, frequency, currency
 order by currency, sum(invoices) desc, frequency, channel
"""
_SUSPENSE = """
select * from suspended_payment where matched_at is null and (channel like $1) = $2
 order by suspended_at, channel, payment_no limit $3
"""


async def account_of_contract(read: ReadModels, contract_id: str) -> AccountView | None:
    """The account of a contract."""
    head = await read.one(AccountHead, _ACCOUNT, contract_id)
    if head is None:
        return None
    balances = await read.many(AccountBalance, _BALANCES, contract_id)
    invoices = await read.many(InvoiceView, _INVOICES, contract_id)
    return AccountView(**head.model_dump(), balances=balances, invoices=invoices)


async def postings_of_contract(read: ReadModels, contract_id: str) -> list[PostingView]:
    """The journal of a contract, first entry first."""
    return await read.many(PostingView, _POSTINGS, contract_id)


async def trial_balances(read: ReadModels, channel: str | None = None, *, test: bool = False) -> list[TrialBalance]:
    """One trial balance a currency, of one channel, or of all but the sandboxes, or of the sandboxes alone."""
    lines = await read.many(LedgerLine, _TRIAL_BALANCE, channel, _SANDBOXES, test)
    return [_trial_balance(currency, list(own)) for currency, own in groupby(lines, lambda line: line.currency)]


def _trial_balance(currency: str, lines: list[LedgerLine]) -> TrialBalance:
    return TrialBalance(
        currency=currency,
        debit_minor=sum(line.debit_minor for line in lines),
        credit_minor=sum(line.credit_minor for line in lines),
        accounts=lines,
    )


async def invoice_counts(read: ReadModels, *, test: bool) -> list[InvoiceCount]:
    """Invoices issued so far, by channel, frequency and currency; of the sandboxes alone, or without them."""
    return await read.many(InvoiceCount, _INVOICE_COUNTS, _SANDBOXES, test)


async def suspense(read: ReadModels, limit: int, *, test: bool) -> list[SuspendedPayment]:
    """Money that waits, longest first; of the sandboxes alone, or without them."""
    return await read.many(SuspendedPayment, _SUSPENSE, _SANDBOXES, test, limit)
