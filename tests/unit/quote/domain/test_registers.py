"""The blacklist and the roster of underwriters: entries by command, with who and why, each once."""

from services.quote.domain.underwriting.commands import (
    AddBlacklistEntry,
    AppointUnderwriter,
    DismissUnderwriter,
    RemoveBlacklistEntry,
)
from services.quote.domain.underwriting.events import (
    BlacklistEntryAdded,
    BlacklistEntryRemoved,
    UnderwriterAppointed,
    UnderwriterDismissed,
)
from tests.unit.quote.underwritten import CUSTOMER, application

WHO = {"kind": "document", "subject": CUSTOMER}
ADDED = BlacklistEntryAdded(**WHO, reason="fraud", added_by="head")
REMOVED = BlacklistEntryRemoved(**WHO, reason="cleared", removed_by="legal")
ADD = AddBlacklistEntry(**WHO, reason="fraud", added_by="head")
REMOVE = RemoveBlacklistEntry(**WHO, reason="cleared", removed_by="legal")

APPOINTED = UnderwriterAppointed(underwriter="li", level=1, reason="trained", appointed_by="head")
DISMISSED = UnderwriterDismissed(underwriter="li", reason="left", dismissed_by="head")


def appoint(level: int, by: str = "head") -> AppointUnderwriter:
    return AppointUnderwriter(underwriter="li", level=level, reason="trained", appointed_by=by)


DISMISS = DismissUnderwriter(underwriter="li", reason="left", dismissed_by="head")


def test_a_person_is_put_on_the_blacklist_and_taken_off_and_put_on_again() -> None:
    application.given().when(ADD).then(ADDED)
    application.given(ADDED).when(REMOVE).then(REMOVED)
    application.given(ADDED, REMOVED).when(ADD).then(ADDED)
    application.given(ADDED, REMOVED).when(REMOVE).then_nothing()


def test_who_was_never_listed_cannot_be_removed() -> None:
    application.given().when(REMOVE).then_refused("not_blacklisted")


def test_an_underwriter_is_appointed_promoted_and_dismissed() -> None:
    application.given().when(appoint(1)).then(APPOINTED)
    application.given(APPOINTED).when(appoint(2)).then_types(UnderwriterAppointed)
    application.given(APPOINTED).when(DISMISS).then(DISMISSED)
    application.given(APPOINTED, DISMISSED).when(appoint(1)).then(APPOINTED)


def test_nobody_appoints_themselves_or_dismisses_a_stranger() -> None:
    application.given().when(appoint(9, by="li")).then_refused("own_appointment")
    application.given().when(DISMISS).then_refused("underwriter_unknown")
