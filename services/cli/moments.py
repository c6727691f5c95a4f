"""Moments as people type them: ISO 8601 with a time zone, or a sentence that says so."""

from datetime import datetime

from services.cli.console import Failure

_HOW = "write it with its time zone, like 2026-11-23T14:00:00Z or 2026-11-23T15:00:00+01:00"


def moment_of(text: str, option: str = "") -> datetime:
    """The moment. Fails for what is no ISO 8601, and for a date or a local time; names the option if it is one."""
    named = f"{option} {text!r}" if option else repr(text)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Failure(f"{named} is no moment; {_HOW}.") from error
    if found.tzinfo is None:
        raise Failure(f"{named} does not say which time zone it is in; {_HOW}.")
    return found
