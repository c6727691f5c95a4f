"""Read model `referral`: applications that wait, or waited, for an underwriter or for an answer to a counter-offer."""

from datetime import timedelta
from typing import Any

from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined, QuoteEvent, SandboxCleared
from services.quote.domain.products.underwriting import FiredRule
from services.quote.domain.underwriting.events import (
    ApplicationExpired,
    ApplicationReferred,
    ApplicationWithdrawn,
    CounterOffered,
    InformationProvided,
    InformationRequested,
    ReferralAssigned,
    ReferralNoted,
)
from services.quote.domain.underwriting.offers import level_needed, sum_insured_minor

referral = Projection(
    name="referral",
    version=2,
    columns={
        "channel": "text",
        "order_no": "text",
        "contract_id": "text",
        "product_code": "text",
        "product_version": "integer",
        "state": "text",
        "reasons": "jsonb",
        "priced": "boolean",
        "premium_minor": "bigint",
        "currency": "text",
        "sum_insured_minor": "bigint",
        "level_needed": "integer",
        "underwriter": "text",
        "last_note": "text",
        "question": "text",
        "answer": "text",
        "offer_premium_minor": "bigint",
        "answer_until": "date",
        "referred_at": "timestamptz",
        "due_at": "timestamptz",
        "decided_by": "text",
        "decided_at": "timestamptz",
    },
    key=("channel", "order_no"),
    indexes=(("state", "referred_at"),),
)
"""`state` is referred, asked, offered, accepted, declined, withdrawn or expired. `answer_until` is the last day that
the customer has for a question or an offer; `due_at` is when the underwriter should have answered."""


@referral.on(ApplicationReferred)
def add_referral(event: ApplicationReferred, recorded: Recorded[QuoteEvent]) -> Put:
    """The application enters the queue."""
    terms = event.terms
    return Put(
        {
            "channel": terms.channel,
            "order_no": terms.order_no,
            "contract_id": terms.contract_id,
            "product_code": terms.product_code,
            "product_version": terms.product_version,
            "state": "referred",
            "reasons": _listed(event.reasons),
            "priced": event.priced,
            "premium_minor": terms.premium_minor,
            "currency": terms.currency,
            "sum_insured_minor": sum_insured_minor(terms),
            "level_needed": level_needed(event.authority, terms),
            "referred_at": recorded.recorded_at,
            "due_at": recorded.recorded_at + timedelta(days=event.answer_within_days),
        }
    )


@referral.on(ReferralAssigned)
def assign(event: ReferralAssigned, recorded: Recorded[QuoteEvent]) -> Change:
    """Somebody works on it."""
    return _change(event, underwriter=event.underwriter)


@referral.on(ReferralNoted)
def keep_note(event: ReferralNoted, recorded: Recorded[QuoteEvent]) -> Change:
    """The latest note; all of them are in the log."""
    return _change(event, last_note=f"{event.noted_by}: {event.note}")


@referral.on(InformationRequested)
def ask(event: InformationRequested, recorded: Recorded[QuoteEvent]) -> Change:
    """The channel has a question to answer."""
    return _change(event, state="asked", question=event.question, answer=None, answer_until=event.until)


@referral.on(InformationProvided)
def answer(event: InformationProvided, recorded: Recorded[QuoteEvent]) -> Change:
    """The underwriter can go on."""
    return _change(event, state="referred", answer=event.answer, answer_until=None)


@referral.on(CounterOffered)
def offer(event: CounterOffered, recorded: Recorded[QuoteEvent]) -> Put:
    """The customer has an offer to answer. An offer of the rules makes the row, as no referral came before it."""
    terms = event.terms
    row = {
        "channel": terms.channel,
        "order_no": terms.order_no,
        "contract_id": terms.contract_id,
        "product_code": terms.product_code,
        "product_version": terms.product_version,
        "state": "offered",
        "reasons": _listed(event.reasons),
        "currency": terms.currency,
        "offer_premium_minor": terms.premium_minor,
        "answer_until": event.valid_until,
    }
    if event.offered_by is None:
        made_by_rules = {"priced": True, "premium_minor": event.rated_minor or 0, "level_needed": 0}
        row |= made_by_rules | {"sum_insured_minor": sum_insured_minor(terms), "referred_at": recorded.recorded_at}
    return Put(row)


@referral.on(ApplicationAccepted)
def accept(event: ApplicationAccepted, recorded: Recorded[QuoteEvent]) -> Change | None:
    """Accepted by a person, or by a customer who took an offer."""
    if event.referred_for is None:
        return None
    row = {"channel": event.terms.channel, "order_no": event.terms.order_no, "state": "accepted"}
    return Change({**row, "decided_by": event.decided_by, "decided_at": recorded.recorded_at})


@referral.on(ApplicationDeclined)
def decline(event: ApplicationDeclined, recorded: Recorded[QuoteEvent]) -> Change | None:
    """Declined by a person."""
    if event.referred_for is None:
        return None
    return _change(event, state="declined", decided_by=event.decided_by, decided_at=recorded.recorded_at)


@referral.on(ApplicationWithdrawn)
def withdraw(event: ApplicationWithdrawn, recorded: Recorded[QuoteEvent]) -> Change:
    """The customer does not want it."""
    return _change(event, state="withdrawn", decided_by=event.withdrawn_by, decided_at=recorded.recorded_at)


@referral.on(ApplicationExpired)
def expire(event: ApplicationExpired, recorded: Recorded[QuoteEvent]) -> Change:
    """Nobody answered."""
    return _change(event, state="expired", decided_at=recorded.recorded_at)


@referral.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}


def _change(event: Any, **columns: Any) -> Change:
    return Change({"channel": event.channel, "order_no": event.order_no, **columns})


def _listed(rules: tuple[FiredRule, ...]) -> list[dict[str, Any]]:
    return [
        {"code": rule.code, "en": rule.reason_en, "zh": rule.reason_zh, "path": rule.path, "facts": rule.facts}
        for rule in rules
    ]
