"""Supervises the whole stack on one machine: servers first, then the services, and back in the other order."""

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from infra.errors import ServerFailed
from infra.local.process import ChildProcess, Command
from infra.local.restarts import Restarted
from infra.servers import Servers, running_servers
from infra.stack_file import Stack, remove_stack, write_stack

STAY = b"stay"
STOPPED = "stopped"
"""What a service that answers 503 says in the field `status` where only a person can help."""
READY_SECONDS_MAX = 90.0
STOP_SECONDS_MAX = 35.0
POLL_SECONDS = 0.1
PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Child:
    """A service to run. It inherits this environment, with `env` on top; it is ready when `ready_url` answers 200."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready_url: str | None = None


class StopRequested(BaseException):
    """Raised by a signal while the stack starts. Not an Exception, so that no handler on the way swallows it."""


def run_stack(
    children_of: Callable[[Servers], Sequence[Child]],
    folder: Path,
    stay_pipe: int | None = None,
    *,
    prepare: Callable[[Servers], None] = lambda _: None,
    report: Callable[[str], None] = print,
    on_ready: Callable[[Stack], None] = lambda _: None,
) -> None:
    """Runs until SIGTERM or SIGINT; call it on the main thread. `stay_pipe`: see infra/detached.py."""
    folder = folder.absolute()
    with _stop_signals() as signals:
        if stay_pipe is not None:
            threading.Thread(target=_stop_unless_told_to_stay, args=(stay_pipe,), daemon=True).start()
        try:
            with running_servers(folder, report) as servers:
                prepare(servers)
                children = children_of(servers)
                supervisor = _Supervisor(children, folder, report)
                try:
                    supervisor.start()
                    supervisor.wait_until_ready()
                    stack = _describe(servers, children)
                    write_stack(folder, stack)
                    signals.startup_is_over()
                    on_ready(stack)
                    supervisor.watch(signals.stop)
                finally:
                    signals.startup_is_over()
                    supervisor.stop()
        except StopRequested:
            report("stopped while starting")
        finally:
            remove_stack(folder)


class _Signals:
    def __init__(self) -> None:
        self.stop = threading.Event()
        self._starting = True

    def startup_is_over(self) -> None:
        """From here on a signal only sets `stop`, so that it cannot interrupt the clean-up."""
        self._starting = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        is_first = not self.stop.is_set()
        self.stop.set()
        if self._starting and is_first:
            self._starting = False
            raise StopRequested


@contextmanager
def _stop_signals() -> Iterator[_Signals]:
    signals = _Signals()
    former = {number: signal.signal(number, signals.handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield signals
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


class _Supervised:
    """One child with its restarts."""

    def __init__(self, child: Child, folder: Path, report: Callable[[str], None]) -> None:
        self.child = child
        command = Command(
            name=child.name,
            argv=child.argv,
            log=folder / "logs" / f"{child.name}.log",
            stop_signal=signal.SIGTERM,
            stop_seconds_max=STOP_SECONDS_MAX,
            env={**os.environ, **child.env},
        )
        self.reason = ""
        """Why it is not ready, as it said last."""
        self.restarted = Restarted(child.name, lambda: ChildProcess(command), report)


class _Supervisor:
    def __init__(self, children: Sequence[Child], folder: Path, report: Callable[[str], None]) -> None:
        self._children = children
        self._folder = folder
        self._report = report
        self._supervised: list[_Supervised] = []

    def start(self) -> None:
        for child in self._children:
            self._supervised.append(_Supervised(child, self._folder, self._report))

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        waiting = [one for one in self._supervised if one.child.ready_url is not None]
        while waiting:
            waiting = [one for one in waiting if not self._has_started(one)]
            if waiting and time.monotonic() > deadline:
                late = waiting[0]
                tail = late.restarted.process.log_tail()
                why = f" ({late.reason})" if late.reason else ""
                raise ServerFailed(f"{late.child.name} was not ready after {READY_SECONDS_MAX:.0f} s{why}:\n{tail}")
            self._restart_ended()
            time.sleep(POLL_SECONDS)

    def _has_started(self, one: _Supervised) -> bool:
        """A service that only a person can help is up all the same: the others work, and it can be asked why."""
        status, content = _answer(one.child.ready_url or "")
        if status == HTTPStatus.SERVICE_UNAVAILABLE and content.get("status") == STOPPED:
            self._report(f"{one.child.name} has stopped: {content.get('reason')}")
            return True
        one.reason = str(content.get("reason") or "")
        return status == HTTPStatus.OK

    def watch(self, stop: threading.Event) -> None:
        while not stop.wait(POLL_SECONDS):
            self._restart_ended()

    def stop(self) -> None:
        """All are asked at once, so that together they take no longer than the slowest."""
        deadline = time.monotonic() + STOP_SECONDS_MAX
        for one in self._supervised:
            one.restarted.process.ask_to_stop()
        for one in self._supervised:
            if not one.restarted.process.wait(max(0.0, deadline - time.monotonic())):
                self._report(f"{one.child.name} did not stop within {STOP_SECONDS_MAX:.0f} s and is ended by force")
                one.restarted.process.kill()

    def _restart_ended(self) -> None:
        for one in self._supervised:
            one.restarted.restart_if_ended()


def _describe(servers: Servers, children: Sequence[Child]) -> Stack:
    pid = os.getpid()
    return Stack(
        pid=pid,
        created=psutil.Process(pid).create_time(),
        kafka=servers.kafka,
        postgres=servers.postgres,
        urls={child.name: child.ready_url for child in children if child.ready_url is not None},
    )


def _answer(url: str) -> tuple[int, Mapping[str, Any]]:
    """Status and JSON of an answer; 0 where there is none."""
    try:
        with urllib.request.urlopen(url, timeout=PROBE_SECONDS) as response:  # noqa: S310 - our own address
            return response.status, {}
    except urllib.error.HTTPError as error:
        try:
            return error.code, dict(json.load(error))
        except (OSError, TypeError, ValueError):
            return error.code, {}
    except OSError:
        return 0, {}


def _stop_unless_told_to_stay(pipe: int) -> None:
    """Reads until the caller says `stay`; the end of the pipe without it means that the caller is gone."""
    said = b""
    while len(said) < len(STAY):
        part = os.read(pipe, len(STAY) - len(said))
        if not part:
            break
        said += part
    os.close(pipe)
    if said != STAY:
        os.kill(os.getpid(), signal.SIGTERM)
