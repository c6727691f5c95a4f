"""From quote's own events to what the others and the channel hear."""

from typing import Any, TypeAlias, assert_never

from contracts.channel import notices_v1 as notices
from contracts.quote import v1
from contracts.vocabulary.products import SettlementMethod
from services.kernel.messages import Notice, Outgoing, Recorded
from services.quote.domain.answers.commands import AnswerOrder
from services.quote.domain.answers.events import AnswerReceived, AnswerRefused, ReleaseRequested
from services.quote.domain.commands import RefuseMessage, SubmitApplication
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationIssued,
    ApplicationNotIssued,
    ApplicationSubmitted,
    MessageRefused,
    OrderConflicted,
    Outcome,
    PremiumRated,
    QuoteEvent,
    SandboxCleared,
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
from services.quote.domain.releases import is_pending
from services.quote.domain.state import Application, NothingYet, QuoteState, Refused
from services.quote.domain.underwriting.events import (
    ApplicationAssessed,
    ApplicationExpired,
    ApplicationReferred,
    ApplicationWithdrawn,
    BlacklistEntryAdded,
    BlacklistEntryRemoved,
    CounterOffered,
    CounterOfferRefused,
    CounterOfferTaken,
    InformationProvided,
    InformationRequested,
    ReferralAssigned,
    ReferralNoted,
    UnderwriterAppointed,
    UnderwriterDismissed,
)
from services.quote.underwriting_outbound import notice_of_referral, told_of_question, told_of_referral

_ORDER_TYPE = "order.placed"


# What is not on sale is nobody's business outside, and what one channel may sell is between it and us.
_OfProducts: TypeAlias = (
    ProductDrafted | ProductApproved | SandboxOpened | OutletOpened | OutletClosed | OutletWithdrawn
)
# What comes of the underwriters' own business is told by other events.
_OfUnderwriters: TypeAlias = (
    ApplicationAssessed
    | ReferralAssigned
    | ReferralNoted
    | BlacklistEntryAdded
    | BlacklistEntryRemoved
    | UnderwriterAppointed
    | UnderwriterDismissed
)
# The customer's answers lead to other events, too; and that a policy was issued, or not, is policy's fact to tell.
_OfCustomers: TypeAlias = (
    AnswerReceived
    | InformationProvided
    | CounterOfferTaken
    | CounterOfferRefused
    | ApplicationIssued
    | ApplicationNotIssued
)
KeptInside: TypeAlias = _OfProducts | _OfUnderwriters | _OfCustomers


def to_wire(recorded: Recorded[QuoteEvent]) -> Outgoing | None:
    """The public event and the channel's notice of a log event; None for what stays inside."""
    event = recorded.event
    if isinstance(event, KeptInside):
        return None
    match event:
        case ProductPublished() | ProductWithdrawn() | ProductClosed():
            return _told_of_product(event)
        case MessageRefused():
            return Outgoing(recorded.stream, _refused(event), _notice_of_refusal(event))
        case OrderConflicted() | AnswerRefused():
            return Outgoing(event.contract_id, _refused(event), _notice_of_refusal(event))
        case ApplicationSubmitted():
            return _submitted(event)
        case PremiumRated():
            return Outgoing(event.contract_id, _rated(event))
        case ApplicationAccepted():
            accepted = v1.ApplicationAccepted(terms=event.terms)
            return Outgoing(event.terms.contract_id, accepted, _notice_of_outcome(event))
        case ApplicationDeclined():
            return Outgoing(event.contract_id, _declined(event), _notice_of_outcome(event))
        case ApplicationReferred() | CounterOffered() | ApplicationWithdrawn() | ApplicationExpired():
            return told_of_referral(event)
        case InformationRequested():
            return told_of_question(event)
        case ReleaseRequested():
            return _release_requested(event)
        case SandboxCleared():
            return _cleared(event)
        case _:
            assert_never(event)


def _told_of_product(event: ProductPublished | ProductWithdrawn | ProductClosed) -> Outgoing:
    match event:
        case ProductPublished():
            return Outgoing(event.product_code, _published(event))
        case ProductWithdrawn():
            withdrawn = v1.ProductWithdrawn(
                product_code=event.product_code,
                product_version=event.product_version,
                reason=event.reason,
                from_day=event.from_day,
            )
            return Outgoing(event.product_code, withdrawn)
        case ProductClosed():
            closed = v1.ProductClosed(
                product_code=event.product_code,
                product_version=event.product_version,
                reason=event.why,
                from_day=event.from_day,
            )
            return Outgoing(event.product_code, closed)
        case _:
            assert_never(event)


def _release_requested(event: ReleaseRequested) -> Outgoing:
    requested = v1.ReleaseRequested(
        contract_id=event.contract_id, channel=event.channel, order_no=event.order_no, reason=event.kind
    )
    return Outgoing(event.contract_id, requested)


def _cleared(event: SandboxCleared) -> Outgoing:
    cleared = v1.SandboxCleared(
        channel=event.channel, lane=event.lane, cleared_by=event.cleared_by, reason=event.reason
    )
    return Outgoing(event.lane, cleared)


def repeat(command: Any, state: QuoteState) -> Notice | None:
    """The outcome again, for a channel that sent the same message again."""
    match command, state:
        case SubmitApplication(), Application():
            if command.order == state.order:
                return None if state.outcome is None else _notice_of_outcome(state.outcome)
            conflict = state.conflicts.get(command.order.digest())
            return None if conflict is None else _notice_of_refusal(conflict)
        case AnswerOrder(), Application() | NothingYet():
            return _answered_again(command, state)
        case RefuseMessage(), Refused():
            return _notice_of_refusal(state.refusal)
        case _:
            return None


def _answered_again(command: AnswerOrder, state: Application | NothingYet) -> Notice | None:
    known = state.answers.get(command.content_digest)
    if isinstance(known, AnswerRefused):
        return _notice_of_refusal(known)
    if isinstance(state, NothingYet) or state.outcome is None:
        return None
    # While policy decides on the end of the order, what was accepted is no answer.
    return None if is_pending(state) else _notice_of_outcome(state.outcome)


def _published(event: ProductPublished) -> v1.ProductPublished:
    return v1.ProductPublished(
        product_code=event.product_code,
        product_version=event.product_version,
        line=event.line,
        on_sale_from=event.on_sale_from,
        on_sale_until=event.on_sale_until,
        document=event.document,
    )


def _submitted(event: ApplicationSubmitted) -> Outgoing | None:
    if event.product_version is None:
        # The public event names a version and there is none; ApplicationDeclined follows and says so.
        return None
    evidence = event.order.evidence
    submitted = v1.ApplicationSubmitted(
        contract_id=event.contract_id,
        channel=event.channel,
        order_no=event.order.order_no,
        product_code=event.order.product,
        product_version=event.product_version,
        placed_at=event.order.placed_at,
        campaign=event.order.campaign,
        sale_source=None if evidence is None else evidence.source,
        page_path=None if evidence is None else evidence.page_path,
    )
    return Outgoing(event.contract_id, submitted)


def _rated(event: PremiumRated) -> v1.PremiumRated:
    return v1.PremiumRated(
        contract_id=event.contract_id,
        channel=event.channel,
        order_no=event.order_no,
        currency=event.currency,
        premium_minor=event.premium_minor,
        coverages=event.coverages,
    )


def _declined(event: ApplicationDeclined) -> v1.ApplicationDeclined:
    return v1.ApplicationDeclined(
        contract_id=event.contract_id,
        channel=event.channel,
        order_no=event.order_no,
        product_code=event.product_code,
        faults=event.faults,
    )


def _refused(event: MessageRefused | OrderConflicted | AnswerRefused) -> v1.MessageRefused:
    return v1.MessageRefused(channel=event.channel, source=event.source, faults=event.faults)


def _notice_of_refusal(event: MessageRefused | OrderConflicted | AnswerRefused) -> Notice:
    match event:
        case MessageRefused():
            named = (event.message_type, event.reference)
        case OrderConflicted():
            named = (_ORDER_TYPE, event.order_no)
        case AnswerRefused():
            named = (event.message_type, event.order_no)
        case _:
            assert_never(event)
    notice = notices.MessageRefused(
        source=event.source,
        message_type=named[0],
        reference=named[1],
        faults=event.faults,
    )
    return Notice(event.channel, notice)


def _notice_of_outcome(outcome: Outcome) -> Notice:
    match outcome:
        case ApplicationReferred() | CounterOffered() | ApplicationWithdrawn() | ApplicationExpired():
            return notice_of_referral(outcome)
        case ApplicationAccepted():
            terms = outcome.terms
            accepted = notices.OrderAccepted(
                contract_id=terms.contract_id,
                order_no=terms.order_no,
                premium_minor=terms.premium_minor,
                currency=terms.currency,
                payment_due_before_cover=terms.settlement is SettlementMethod.PAY_BEFORE_COVER,
                pay_by=outcome.pay_by,
            )
            return Notice(terms.channel, accepted)
        case ApplicationDeclined():
            declined = notices.OrderDeclined(
                contract_id=outcome.contract_id, order_no=outcome.order_no, faults=outcome.faults
            )
            return Notice(outcome.channel, declined)
        case ApplicationIssued():
            in_force = notices.PolicyInForce(
                contract_id=outcome.contract_id,
                order_no=outcome.order_no,
                policy_no=outcome.policy_no,
                renewal=outcome.renewal,
                period=outcome.period,
            )
            return Notice(outcome.channel, in_force)
        case ApplicationNotIssued():
            failed = notices.IssuanceFailed(
                contract_id=outcome.contract_id, order_no=outcome.order_no, faults=outcome.faults
            )
            return Notice(outcome.channel, failed)
        case _:
            assert_never(outcome)
