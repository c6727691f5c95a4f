"""The rules of a channel's message about its order: carried out once, or refused with a reason, and never lost."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from contracts.vocabulary.faults import Fault, FaultCode
from services.kernel.errors import CommandRefused
from services.quote.domain import referrals, releases
from services.quote.domain.answers.commands import AnswerOrder
from services.quote.domain.answers.events import AnswerReceived, AnswerRefused
from services.quote.domain.events import ApplicationEvent
from services.quote.domain.state import Application, NothingYet

_CODES: Mapping[str, FaultCode] = MappingProxyType(
    {
        "application_not_referred": FaultCode.ORDER_NOT_REFERRED,
        "application_decided": FaultCode.ORDER_DECIDED,
        "application_issued": FaultCode.ORDER_ISSUED,
        "no_counter_offer": FaultCode.NO_COUNTER_OFFER,
        "counter_offer_open": FaultCode.COUNTER_OFFER_OPEN,
        "counter_offer_lapsed": FaultCode.COUNTER_OFFER_LAPSED,
        "no_question_open": FaultCode.NO_QUESTION_OPEN,
    }
)
"""What channels are told for each refusal of the rules; any other refusal is for our own people."""


def decide(command: AnswerOrder, state: Application | NothingYet) -> list[ApplicationEvent]:
    """What happens on a channel's message; where it is not possible, the refusal is what happens.

    A message that was refused may come again and be possible by then, so only a refusal for the same reason is none.
    """
    known = state.answers.get(command.content_digest)
    if isinstance(known, AnswerReceived):
        return []
    if isinstance(state, NothingYet):
        return _refused(command, known, FaultCode.ORDER_UNKNOWN, _unknown(command))
    try:
        decided = list(referrals.decide(command.step, state))
    except CommandRefused as refusal:
        if refusal.code not in _CODES:
            raise
        return _refused(command, known, _CODES[refusal.code], refusal.message)
    if not decided and not releases.is_pending(state):
        # It was so before; the channel is told again how the order stands.
        return []
    return [AnswerReceived(**_names(command), answered_at=command.answered_at), *decided]


def _refused(
    command: AnswerOrder, known: AnswerRefused | None, code: FaultCode, message: str
) -> list[ApplicationEvent]:
    faults = (Fault(code=code, path="order_no", message=message),)
    if known is not None and known.faults == faults:
        return []
    return [AnswerRefused(**_names(command), faults=faults)]


def _names(command: AnswerOrder) -> dict[str, str]:
    names = ("channel", "contract_id", "order_no", "source", "message_type", "content_digest")
    return {name: getattr(command, name) for name in names}


def _unknown(command: AnswerOrder) -> str:
    return (
        f"there is no order {command.order_no} of this contract here (yet); name contract_no and book as the order "
        "did, and send what concerns an order after it, under the same key"
    )


def evolve(state: Application | NothingYet, event: AnswerReceived | AnswerRefused) -> Application | NothingYet:
    """What is true after a message was taken in or refused."""
    return replace(state, answers={**state.answers, event.content_digest: event})
