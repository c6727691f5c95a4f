"""Billing's HTTP API."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from contracts.vocabulary.identifiers import ContractId
from services.billing import queries
from services.billing.inbound import stream_of
from services.kernel.process.http import LINKS_GIVEN, HistoryEntry, LinksLimit, kernel_of, or_not_found
from services.kernel.proof.extract import Extract, Wanted

router = APIRouter(tags=["billing"])

_SUSPENSE_ROWS_MAX = 1_000


@router.get("/accounts/{contract_id}")
async def account(contract_id: str, request: Request) -> queries.AccountView:
    """A contract's account: balances by currency, and invoices by due date."""
    found = await queries.account_of_contract(kernel_of(request).read, contract_id)
    return or_not_found(found, "contract_id", contract_id)


@router.get("/accounts/{contract_id}/postings")
async def postings(contract_id: str, request: Request) -> list[queries.PostingView]:
    """A contract's journal."""
    found = await queries.postings_of_contract(kernel_of(request).read, contract_id)
    return or_not_found(found, "contract_id", contract_id)


@router.get("/accounts/{contract_id}/history")
async def history(contract_id: str, request: Request) -> list[HistoryEntry]:
    """Everything that happened on a contract's account, straight from the log."""
    found = await kernel_of(request).history(contract_id, stream_of(contract_id))
    return or_not_found(found, "contract_id", contract_id)


@router.get("/contracts/{contract_id}/dossier")
async def dossier(contract_id: ContractId, request: Request, links: LinksLimit = LINKS_GIVEN) -> Extract:
    """This service's part of a contract's dossier: every event as it lies in the log, with what proves it."""
    return await kernel_of(request).extract(contract_id, streams_of(contract_id), links)


@router.get("/trial-balance")
async def trial_balance(request: Request, channel: str | None = None, test: bool = False) -> list[queries.TrialBalance]:
    """Debits and credits by ledger account, for each currency; of one channel, of all, or with `test` of sandboxes."""
    return await queries.trial_balances(kernel_of(request).read, channel, test=test)


@router.get("/invoice-counts")
async def invoice_counts(request: Request, test: bool = False) -> list[queries.InvoiceCount]:
    """Invoices issued, by payment frequency; with `test`, of the sandboxes alone."""
    return await queries.invoice_counts(kernel_of(request).read, test=test)


@router.get("/suspense")
async def suspense(
    request: Request, limit: Annotated[int, Query(ge=1, le=_SUSPENSE_ROWS_MAX)] = 100, test: bool = False
) -> list[queries.SuspendedPayment]:
    """Payments that wait for an invoice, longest first; with `test`, of the sandboxes alone."""
    return await queries.suspense(kernel_of(request).read, limit, test=test)


def streams_of(contract_id: str) -> list[Wanted]:
    """Everything in the log that belongs to a contract: its account, and reports that were refused."""
    refused = Wanted(contract_id, "payment-", prefix=True, having={"contract_id": contract_id})
    return [Wanted(contract_id, stream_of(contract_id)), refused]
