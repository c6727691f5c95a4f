"""Quote's HTTP API."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.topics import lanes_of_all
from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.identifiers import ChannelCode, ContractId, ExternalNumber
from services.kernel import clock
from services.kernel.commands.idempotent import CommandResult
from services.kernel.errors import CommandRefused
from services.kernel.messages import Instruction
from services.kernel.process.http import (
    LINKS_GIVEN,
    HistoryEntry,
    IdempotencyKey,
    LinksLimit,
    kernel_of,
    or_not_found,
    problem,
)
from services.kernel.proof.extract import Extract, Wanted
from services.quote import product_api, product_queries, queries
from services.quote.catalogue import Catalogue
from services.quote.channel_form import Malformed, read_census_change
from services.quote.domain.census_change import CensusChangeTrial, try_change
from services.quote.domain.commands import ClearSandbox
from services.quote.domain.events import ApplicationSubmitted
from services.quote.domain.order import Order
from services.quote.domain.products.document import VERSION_MAX, ProductDocument
from services.quote.domain.products.group_change import CensusChange
from services.quote.domain.products.part import PlainText
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.trial import Trial, trial
from services.quote.inbound import QuoteInbound, application_stream, product_stream

REFUSED_LISTED_MAX = 1000

router = APIRouter(tags=["quotes"])
router.include_router(product_api.router)

# Trials look at a catalogue of their own: that of intake is refreshed with its batches.
_catalogue = Catalogue()
_TRIAL = TypeAdapter(Trial)
_HAS_CENSUS = ("accepted", "issued")
_CHANGE = TypeAdapter(CensusChangeTrial)


class TrialOrder(BaseModel):
    """An order as `channel` would send it; what identifies it may be left out, and so may its premium."""

    model_config = ConfigDict(extra="forbid")

    channel: ChannelCode
    order: dict[str, Any]


class TrialChange(BaseModel):
    """A change of the census of an order: of one that was placed (`order_no`), or as `channel` would send it (`order`).

    `product_version` is the version that it would be sold under; without it the one on sale when it is placed.
    """

    model_config = ConfigDict(extra="forbid")

    channel: ChannelCode
    change: dict[str, Any]
    order: dict[str, Any] | None = None
    order_no: ExternalNumber | None = None
    product_version: Annotated[int, Field(ge=1, le=VERSION_MAX)] | None = None


class Clearance(BaseModel):
    """Who puts a sandbox away, and why."""

    model_config = ConfigDict(extra="forbid")

    cleared_by: PlainText
    reason: PlainText


@router.post("/trial-premium")
async def trial_premium(wanted: TrialOrder, request: Request) -> Response:
    """What an order would cost and whether it would be taken; nothing is written. 422 lists all faults of its form."""
    await _catalogue.refresh(kernel_of(request).read)
    order = {**_trial_defaults(), **wanted.order}
    command = QuoteInbound(_catalogue).on_trial(wanted.channel, json.dumps(order).encode())
    if isinstance(command, Malformed):
        return _not_valid("The order is not valid", command.faults)
    found = trial(command, at_our_price="premium_minor" not in wanted.order)
    return Response(_TRIAL.dump_json(found), media_type="application/json")


@router.post("/trial-census-change")
async def trial_census_change(wanted: TrialChange, request: Request) -> Response:
    """What it costs that members of a group join and leave on a day; nothing is written. 422 lists all faults of form.

    `change` has the day (`effective`), who `joins` (rows of a census; `replaces` names the leaver replaced) and who
    `leaves` (`member_no`, and `claimed` after a claim).
    """
    if (wanted.order is None) == (wanted.order_no is None):
        one = Fault(code=FaultCode.MISSING_FIELD, path="order", message="give either order or order_no")
        return _not_valid("The request is not valid", (one,))
    change = read_census_change(wanted.change)
    faults = () if isinstance(change, CensusChange) else change.faults
    sold: tuple[Order, int | None] | Malformed
    if wanted.order_no is not None:
        sold = await _placed(wanted.channel, wanted.order_no, request)
    else:
        sold = _as_sent(wanted.channel, {**_trial_defaults(), **(wanted.order or {})})
    if isinstance(sold, Malformed) or isinstance(change, Malformed):
        return _not_valid("The change is not valid", (*(sold.faults if isinstance(sold, Malformed) else ()), *faults))
    order, version = sold
    product = await _sold_under(request, wanted.channel, order, version or wanted.product_version)
    return Response(
        _CHANGE.dump_json(try_change(order, wanted.channel, product, change)), media_type="application/json"
    )


async def _placed(channel: str, order_no: str, request: Request) -> tuple[Order, int | None]:
    """The order as the log has it, and the version that decided on it."""
    kernel = kernel_of(request)
    found = or_not_found(await queries.application_of_order(kernel.read, channel, order_no), "order_no", order_no)
    if found.status not in _HAS_CENSUS:
        raise CommandRefused("application_not_accepted", f"order {order_no} is {found.status}; it has no members yet")
    entries = await kernel.history(found.contract_id, application_stream(channel, order_no, found.contract_id))
    submitted = [entry.data for entry in entries if entry.type == ApplicationSubmitted.event_type]
    (first, *_) = or_not_found(submitted, "order_no", order_no)
    return Order.model_validate(first["order"]), found.product_version


def _as_sent(channel: str, order: dict[str, Any]) -> tuple[Order, int | None] | Malformed:
    command = QuoteInbound(Catalogue()).on_trial(channel, json.dumps(order).encode())
    return command if isinstance(command, Malformed) else (command.order, None)


async def _sold_under(request: Request, channel: str, order: Order, version: int | None) -> ProductVersion:
    """The product version, by its number or as the order would find it; 404 where there is none."""
    if version is None:
        await _catalogue.refresh(kernel_of(request).read)
        day = order.placed_at.date()
        offer = _catalogue.find(order.product, day, channel, order.region, contract_id="")
        return or_not_found(offer.product, "product", order.product)
    day = clock.now().date()
    row = await product_queries.product_version(kernel_of(request).read, order.product, version, day)
    named = or_not_found(row, "product_version", f"{order.product} {version}")
    return ProductVersion.of(ProductDocument.model_validate(named.document), named.life())


def _not_valid(title: str, faults: Sequence[Fault]) -> Response:
    listed = [fault.model_dump(mode="json") for fault in faults]
    return problem(422, title, f"{len(listed)} faults", {"faults": listed})


def _trial_defaults() -> dict[str, Any]:
    """What need not be told where nothing is ordered yet."""
    return {
        "type": "order.placed",
        "schema_version": 1,
        "order_no": "trial",
        "placed_at": clock.now().isoformat(),
        "premium_minor": 0,
    }


@router.get("/channels/{channel}/orders/{order_no:path}/working")
async def working(channel: str, order_no: str, request: Request) -> queries.WorkingView:
    """Each step to the price of an order, of the offer where other terms were offered; 404 where none was made."""
    kernel = kernel_of(request)
    found = or_not_found(await queries.application_of_order(kernel.read, channel, order_no), "order_no", order_no)
    entries = await kernel.history(found.contract_id, application_stream(channel, order_no, found.contract_id))
    rated = [entry.data for entry in entries if entry.data.get("working")]
    (latest,) = or_not_found(rated[-1:], "working of order_no", order_no)
    # An offer has its terms inside; what was priced as ordered has them beside the working.
    return queries.WorkingView.model_validate({**latest, **latest.get("terms", {})})


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


@router.get("/contracts/{contract_id}/dossier")
async def dossier(contract_id: ContractId, request: Request, links: LinksLimit = LINKS_GIVEN) -> Extract:
    """This service's part of a contract's dossier: every event as it lies in the log, with what proves it."""
    kernel = kernel_of(request)
    applications = await queries.applications_of_contract(kernel.read, contract_id)
    return await kernel.extract(contract_id, streams_of(contract_id, applications), links)


@router.get("/order-outcomes")
async def order_outcomes(request: Request, test: bool = False) -> list[queries.OrderOutcomes]:
    """How many orders ended how, by channel and reason; with `test`, of the sandboxes alone."""
    return await queries.order_outcomes(kernel_of(request).read, test=test)


@router.get("/campaigns")
async def campaigns(
    request: Request,
    by: Annotated[list[queries.Motive] | None, Query()] = None,
    channel: str | None = None,
    limit: Annotated[int, Query(ge=1, le=queries.CAMPAIGNS_LISTED_MAX)] = 1000,
) -> list[queries.CampaignSales]:
    """Why buyers came: applications by campaign and source (or by what `by` names) and by how they ended."""
    wanted = by or [queries.Motive.CAMPAIGN, queries.Motive.SOURCE]
    return await queries.campaign_sales(kernel_of(request).read, wanted, channel, limit)


@router.get("/refused-messages")
async def refused_messages(
    request: Request,
    channel: str | None = None,
    limit: Annotated[int, Query(ge=1, le=REFUSED_LISTED_MAX)] = 100,
) -> list[queries.RefusedMessageView]:
    """Messages that were not taken in, the latest first."""
    return await queries.refused_messages(kernel_of(request).read, channel, limit)


@router.post("/sandboxes/{channel}/clear")
async def clear_sandbox(
    channel: ChannelCode, clearance: Clearance, request: Request, idempotency_key: IdempotencyKey
) -> list[CommandResult]:
    """Put away what a sandbox channel did so far: every read model of every service drops it, the logs keep it.

    One step a partition; with the same idempotency key again it goes on where it was interrupted.
    """
    return [
        await kernel_of(request).execute(
            Instruction(
                lane=lane,
                stream=f"sandbox-{lane}",
                command=ClearSandbox(
                    channel=channel, lane=lane, cleared_by=clearance.cleared_by, reason=clearance.reason
                ),
            ),
            f"{idempotency_key}/{number}",
        )
        for number, lane in enumerate(lanes_of_all(channel))
    ]


def streams_of(contract_id: str, applications: Sequence[queries.ContractApplication]) -> list[Wanted]:
    """Everything in the log that belongs to a contract: its applications, and the product versions they name."""
    own = [Wanted(contract_id, application_stream(one.channel, one.order_no, contract_id)) for one in applications]
    sold = {(one.product_code, one.product_version) for one in applications if one.product_version is not None}
    products = [
        Wanted(code, product_stream(code), having={"product_version": version}) for code, version in sorted(sold)
    ]
    return [*own, *products]
