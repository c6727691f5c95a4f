"""The one place that reads the clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """This instant, in UTC. Recorded beside events; never used for a decision."""
    return datetime.now(UTC)
