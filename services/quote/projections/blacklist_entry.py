"""Read model `blacklist_entry`: persons who are not to be insured, by the digest of a document or a name."""

from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put
from services.quote.domain.events import QuoteEvent
from services.quote.domain.underwriting.events import BlacklistEntryAdded, BlacklistEntryRemoved

blacklist_entry = Projection(
    name="blacklist_entry",
    version=1,
    columns={
        "kind": "text",
        "subject": "text",
        "listed": "boolean",
        "reason": "text",
        "changed_by": "text",
        "changed_at": "timestamptz",
        "change": "bigint",
    },
    key=("kind", "subject"),
)
"""`change` is the version of the entry's stream: the sum over all rows tells whether any of them changed."""


@blacklist_entry.on(BlacklistEntryAdded)
def add_entry(event: BlacklistEntryAdded, recorded: Recorded[QuoteEvent]) -> Put:
    """On the list, for the first time or again."""
    row = {"kind": event.kind, "subject": event.subject, "listed": True, "reason": event.reason}
    changed = {"changed_by": event.added_by, "changed_at": recorded.recorded_at, "change": recorded.version}
    return Put(row | changed)


@blacklist_entry.on(BlacklistEntryRemoved)
def remove_entry(event: BlacklistEntryRemoved, recorded: Recorded[QuoteEvent]) -> Change:
    """Off the list; the row stays, as the history of the person."""
    row = {"kind": event.kind, "subject": event.subject, "listed": False, "reason": event.reason}
    changed = {"changed_by": event.removed_by, "changed_at": recorded.recorded_at, "change": recorded.version}
    return Change(row | changed)
