"""The HTTP API of underwriters: the referral queue, and what is done about a referral."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.vocabulary.identifiers import ChannelCode, CoverageCode
from contracts.vocabulary.money import NonNegativeMinor, PositiveMinor
from services.kernel import clock
from services.kernel.commands.idempotent import CommandResult
from services.kernel.messages import Instruction
from services.kernel.process.http import IdempotencyKey, kernel_of, or_not_found
from services.quote import product_queries, queries, underwriting_queries
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.part import PlainText
from services.quote.domain.products.ratio import RatioText
from services.quote.domain.underwriting import commands
from services.quote.domain.underwriting.offers import Alteration
from services.quote.inbound import application_stream

REFERRALS_LISTED_MAX = 1000

underwriting = APIRouter(tags=["underwriting"])

Channel = Annotated[ChannelCode, PathParameter()]
State = Literal["referred", "asked", "offered", "accepted", "declined", "withdrawn", "expired"]
ORDER = "/referrals/{channel}/{order_no:path}"


class Body(BaseModel):
    """What a request says; an unknown field is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Signed(Body):
    """Who does it."""

    by: PlainText


class Explained(Signed):
    """Who does it, and why."""

    reason: PlainText


class Assignment(Signed):
    """Who assigns a referral, and to whom."""

    underwriter: PlainText


class Note(Signed):
    """A note for the file."""

    note: PlainText


class Question(Signed):
    """What is asked of the channel, and how many days it has to answer."""

    question: PlainText
    answer_days: Annotated[int, Field(ge=1, le=365)] = 14


class OfferedLoading(Body):
    """Either `percent` of the premium, such as "25", or an amount; on all coverages unless some are named."""

    percent: RatioText | None = None
    amount_minor: PositiveMinor | None = None
    coverages: tuple[CoverageCode, ...] = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.percent is None) == (self.amount_minor is None):
            raise ValueError("give either percent or amount_minor")
        return self


class Offer(Explained):
    """Other terms: premiums by coverage in place of the tariff's, loadings on them, coverages left out."""

    loadings: tuple[OfferedLoading, ...] = ()
    excluded: tuple[CoverageCode, ...] = ()
    premiums: dict[CoverageCode, NonNegativeMinor] = Field(default_factory=dict)


class _Order:
    """Carries out commands about one order of a channel."""

    def __init__(self, channel: Channel, order_no: str, request: Request, idempotency_key: IdempotencyKey) -> None:
        self.kernel, self.idempotency_key = kernel_of(request), idempotency_key
        self.channel, self.order_no = channel, order_no

    async def carry_out(self, command: commands.ReferralCommand) -> CommandResult:
        """What the command did. Raises CommandRefused, or 404 where there is no such order."""
        found = await queries.application_of_order(self.kernel.read, self.channel, self.order_no)
        contract_id = or_not_found(found, "order_no", self.order_no).contract_id
        stream = application_stream(self.channel, self.order_no, contract_id)
        instruction = Instruction(lane=contract_id, stream=stream, command=command)
        return await self.kernel.execute(instruction, self.idempotency_key)


Order = Annotated[_Order, Depends()]


@underwriting.get("/referrals")
async def referrals(
    request: Request,
    state: State | None = None,
    underwriter: str | None = None,
    lapsed: bool = False,
    test: bool = False,
    limit: Annotated[int, Query(ge=1, le=REFERRALS_LISTED_MAX)] = 100,
) -> list[underwriting_queries.ReferralView]:
    """The queue, the longest waiting first; `lapsed`: not answered in time; `test`: of the sandboxes alone."""
    read, overdue_on = kernel_of(request).read, clock.now().date() if lapsed else None
    return await underwriting_queries.referrals(read, state, underwriter, overdue_on, limit, test=test)


@underwriting.post(ORDER + "/assign")
async def assign(order: Order, body: Assignment) -> CommandResult:
    """Give a referral to an underwriter."""
    command = commands.AssignReferral(order_no=order.order_no, underwriter=body.underwriter, assigned_by=body.by)
    return await order.carry_out(command)


@underwriting.post(ORDER + "/note")
async def note(order: Order, body: Note) -> CommandResult:
    """Put a note into the file; the channel does not see it."""
    return await order.carry_out(commands.NoteReferral(order_no=order.order_no, noted_by=body.by, note=body.note))


@underwriting.post(ORDER + "/ask")
async def ask(order: Order, body: Question) -> CommandResult:
    """Ask the channel a question."""
    until = clock.now().date() + timedelta(days=body.answer_days)
    command = commands.RequestInformation(
        order_no=order.order_no, requested_by=body.by, question=body.question, until=until
    )
    return await order.carry_out(command)


@underwriting.post(ORDER + "/accept")
async def accept(order: Order, body: Explained) -> CommandResult:
    """Accept as ordered. 409 with code `authority_exceeded` where the underwriter's level is too low."""
    level = await underwriting_queries.authority_of(order.kernel.read, body.by)
    command = commands.AcceptReferral(
        order_no=order.order_no,
        accepted_by=body.by,
        level=level,
        reason=body.reason,
        accepted_on=clock.now().date(),
    )
    return await order.carry_out(command)


@underwriting.post(ORDER + "/decline")
async def decline(order: Order, body: Explained) -> CommandResult:
    """Decline; the channel reads the reason."""
    command = commands.DeclineReferral(order_no=order.order_no, declined_by=body.by, reason=body.reason)
    return await order.carry_out(command)


@underwriting.post(ORDER + "/counter")
async def counter(order: Order, body: Offer) -> CommandResult:
    """Offer other terms. 409 with code `authority_exceeded`, `coverage_mandatory`, `premium_missing` and others."""
    command = commands.MakeCounterOffer(
        order_no=order.order_no,
        offered_by=body.by,
        level=await underwriting_queries.authority_of(order.kernel.read, body.by),
        reason=body.reason,
        alterations=tuple(_alteration(loading) for loading in body.loadings),
        excluded=body.excluded,
        premiums=tuple(sorted(body.premiums.items())),
        offered_on=clock.now().date(),
        product=await _sold_under(order),
    )
    return await order.carry_out(command)


# Last, as an order number may hold slashes: what ends in a verb must not be taken for a number.
@underwriting.get(ORDER)
async def referral(channel: str, order_no: str, request: Request) -> underwriting_queries.ReferralView:
    """One referral, decided or not; its whole history is that of the order."""
    found = await underwriting_queries.referral_of_order(kernel_of(request).read, channel, order_no)
    return or_not_found(found, "order_no", order_no)


async def _sold_under(order: Order) -> ProductDocument:
    """The document that a referred order is sold under; 404 where there is no referral."""
    read = order.kernel.read
    waiting = await underwriting_queries.referral_of_order(read, order.channel, order.order_no)
    named = or_not_found(waiting, "order_no", order.order_no)
    found = await product_queries.product_version(read, named.product_code, named.product_version, clock.now().date())
    return ProductDocument.model_validate(or_not_found(found, "product", named.product_code).document)


def _alteration(loading: OfferedLoading) -> Alteration:
    percent = None if loading.percent is None else loading.percent.text
    return Alteration(percent=percent, amount_minor=loading.amount_minor, coverages=loading.coverages)
