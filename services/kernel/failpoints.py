"""Places in the code where a test may kill, fail or stop the process. Without one armed, each is an empty call."""

import contextlib
import logging
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

NAMES = (
    "inbox.fetched",
    "inbox.locked",
    "inbox.decided",
    "inbox.inserted",
    "inbox.moved",
    "inbox.committed",
    "inbox.offsets_committed",
    "relay.initialised",
    "relay.tails_read",
    "relay.begun",
    "relay.between_sends",
    "relay.acknowledged",
    "relay.committed",
    "projector.rows_written",
    "projector.checkpoint_moved",
    "projector.in_swap",
)
"""Every failpoint: where it is, and what has just been done there."""

Action = Literal["kill", "raise", "hang", "stall"]

STALL_SECONDS = 12.0
"""How long `stall` lasts: longer than the sessions of the tests, and of a database transaction that says nothing."""

log = logging.getLogger(__name__)


class FailpointReached(Exception):
    """Raised on purpose by a failpoint that was armed with `raise`."""


@dataclass(slots=True)
class Failpoint:
    """One failpoint that is armed: what happens at which hit. `nth` 0 means at every hit."""

    name: str
    nth: int
    action: Action
    hits: int = 0

    @staticmethod
    def parse(text: str) -> "Failpoint":
        """Read `name[:nth][:kill|raise|hang|stall]`; the first hit and `kill` where they are left out.

        `*` for nth means every hit. Raises ValueError naming what is wrong.
        """
        name, *rest = text.split(":")
        if name not in NAMES:
            raise ValueError(f"there is no failpoint {name!r}; there are {', '.join(NAMES)}")
        nth, action = 1, "kill"
        for part in rest:
            if part in get_args(Action):
                action = part
            elif part == "*":
                nth = 0
            elif part.isdecimal() and int(part) > 0:
                nth = int(part)
            else:
                raise ValueError(f"{part!r} is neither a number from 1 on, nor *, nor kill, raise, hang or stall")
        return Failpoint(name, nth, action)  # type: ignore[arg-type]

    def hit(self) -> None:
        """Count, and act where it is due."""
        self.hits += 1
        if self.nth in (0, self.hits):
            self._act()

    def _act(self) -> None:
        log.warning("failpoint %s reached, %s", self.name, self.action)
        if self.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.action == "raise":
            raise FailpointReached(self.name)
        if self.action == "stall":
            # As a call that blocks does: everything of this thread waits, and then goes on.
            time.sleep(STALL_SECONDS)
        while self.action == "hang":
            # Like a process that stands still with its connections open; nothing but a signal ends it.
            time.sleep(1)


_armed: Failpoint | None = None


def arm(text: str) -> None:
    """Arm one failpoint of this process, as `LEDGER_FAILPOINT` names it; the empty text disarms."""
    global _armed  # noqa: PLW0603 - one process has one
    _armed = Failpoint.parse(text) if text else None


@contextlib.contextmanager
def armed(text: str) -> Iterator[None]:
    """Armed for the length of a block."""
    arm(text)
    try:
        yield
    finally:
        arm("")


def hit(name: str) -> None:
    """The process is at this failpoint."""
    if _armed is not None and _armed.name == name:
        _armed.hit()
