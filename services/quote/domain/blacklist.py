"""The rules of the blacklist: an entry is added once, and removed by somebody who says why."""

from typing import assert_never

from services.kernel.errors import CommandRefused
from services.quote.domain.state import Blacklisted, NothingYet
from services.quote.domain.underwriting.commands import AddBlacklistEntry, BlacklistCommand, RemoveBlacklistEntry
from services.quote.domain.underwriting.events import BlacklistEntryAdded, BlacklistEntryRemoved, BlacklistEvent


def decide(command: BlacklistCommand, state: Blacklisted | NothingYet) -> list[BlacklistEvent]:
    """What happens on a command about one person."""
    listed = isinstance(state, Blacklisted) and state.listed
    match command:
        case AddBlacklistEntry():
            if listed:
                return []
            return [
                BlacklistEntryAdded(
                    kind=command.kind, subject=command.subject, reason=command.reason, added_by=command.added_by
                )
            ]
        case RemoveBlacklistEntry():
            if isinstance(state, NothingYet):
                raise CommandRefused("not_blacklisted", "this person was never on the blacklist")
            if not listed:
                return []
            return [
                BlacklistEntryRemoved(
                    kind=command.kind, subject=command.subject, reason=command.reason, removed_by=command.removed_by
                )
            ]
        case _:
            assert_never(command)


def evolve(state: Blacklisted | NothingYet, event: BlacklistEvent) -> Blacklisted:  # noqa: ARG001
    """What is true of an entry after an event."""
    return Blacklisted(listed=isinstance(event, BlacklistEntryAdded), reason=event.reason)
