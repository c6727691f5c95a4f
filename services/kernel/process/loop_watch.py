"""Notices that the event loop stands still, and says in which function.

Heartbeats, answers and commits all wait for the loop, so a call that blocks it is seen everywhere else first: a group
that rebalances, a relay that is replaced. A thread looks from outside; it costs one timer and one glance a second.
"""

import asyncio
import logging
import sys
import threading
import time
import traceback

from prometheus_client import Counter

_LOOKS_A_LIMIT = 4
_FRAMES_MAX = 30

log = logging.getLogger(__name__)


class LoopWatch:
    """Watches the running loop from `start` to `end`; a stall is told once, however long it lasts."""

    def __init__(self, seconds: float, stalls: Counter) -> None:
        self._seconds = seconds
        self._interval = seconds / _LOOKS_A_LIMIT
        self._stalls = stalls
        self._turned_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin to watch the loop that calls."""
        loop = asyncio.get_running_loop()
        self._turn(loop)
        watched = threading.get_ident()
        threading.Thread(target=self._watch, args=(watched,), name="loop-watch", daemon=True).start()

    def end(self) -> None:
        """Watch no longer."""
        self._ended.set()
        if self._timer is not None:
            self._timer.cancel()

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._turned_at = time.monotonic()
        self._timer = loop.call_later(self._interval, self._turn, loop)

    def _watch(self, thread: int) -> None:
        told = 0.0
        looked_at = time.monotonic()
        while not self._ended.wait(self._interval):
            now, turned_at = time.monotonic(), self._turned_at
            late, looked_at = now - looked_at - self._interval, now
            if late > self._seconds:
                # This thread did not run either, and what the other one does now is not what it did then.
                self._stalls.inc()
                log.warning(
                    "the whole process stood still for %.1f s: it was stopped, starved, or a call held the interpreter",
                    late,
                )
                self._turned_at, told = now, 0.0
            elif told not in (0.0, turned_at):
                log.info("the event loop goes on after %.1f s", turned_at - told)
                told = 0.0
            elif not told and now - turned_at > self._seconds:
                told = turned_at
                self._stalls.inc()
                _tell(thread, now - turned_at)


def _tell(thread: int, seconds: float) -> None:
    frame = sys._current_frames().get(thread)
    stack = traceback.extract_stack(frame)[-_FRAMES_MAX:] if frame is not None else []
    where = f"{stack[-1].name} ({stack[-1].filename}:{stack[-1].lineno})" if stack else "a thread that has ended"
    log.warning(
        "the event loop has stood still for %.1f s in %s; nothing is read, written or answered meanwhile\n%s",
        seconds,
        where,
        "".join(traceback.format_list(stack)),
    )
