"""From the events of referrals to what the others and the channel hear."""

from typing import TypeAlias, assert_never

from contracts.channel import notices_v1 as notices
from contracts.quote import v1
from contracts.vocabulary.products import UnderwritingReason
from services.kernel.messages import Notice, Outgoing
from services.quote.domain.products.underwriting import FiredRule
from services.quote.domain.underwriting.events import (
    ApplicationExpired,
    ApplicationReferred,
    ApplicationWithdrawn,
    CounterOffered,
    InformationRequested,
)

ReferralOutcome: TypeAlias = ApplicationReferred | CounterOffered | ApplicationWithdrawn | ApplicationExpired


def told_of_referral(event: ReferralOutcome) -> Outgoing:
    """The public event and the notice of a step that leaves the application undecided, or ends it."""
    contract_id = (
        event.terms.contract_id if isinstance(event, ApplicationReferred | CounterOffered) else event.contract_id
    )
    return Outgoing(contract_id, _undecided(event), notice_of_referral(event))


def told_of_question(event: InformationRequested) -> Outgoing:
    """The public event and the notice of an underwriter's question."""
    return Outgoing(event.contract_id, _asked(event), _notice_of_question(event))


def notice_of_referral(outcome: ReferralOutcome) -> Notice:
    """What the channel hears of such a step."""
    match outcome:
        case ApplicationReferred():
            return _notice_of_reasons(outcome)
        case CounterOffered():
            return _notice_of_offer(outcome)
        case ApplicationWithdrawn():
            withdrawn = notices.OrderWithdrawn(
                contract_id=outcome.contract_id, order_no=outcome.order_no, reason=outcome.reason
            )
            return Notice(outcome.channel, withdrawn)
        case ApplicationExpired():
            expired = notices.OrderExpired(
                contract_id=outcome.contract_id, order_no=outcome.order_no, expired_on=outcome.expired_on
            )
            return Notice(outcome.channel, expired)
        case _:
            assert_never(outcome)


def _undecided(
    event: ReferralOutcome,
) -> v1.ApplicationReferred | v1.CounterOffered | v1.ApplicationWithdrawn | v1.ApplicationExpired:
    match event:
        case ApplicationReferred():
            return v1.ApplicationReferred(
                contract_id=event.terms.contract_id,
                channel=event.terms.channel,
                order_no=event.terms.order_no,
                product_code=event.terms.product_code,
                reasons=_reasons(event.reasons),
                premium_minor=event.terms.premium_minor if event.priced else None,
            )
        case CounterOffered():
            return v1.CounterOffered(
                contract_id=event.terms.contract_id,
                channel=event.terms.channel,
                order_no=event.terms.order_no,
                currency=event.terms.currency,
                premium_minor=event.terms.premium_minor,
                coverages=event.terms.coverages,
                excluded=event.excluded,
                reasons=_reasons(event.reasons),
                valid_until=event.valid_until,
            )
        case ApplicationWithdrawn():
            return v1.ApplicationWithdrawn(
                contract_id=event.contract_id, channel=event.channel, order_no=event.order_no, reason=event.reason
            )
        case ApplicationExpired():
            return v1.ApplicationExpired(
                contract_id=event.contract_id,
                channel=event.channel,
                order_no=event.order_no,
                expired_on=event.expired_on,
            )
        case _:
            assert_never(event)


def _asked(event: InformationRequested) -> v1.InformationRequested:
    return v1.InformationRequested(
        contract_id=event.contract_id,
        channel=event.channel,
        order_no=event.order_no,
        question=event.question,
        until=event.until,
    )


def _notice_of_question(event: InformationRequested) -> Notice:
    wanted = notices.InformationWanted(
        contract_id=event.contract_id, order_no=event.order_no, question=event.question, until=event.until
    )
    return Notice(event.channel, wanted)


def _notice_of_offer(event: CounterOffered) -> Notice:
    terms = event.terms
    offer = notices.CounterOfferMade(
        contract_id=terms.contract_id,
        order_no=terms.order_no,
        coverages=terms.coverages,
        excluded=event.excluded,
        premium_minor=terms.premium_minor,
        currency=terms.currency,
        reasons=_reasons(event.reasons),
        valid_until=event.valid_until,
    )
    return Notice(terms.channel, offer)


def _notice_of_reasons(event: ApplicationReferred) -> Notice:
    referred = notices.OrderReferred(
        contract_id=event.terms.contract_id,
        order_no=event.terms.order_no,
        reasons=_reasons(event.reasons),
        answer_within_days=event.answer_within_days,
    )
    return Notice(event.terms.channel, referred)


def _reasons(rules: tuple[FiredRule, ...]) -> tuple[UnderwritingReason, ...]:
    return tuple(
        UnderwritingReason(code=rule.code, en=rule.reason_en, zh=rule.reason_zh, path=rule.path) for rule in rules
    )
