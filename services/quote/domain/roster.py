"""The rules of the roster of underwriters: who may decide on referrals, and up to which level."""

from typing import assert_never

from services.kernel.errors import CommandRefused
from services.quote.domain.state import NothingYet, Underwriter
from services.quote.domain.underwriting.commands import AppointUnderwriter, DismissUnderwriter, RosterCommand
from services.quote.domain.underwriting.events import RosterEvent, UnderwriterAppointed, UnderwriterDismissed


def decide(command: RosterCommand, state: Underwriter | NothingYet) -> list[RosterEvent]:
    """What happens on a command about one underwriter. Nobody appoints themselves."""
    level = state.level if isinstance(state, Underwriter) else 0
    match command:
        case AppointUnderwriter():
            if command.appointed_by == command.underwriter:
                raise CommandRefused("own_appointment", "nobody appoints themselves; let somebody else do it")
            if level == command.level:
                return []
            return [
                UnderwriterAppointed(
                    underwriter=command.underwriter,
                    level=command.level,
                    reason=command.reason,
                    appointed_by=command.appointed_by,
                )
            ]
        case DismissUnderwriter():
            if isinstance(state, NothingYet):
                raise CommandRefused("underwriter_unknown", f"{command.underwriter} was never appointed")
            if level == 0:
                return []
            return [
                UnderwriterDismissed(
                    underwriter=command.underwriter, reason=command.reason, dismissed_by=command.dismissed_by
                )
            ]
        case _:
            assert_never(command)


def evolve(state: Underwriter | NothingYet, event: RosterEvent) -> Underwriter:  # noqa: ARG001
    """What is true of an underwriter after an event."""
    return Underwriter(event.level if isinstance(event, UnderwriterAppointed) else 0)
