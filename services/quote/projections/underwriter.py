"""Read model `underwriter`: who may decide on referrals, and up to which level of authority."""

from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put
from services.quote.domain.events import QuoteEvent
from services.quote.domain.underwriting.events import UnderwriterAppointed, UnderwriterDismissed

underwriter = Projection(
    name="underwriter",
    version=1,
    columns={
        "underwriter": "text",
        "level": "integer",
        "reason": "text",
        "changed_by": "text",
        "changed_at": "timestamptz",
    },
    key=("underwriter",),
)


@underwriter.on(UnderwriterAppointed)
def appoint(event: UnderwriterAppointed, recorded: Recorded[QuoteEvent]) -> Put:
    """The level from now on."""
    return Put(
        {
            "underwriter": event.underwriter,
            "level": event.level,
            "reason": event.reason,
            "changed_by": event.appointed_by,
            "changed_at": recorded.recorded_at,
        }
    )


@underwriter.on(UnderwriterDismissed)
def dismiss(event: UnderwriterDismissed, recorded: Recorded[QuoteEvent]) -> Change:
    """No authority any more."""
    return Change(
        {
            "underwriter": event.underwriter,
            "level": 0,
            "reason": event.reason,
            "changed_by": event.dismissed_by,
            "changed_at": recorded.recorded_at,
        }
    )
