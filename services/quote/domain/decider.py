"""Quote's decider: sends each command and event to the rules of the stream that it belongs to."""

from collections.abc import Sequence
from typing import TypeVar, assert_never

from contracts.vocabulary.identifiers import SANDBOX_SUFFIX, is_sandbox
from services.kernel.decider import Decider
from services.kernel.errors import CommandRefused, CorruptHistory
from services.quote.domain import applications, blacklist, product_versions, roster
from services.quote.domain.answers.commands import AnswerOrder, RecordRelease
from services.quote.domain.answers.events import AnswerEvent
from services.quote.domain.commands import (
    ClearSandbox,
    QuoteCommand,
    RecordIssue,
    RecordIssueFailure,
    RefuseMessage,
    SubmitApplication,
)
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationIssued,
    ApplicationNotIssued,
    ApplicationSubmitted,
    MessageRefused,
    OrderConflicted,
    PremiumRated,
    QuoteEvent,
    SandboxCleared,
)
from services.quote.domain.lifecycle.commands import (
    ApproveProduct,
    CloseProduct,
    DraftProduct,
    MoveOutlet,
    OpenSandbox,
    PublishProduct,
    WithdrawProduct,
)
from services.quote.domain.lifecycle.events import (
    OutletClosed,
    OutletOpened,
    OutletWithdrawn,
    ProductApproved,
    ProductClosed,
    ProductDrafted,
    ProductPublished,
    ProductWithdrawn,
    SandboxOpened,
)
from services.quote.domain.state import Application, Blacklisted, NothingYet, Product, QuoteState, Refused, Underwriter
from services.quote.domain.underwriting.commands import (
    REFERRAL_COMMANDS,
    AddBlacklistEntry,
    AppointUnderwriter,
    DismissUnderwriter,
    RemoveBlacklistEntry,
)
from services.quote.domain.underwriting.events import (
    BlacklistEntryAdded,
    BlacklistEntryRemoved,
    UnderwriterAppointed,
    UnderwriterDismissed,
    UnderwritingEvent,
)

Known = TypeVar("Known", Application, Product, Refused, Blacklisted, Underwriter)


def decide(command: QuoteCommand, state: QuoteState) -> Sequence[QuoteEvent]:
    """What happens on a command."""
    if isinstance(command, REFERRAL_COMMANDS):
        return applications.decide(command, _only(Application, state))
    match command:
        case SubmitApplication() | RecordIssue() | RecordIssueFailure() | RecordRelease() | AnswerOrder():
            return applications.decide(command, _only(Application, state))
        case RefuseMessage():
            return _refuse(command, _only(Refused, state))
        case (
            DraftProduct()
            | ApproveProduct()
            | OpenSandbox()
            | PublishProduct()
            | CloseProduct()
            | WithdrawProduct()
            | MoveOutlet()
        ):
            return product_versions.decide(command, _only(Product, state))
        case ClearSandbox():
            return [_cleared(command)]
        case AddBlacklistEntry() | RemoveBlacklistEntry():
            return blacklist.decide(command, _only(Blacklisted, state))
        case AppointUnderwriter() | DismissUnderwriter():
            return roster.decide(command, _only(Underwriter, state))
        case _:
            assert_never(command)


def evolve(state: QuoteState, event: QuoteEvent) -> QuoteState:
    """What is true after an event."""
    if isinstance(event, UnderwritingEvent | AnswerEvent):
        return applications.evolve(_only(Application, state), event)
    match event:
        case (
            ApplicationSubmitted()
            | PremiumRated()
            | ApplicationAccepted()
            | ApplicationDeclined()
            | ApplicationIssued()
            | ApplicationNotIssued()
            | OrderConflicted()
        ):
            return applications.evolve(_only(Application, state), event)
        case MessageRefused():
            return Refused(event)
        case (
            ProductDrafted()
            | ProductApproved()
            | SandboxOpened()
            | ProductPublished()
            | ProductClosed()
            | ProductWithdrawn()
            | OutletOpened()
            | OutletClosed()
            | OutletWithdrawn()
        ):
            return product_versions.evolve(_only(Product, state), event)
        case SandboxCleared():
            return state
        case BlacklistEntryAdded() | BlacklistEntryRemoved():
            return blacklist.evolve(_only(Blacklisted, state), event)
        case UnderwriterAppointed() | UnderwriterDismissed():
            return roster.evolve(_only(Underwriter, state), event)
        case _:
            assert_never(event)


def _only(kind: type[Known], state: QuoteState) -> Known | NothingYet:
    if isinstance(state, kind | NothingYet):
        return state
    raise CorruptHistory(f"a stream of {type(state).__name__} cannot be a stream of {kind.__name__}")


def _refuse(command: RefuseMessage, state: Refused | NothingYet) -> list[QuoteEvent]:
    if isinstance(state, Refused):
        return []
    return [
        MessageRefused(
            channel=command.channel,
            source=command.source,
            message_type=command.message_type,
            reference=command.reference,
            content_digest=command.content_digest,
            faults=command.faults,
        )
    ]


def _cleared(command: ClearSandbox) -> SandboxCleared:
    if not is_sandbox(command.channel):
        raise CommandRefused(
            "no_sandbox", f"{command.channel} is no sandbox, whose code ends in {SANDBOX_SUFFIX}; its business is kept"
        )
    return SandboxCleared(
        channel=command.channel, lane=command.lane, cleared_by=command.cleared_by, reason=command.reason
    )


QUOTE_DECIDER: Decider[QuoteCommand, QuoteState, QuoteEvent] = Decider(
    initial_state=NothingYet(), decide=decide, evolve=evolve
)
