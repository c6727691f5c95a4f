"""Moments on the command line say which time zone they are in."""

from datetime import UTC, datetime

import pytest

from services.cli.console import Failure
from services.cli.moments import moment_of


@pytest.mark.parametrize("text", ["2026-11-23T14:00:00Z", "2026-11-23T15:00:00+01:00", " 2026-11-23 14:00+00:00 "])
def test_a_moment_with_its_zone_is_taken(text: str) -> None:
    assert moment_of(text) == datetime(2026, 11, 23, 14, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-23", "2026-11-23T14:00:00", "2026-11-23 14:00"])
def test_a_date_or_a_local_time_is_refused(text: str) -> None:
    with pytest.raises(Failure, match=f"'{text}' does not say which time zone it is in; write it with its time zone"):
        moment_of(text)


@pytest.mark.parametrize("text", ["", "yesterday", "14:00Z", "2026-13-01T00:00:00Z"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(Failure, match="is no moment; write it with its time zone, like 2026-11-23T14:00:00Z"):
        moment_of(text)


def test_an_option_is_named() -> None:
    with pytest.raises(Failure, match="--since 'yesterday' is no moment"):
        moment_of("yesterday", "--since")
