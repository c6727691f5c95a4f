"""What channels say about orders of theirs, and what policy makes of an order that shall end unissued."""

from dataclasses import dataclass
from datetime import datetime

from services.quote.domain.underwriting.commands import (
    ProvideInformation,
    RefuseCounterOffer,
    TakeCounterOffer,
    WithdrawApplication,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOrder:
    """A channel's message about an order that it placed; `step` is what the customer decided.

    The digest of its content tells it from another message; `source` says where it lies (topic/partition/offset).
    """

    channel: str
    contract_id: str
    order_no: str
    source: str
    message_type: str
    content_digest: str
    answered_at: datetime
    step: TakeCounterOffer | RefuseCounterOffer | ProvideInformation | WithdrawApplication


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRelease:
    """The policy service has not issued an accepted application, and never will."""

    channel: str
    contract_id: str
    order_no: str
