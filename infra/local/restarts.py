"""A child process that is started again whenever it ends by itself, sooner at first and more rarely later."""

import time
from collections.abc import Callable

from infra.errors import InfraError
from infra.local.process import ChildProcess

RESTART_DELAY_SECONDS_MIN = 0.5
RESTART_DELAY_SECONDS_MAX = 15.0
# A child that ran this long has recovered; its next crash is a new story.
HEALTHY_AFTER_SECONDS = 60.0


class Restarted:
    """One child with its restarts. Somebody has to call `restart_if_ended` now and then."""

    def __init__(self, name: str, start: Callable[[], ChildProcess], report: Callable[[str], None]) -> None:
        self._name = name
        self._start = start
        self._report = report
        self._delay_seconds = RESTART_DELAY_SECONDS_MIN
        self._restart_at: float | None = None
        self._started_at = time.monotonic()
        self.process = start()

    def restart_if_ended(self) -> None:
        """Plan the restart of a child that has ended, or carry out the plan when its time has come."""
        now = time.monotonic()
        if not self.process.ended:
            return
        if self._restart_at is None:
            if now - self._started_at > HEALTHY_AFTER_SECONDS:
                self._delay_seconds = RESTART_DELAY_SECONDS_MIN
            self._plan(now, "ended")
        elif now >= self._restart_at:
            self._restart_at = None
            self._started_at = now
            try:
                self.process = self._start()
            except (InfraError, OSError) as error:
                self._plan(now, f"did not start ({error})")

    def stop(self) -> None:
        """End the child that runs now. Nobody may ask for restarts any more."""
        self.process.stop()

    def _plan(self, now: float, what: str) -> None:
        self._restart_at = now + self._delay_seconds
        self._report(f"{self._name} {what}; starting it again in {self._delay_seconds:.1f} s")
        self._delay_seconds = min(self._delay_seconds * 2, RESTART_DELAY_SECONDS_MAX)
