"""What an application must be for a command about it: undecided, referred, offered, within somebody's authority."""

from collections.abc import Sequence
from typing import Any

from contracts.vocabulary.products import CoverTerms
from services.kernel.errors import CommandRefused, CorruptHistory
from services.quote.domain.products.underwriting import AuthorityLevel
from services.quote.domain.state import Application
from services.quote.domain.underwriting.events import ApplicationReferred, CounterOffered
from services.quote.domain.underwriting.offers import level_needed


def check_authority(level: int, who: str, authority: Sequence[AuthorityLevel], terms: CoverTerms) -> None:
    """Raises CommandRefused `authority_exceeded` where the terms need a higher level."""
    needed = level_needed(authority, terms)
    if level < needed:
        raise CommandRefused(
            "authority_exceeded", f"these terms need authority level {needed}; {who} has level {level}"
        )


def undecided(state: Application, order_no: str) -> ApplicationReferred | CounterOffered:
    """What the application waits with. Raises CommandRefused `application_decided`."""
    if not isinstance(state.outcome, ApplicationReferred | CounterOffered):
        raise CommandRefused(
            "application_decided", f"order {order_no} is decided; nothing more can be done about it here"
        )
    return state.outcome


def referred_now(state: Application, order_no: str) -> ApplicationReferred:
    """The referral that waits for the underwriter. Raises CommandRefused, `counter_offer_open` where one stands."""
    outcome = undecided(state, order_no)
    if isinstance(outcome, CounterOffered):
        raise CommandRefused(
            "counter_offer_open", f"order {order_no} has a counter-offer open to {outcome.valid_until}"
        )
    return outcome


def standing_offer(state: Application, order_no: str) -> CounterOffered:
    """The counter-offer that waits for the customer. Raises CommandRefused, `no_counter_offer` where there is none."""
    outcome = undecided(state, order_no)
    if isinstance(outcome, ApplicationReferred):
        raise CommandRefused("no_counter_offer", f"no counter-offer was made for order {order_no}")
    return outcome


def counted_under(waiting: ApplicationReferred | CounterOffered) -> str:
    """The reason that the undecided application is counted under."""
    return waiting.referred_for if isinstance(waiting, CounterOffered) else waiting.reasons[0].code


def names_of(state: Application) -> dict[str, Any]:
    """Channel, contract and order number, as every event of an application carries them."""
    known = None if state.referral is None else state.referral.referred or state.referral.offer
    if known is None:
        raise CorruptHistory("a referral without what was referred")
    terms = known.terms
    return {"channel": terms.channel, "contract_id": terms.contract_id, "order_no": terms.order_no}
