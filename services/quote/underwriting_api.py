"""The HTTP API of underwriters: the referral queue, the roster, and the blacklist."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.vocabulary.identifiers import ChannelCode, CoverageCode, PersonDigest
from contracts.vocabulary.money import NonNegativeMinor, PositiveMinor
from services.kernel import clock
from services.kernel.http import IdempotencyKey, kernel_of, or_not_found
from services.kernel.idempotent import CommandResult
from services.kernel.messages import Instruction
from services.quote import queries, underwriting_queries
from services.quote.domain.products.part import PlainText
from services.quote.domain.products.ratio import RatioText
from services.quote.domain.products.underwriting import LEVEL_MAX
from services.quote.domain.underwriting import commands
from services.quote.domain.underwriting.offers import Alteration
from services.quote.inbound import application_stream, blacklist_stream, underwriter_stream

REFERRALS_LISTED_MAX = 1000

underwriting = APIRouter(tags=["underwriting"])

Underwriter = Annotated[PlainText, PathParameter()]
Channel = Annotated[ChannelCode, PathParameter()]
State = Literal["referred", "asked", "offered", "accepted", "declined", "withdrawn", "expired"]
_ORDER = "/referrals/{channel}/{order_no:path}"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Signed(_Body):
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


class Answer(Signed):
    """The answer to the open question."""

    answer: PlainText


class OfferedLoading(_Body):
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


class Appointment(Explained):
    """The level of authority that somebody gets, by whom and why."""

    level: Annotated[int, Field(ge=1, le=LEVEL_MAX + 1)]


class BlacklistEntry(Explained):
    """Whom not to insure: the digest of a document or of a name."""

    kind: Literal["document", "name"]
    subject: PersonDigest


class _Caller:
    """Carries out a command on a stream that is its own lane."""

    def __init__(self, request: Request, idempotency_key: IdempotencyKey) -> None:
        self.kernel, self.idempotency_key = kernel_of(request), idempotency_key

    async def carry_out(
        self, stream: str, command: commands.BlacklistCommand | commands.RosterCommand
    ) -> CommandResult:
        """What the command did. Raises CommandRefused, which becomes a 409 problem document."""
        instruction = Instruction(lane=stream, stream=stream, command=command)
        return await self.kernel.execute(instruction, self.idempotency_key)


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


Caller = Annotated[_Caller, Depends()]
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


@underwriting.post(_ORDER + "/assign")
async def assign(order: Order, body: Assignment) -> CommandResult:
    """Give a referral to an underwriter."""
    command = commands.AssignReferral(order_no=order.order_no, underwriter=body.underwriter, assigned_by=body.by)
    return await order.carry_out(command)


@underwriting.post(_ORDER + "/note")
async def note(order: Order, body: Note) -> CommandResult:
    """Put a note into the file; the channel does not see it."""
    return await order.carry_out(commands.NoteReferral(order_no=order.order_no, noted_by=body.by, note=body.note))


@underwriting.post(_ORDER + "/ask")
async def ask(order: Order, body: Question) -> CommandResult:
    """Ask the channel a question."""
    until = clock.now().date() + timedelta(days=body.answer_days)
    command = commands.RequestInformation(
        order_no=order.order_no, requested_by=body.by, question=body.question, until=until
    )
    return await order.carry_out(command)


@underwriting.post(_ORDER + "/answer")
async def answer(order: Order, body: Answer) -> CommandResult:
    """Answer the open question."""
    command = commands.ProvideInformation(order_no=order.order_no, provided_by=body.by, answer=body.answer)
    return await order.carry_out(command)


@underwriting.post(_ORDER + "/accept")
async def accept(order: Order, body: Explained) -> CommandResult:
    """Accept as ordered. 409 with code `authority_exceeded` where the underwriter's level is too low."""
    level = await underwriting_queries.authority_of(order.kernel.read, body.by)
    command = commands.AcceptReferral(order_no=order.order_no, accepted_by=body.by, level=level, reason=body.reason)
    return await order.carry_out(command)


@underwriting.post(_ORDER + "/decline")
async def decline(order: Order, body: Explained) -> CommandResult:
    """Decline; the channel reads the reason."""
    command = commands.DeclineReferral(order_no=order.order_no, declined_by=body.by, reason=body.reason)
    return await order.carry_out(command)


@underwriting.post(_ORDER + "/counter")
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
    )
    return await order.carry_out(command)


@underwriting.post(_ORDER + "/take")
async def take(order: Order, body: Signed) -> CommandResult:
    """The customer takes the counter-offer; the order is accepted on its terms."""
    command = commands.TakeCounterOffer(order_no=order.order_no, taken_by=body.by, taken_on=clock.now().date())
    return await order.carry_out(command)


@underwriting.post(_ORDER + "/refuse")
async def refuse(order: Order, body: Signed) -> CommandResult:
    """The customer does not take the counter-offer; the order is withdrawn."""
    return await order.carry_out(commands.RefuseCounterOffer(order_no=order.order_no, refused_by=body.by))


@underwriting.post(_ORDER + "/withdraw")
async def withdraw(order: Order, body: Explained) -> CommandResult:
    """The customer does not want the cover any more."""
    command = commands.WithdrawApplication(order_no=order.order_no, withdrawn_by=body.by, reason=body.reason)
    return await order.carry_out(command)


@underwriting.post(_ORDER + "/expire")
async def expire(order: Order) -> CommandResult:
    """Close an application whose offer or question was not answered in time; 409 `not_expired` before that."""
    command = commands.ExpireApplication(order_no=order.order_no, expired_on=clock.now().date())
    return await order.carry_out(command)


# Last, as an order number may hold slashes: what ends in a verb must not be taken for a number.
@underwriting.get(_ORDER)
async def referral(channel: str, order_no: str, request: Request) -> underwriting_queries.ReferralView:
    """One referral, decided or not; its whole history is that of the order."""
    found = await underwriting_queries.referral_of_order(kernel_of(request).read, channel, order_no)
    return or_not_found(found, "order_no", order_no)


@underwriting.get("/underwriters")
async def underwriters(request: Request) -> list[underwriting_queries.UnderwriterView]:
    """Who may decide on referrals."""
    return await underwriting_queries.underwriters(kernel_of(request).read)


@underwriting.post("/underwriters/{underwriter}/appoint")
async def appoint(underwriter: Underwriter, body: Appointment, caller: Caller) -> CommandResult:
    """Give somebody a level of authority."""
    command = commands.AppointUnderwriter(
        underwriter=underwriter, level=body.level, reason=body.reason, appointed_by=body.by
    )
    return await caller.carry_out(underwriter_stream(underwriter), command)


@underwriting.post("/underwriters/{underwriter}/dismiss")
async def dismiss(underwriter: Underwriter, body: Explained, caller: Caller) -> CommandResult:
    """Take somebody's authority away."""
    command = commands.DismissUnderwriter(underwriter=underwriter, reason=body.reason, dismissed_by=body.by)
    return await caller.carry_out(underwriter_stream(underwriter), command)


@underwriting.get("/blacklist")
async def blacklist(request: Request) -> list[underwriting_queries.BlacklistEntryView]:
    """Everybody who is on the blacklist now."""
    return await underwriting_queries.blacklist(kernel_of(request).read)


@underwriting.post("/blacklist/add")
async def add_to_blacklist(body: BlacklistEntry, caller: Caller) -> CommandResult:
    """Insure a person no longer."""
    command = commands.AddBlacklistEntry(kind=body.kind, subject=body.subject, reason=body.reason, added_by=body.by)
    return await caller.carry_out(blacklist_stream(body.kind, body.subject), command)


@underwriting.post("/blacklist/remove")
async def remove_from_blacklist(body: BlacklistEntry, caller: Caller) -> CommandResult:
    """Insure a person again. 409 with code `not_blacklisted` for who never was on the list."""
    command = commands.RemoveBlacklistEntry(
        kind=body.kind, subject=body.subject, reason=body.reason, removed_by=body.by
    )
    return await caller.carry_out(blacklist_stream(body.kind, body.subject), command)


def _alteration(loading: OfferedLoading) -> Alteration:
    percent = None if loading.percent is None else loading.percent.text
    return Alteration(percent=percent, amount_minor=loading.amount_minor, coverages=loading.coverages)
