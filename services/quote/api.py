"""Quote's HTTP API."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.kernel.http import HistoryEntry, kernel_of, or_not_found
from services.quote import product_api, queries
from services.quote.inbound import application_stream

REFUSED_LISTED_MAX = 1000

router = APIRouter(tags=["quotes"])
router.include_router(product_api.router)


# The longer path first: an order number may hold slashes, so the shorter one would take it for a part of it.
@router.get("/channels/{channel}/orders/{order_no:path}/history")
async def history(channel: str, order_no: str, request: Request) -> list[HistoryEntry]:
    """Everything that happened to an order's application, straight from the log."""
    kernel = kernel_of(request)
    found = or_not_found(await queries.application_of_order(kernel.read, channel, order_no), "order_no", order_no)
    return await kernel.history(found.contract_id, application_stream(channel, order_no, found.contract_id))


@router.get("/channels/{channel}/orders/{order_no:path}")
async def order(channel: str, order_no: str, request: Request) -> queries.ApplicationView:
    """The application of a channel's order."""
    found = await queries.application_of_order(kernel_of(request).read, channel, order_no)
    return or_not_found(found, "order_no", order_no)


@router.get("/order-outcomes")
async def order_outcomes(request: Request) -> list[queries.OrderOutcomes]:
    """How many orders were accepted, declined, refused or in conflict, by channel and reason."""
    return await queries.order_outcomes(kernel_of(request).read)


@router.get("/refused-messages")
async def refused_messages(
    request: Request,
    channel: str | None = None,
    limit: Annotated[int, Query(ge=1, le=REFUSED_LISTED_MAX)] = 100,
) -> list[queries.RefusedMessageView]:
    """Messages that were not taken in, the latest first."""
    return await queries.refused_messages(kernel_of(request).read, channel, limit)
