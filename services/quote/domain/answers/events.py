"""What has happened to customers' answers. These shapes are stored for ever: add optional fields only."""

from datetime import date, datetime
from typing import ClassVar, Literal, TypeAlias

from contracts.vocabulary.faults import Fault
from services.kernel.messages import DomainEvent


class AnswerReceived(DomainEvent):
    """A channel's message was taken in; what comes of it follows. The same message again changes nothing."""

    event_type: ClassVar[str] = "quote.answer_received"
    channel: str
    contract_id: str
    order_no: str
    source: str
    message_type: str
    content_digest: str
    answered_at: datetime


class AnswerRefused(DomainEvent):
    """A channel's message asks for what is not possible (now): the channel hears why, the order is as before."""

    event_type: ClassVar[str] = "quote.answer_refused"
    channel: str
    contract_id: str
    order_no: str
    source: str
    message_type: str
    content_digest: str
    faults: tuple[Fault, ...]


class ReleaseRequested(DomainEvent):
    """An accepted application shall end without a policy; policy, which may have issued it, decides.

    `reason` is the customer's own; `expired_on` a day after the last one to pay.
    """

    event_type: ClassVar[str] = "quote.release_requested"
    channel: str
    contract_id: str
    order_no: str
    kind: Literal["withdrawal", "expiry"]
    requested_by: str | None = None
    reason: str | None = None
    expired_on: date | None = None


AnswerEvent: TypeAlias = AnswerReceived | AnswerRefused | ReleaseRequested
