"""The HTTP API of what customers decide after an order, where it does not come as a message of their channel."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.kernel import clock
from services.kernel.commands.idempotent import CommandResult
from services.kernel.errors import CommandRefused
from services.kernel.process.http import kernel_of
from services.quote import deadline_queries
from services.quote.domain.products.part import PlainText
from services.quote.domain.underwriting import commands
from services.quote.underwriting_api import ORDER, Body, Explained, Order, Signed

DEADLINES_LISTED_MAX = 1000

decisions = APIRouter(tags=["customers' decisions"])


class Answer(Signed):
    """The answer to the open question."""

    answer: PlainText


class BusinessDate(Body):
    """For which day it is done; today, in UTC, unless given."""

    on: date | None = None


@decisions.get("/deadlines")
async def deadlines(
    request: Request,
    before: date | None = None,
    limit: Annotated[int, Query(ge=1, le=DEADLINES_LISTED_MAX)] = 100,
) -> list[deadline_queries.Deadline]:
    """Offers, questions and payments whose last day lies before a day (today unless given), earliest first."""
    return await deadline_queries.deadlines(kernel_of(request).read, before or clock.now().date(), None, limit)


@decisions.post(ORDER + "/answer")
async def answer(order: Order, body: Answer) -> CommandResult:
    """Answer the open question."""
    command = commands.ProvideInformation(order_no=order.order_no, provided_by=body.by, answer=body.answer)
    return await order.carry_out(command)


@decisions.post(ORDER + "/take")
async def take(order: Order, body: Signed) -> CommandResult:
    """The customer takes the counter-offer; the order is accepted on its terms."""
    command = commands.TakeCounterOffer(order_no=order.order_no, taken_by=body.by, taken_on=clock.now().date())
    return await order.carry_out(command)


@decisions.post(ORDER + "/refuse")
async def refuse(order: Order, body: Signed) -> CommandResult:
    """The customer does not take the counter-offer; the order is withdrawn."""
    return await order.carry_out(commands.RefuseCounterOffer(order_no=order.order_no, refused_by=body.by))


@decisions.post(ORDER + "/withdraw")
async def withdraw(order: Order, body: Explained) -> CommandResult:
    """The customer does not want the cover any more; of an accepted order, policy decides whether it is too late.

    409 with code `application_issued` where there is a policy already.
    """
    command = commands.WithdrawApplication(order_no=order.order_no, withdrawn_by=body.by, reason=body.reason)
    return await order.carry_out(command)


@decisions.post(ORDER + "/expire")
async def expire(order: Order, body: BusinessDate | None = None) -> CommandResult:
    """End an application whose offer, question or payment has waited beyond its last day.

    409 with code `not_expired` before that, and `date_not_reached` for a day that has not come yet.
    """
    today = clock.now().date()
    day = today if body is None or body.on is None else body.on
    if day > today:
        raise CommandRefused("date_not_reached", f"{day} has not come yet; it is {today} in UTC")
    return await order.carry_out(commands.ExpireApplication(order_no=order.order_no, expired_on=day))
