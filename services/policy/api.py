"""Policy's HTTP API."""

from fastapi import APIRouter, Request

from contracts.vocabulary.identifiers import ContractId
from services.kernel.process.http import LINKS_GIVEN, HistoryEntry, LinksLimit, kernel_of, or_not_found
from services.kernel.proof.extract import Extract, Wanted
from services.policy import queries
from services.policy.inbound import stream_of

router = APIRouter(tags=["policies"])


@router.get("/policies/{policy_no}")
async def policy(policy_no: str, request: Request) -> queries.PolicyTermView:
    """A policy term by its number."""
    found = await queries.policy_by_number(kernel_of(request).read, policy_no)
    return or_not_found(found, "policy_no", policy_no)


@router.get("/contracts/{contract_id}")
async def contract(contract_id: str, request: Request) -> list[queries.PolicyTermView]:
    """All terms of a contract."""
    return or_not_found(
        await queries.terms_of_contract(kernel_of(request).read, contract_id), "contract_id", contract_id
    )


@router.get("/contracts/{contract_id}/history")
async def history(contract_id: str, request: Request) -> list[HistoryEntry]:
    """Everything that happened to a contract's policy, straight from the log."""
    return or_not_found(
        await kernel_of(request).history(contract_id, stream_of(contract_id)), "contract_id", contract_id
    )


@router.get("/contracts/{contract_id}/dossier")
async def dossier(contract_id: ContractId, request: Request, links: LinksLimit = LINKS_GIVEN) -> Extract:
    """This service's part of a contract's dossier: every event as it lies in the log, with what proves it."""
    return await kernel_of(request).extract(contract_id, streams_of(contract_id), links)


@router.get("/channels/{channel}/orders/{order_no:path}")
async def order(channel: str, order_no: str, request: Request) -> queries.PolicyTermView:
    """The policy term that a channel's order led to."""
    found = await queries.policy_of_order(kernel_of(request).read, channel, order_no)
    return or_not_found(found, "order_no", order_no)


@router.get("/written-premium")
async def written_premium(request: Request, test: bool = False) -> list[queries.WrittenPremium]:
    """Premium written by product, channel and coverage; with `test`, of the sandboxes alone."""
    return await queries.premium_written(kernel_of(request).read, test=test)


@router.get("/terms-by-frequency")
async def terms_by_frequency(request: Request, test: bool = False) -> list[queries.FrequencyTotal]:
    """Policy terms by pay frequency; with `test`, of the sandboxes alone."""
    return await queries.terms_by_frequency(kernel_of(request).read, test=test)


def streams_of(contract_id: str) -> list[Wanted]:
    """Everything in the log that belongs to a contract."""
    return [Wanted(contract_id, stream_of(contract_id))]
