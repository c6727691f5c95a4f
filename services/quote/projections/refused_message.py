"""Read model `refused_message`: channel messages that were not taken in, with their faults."""

from services.kernel.messages import Recorded
from services.kernel.projection import Projection, Put
from services.quote.domain.answers.events import AnswerRefused
from services.quote.domain.events import MessageRefused, OrderConflicted, QuoteEvent, SandboxCleared

refused_message = Projection(
    name="refused_message",
    version=1,
    columns={
        "refusal": "text",
        "channel": "text",
        "source": "text",
        "message_type": "text",
        "reference": "text",
        "reason": "text",
        "faults": "jsonb",
        "refused_at": "timestamptz",
    },
    key=("refusal",),
    indexes=(("channel", "refused_at"),),
)


@refused_message.on(MessageRefused, OrderConflicted, AnswerRefused)
def add_refusal(event: MessageRefused | OrderConflicted | AnswerRefused, recorded: Recorded[QuoteEvent]) -> Put:
    """The message's place and its faults; the message itself is a dead letter, where it was malformed."""
    message_type = "order.placed" if isinstance(event, OrderConflicted) else event.message_type
    reference = event.reference if isinstance(event, MessageRefused) else event.order_no
    return Put(
        {
            "refusal": f"{recorded.stream}/{event.content_digest}",
            "channel": event.channel,
            "source": event.source,
            "message_type": message_type,
            "reference": reference,
            "reason": event.faults[0].code,
            "faults": [{"code": fault.code, "path": fault.path, "message": fault.message} for fault in event.faults],
            "refused_at": recorded.recorded_at,
        }
    )


@refused_message.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
