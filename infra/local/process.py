"""Runs one child process that never outlives this one, not even when this one is killed with SIGKILL."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.errors import ServerFailed

PR_SET_PDEATHSIG = 1
LOG_TAIL_BYTES = 2_000
POLL_SECONDS = 0.03
# The kernel counts a start time in hundredths of a second; two readings of one process may differ by rounding.
CREATE_TIME_TOLERANCE_SECONDS = 0.05

# Loaded once here: between fork and exec a child must do as little as possible.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group that a child runs as, when it must not run as root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    name: str
    argv: tuple[str, ...]
    log: Path
    stop_signal: signal.Signals
    stop_seconds_max: float
    cwd: Path | None = None
    env: Mapping[str, str] | None = None
    account: Account | None = None
    pid_file: Path | None = None


class ChildProcess:
    """A started command. The stop signal is also what the kernel sends to it when this process dies."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._error: str | None = None
        self._created = threading.Event()
        self._ended = threading.Event()
        # The kernel sends the death signal when the creating THREAD ends, not the process. So every child is
        # created by a thread of its own, which then waits for it and thereby lives exactly as long as it does.
        threading.Thread(target=self._live, name=f"child-{command.name}", daemon=True).start()
        self._created.wait()
        self.pid = self._started_pid()
        if command.pid_file is not None:
            _record_identity(command.pid_file, self.pid)

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    @property
    def exit_code(self) -> int | None:
        """What the child ended with, minus the number of the signal that ended it; nothing while it runs."""
        return self._process.returncode if self._process is not None and self.ended else None

    def wait(self, timeout_seconds: float) -> bool:
        """True when the child ended within the time."""
        return self._ended.wait(timeout_seconds)

    def ask_to_stop(self) -> None:
        if not self.ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self._command.stop_signal)

    def kill(self) -> None:
        if not self.ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._ended.wait()

    def stop(self) -> None:
        """Ends the child: politely, for a bounded time, then by force."""
        self.ask_to_stop()
        if not self.wait(self._command.stop_seconds_max):
            self.kill()

    def log_tail(self) -> str:
        return tail_of(self._command.log)

    def _started_pid(self) -> int:
        if self._process is None:
            raise ServerFailed(f"cannot start {self._command.name}: {self._error}")
        return self._process.pid

    def _live(self) -> None:
        command = self._command
        account = command.account
        try:
            command.log.parent.mkdir(parents=True, exist_ok=True)
            with command.log.open("ab") as log:
                self._process = subprocess.Popen(
                    command.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=command.cwd,
                    env=command.env,
                    user=account.uid if account else None,
                    group=account.gid if account else None,
                    extra_groups=[] if account else None,
                    # A session of its own keeps Ctrl-C in the terminal from reaching the child before we do.
                    start_new_session=True,
                    preexec_fn=die_with_parent(command.stop_signal),  # noqa: PLW1509 - two system calls, no locks
                )
        except (OSError, subprocess.SubprocessError) as error:
            self._error = str(error)
            return
        finally:
            self._created.set()
        self._process.wait()
        self._ended.set()


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel sends the signal to the child when its parent is gone.

    `subprocess` calls it after the change of user, which is the only order that works: a change of user
    clears the death signal.
    """
    libc = _LIBC
    if libc is None:
        return None
    parent = os.getpid()

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        # The parent may have died between fork and prctl; then no signal will ever come.
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def end_former(pid_file: Path, seconds_max: float) -> None:
    """Waits for the process of a killed run, which the kernel has already told to stop, then ends it by force.

    The identity is pid and start time, so a stranger that got the same pid later is left alone.
    """
    process = _recorded_process(pid_file)
    if process is not None:
        end([process], seconds_max)
    pid_file.unlink(missing_ok=True)


def end(processes: Sequence[psutil.Process], seconds_max: float) -> None:
    """Waits for processes that are not ours to end, then ends them by force."""
    if not wait_gone(processes, seconds_max):
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        wait_gone(processes, seconds_max)


def wait_gone(processes: Sequence[psutil.Process], seconds_max: float) -> bool:
    deadline = time.monotonic() + seconds_max
    while any(is_alive(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def is_alive(process: psutil.Process) -> bool:
    """A zombie is dead: it has ended, only nobody has asked for its exit code. In containers nobody may ever."""
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def same_process(pid: int, create_time: float) -> psutil.Process | None:
    """The live process with this pid and this start time, or nothing."""
    try:
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - create_time) <= CREATE_TIME_TOLERANCE_SECONDS
    except psutil.Error:
        return None
    return process if is_same and is_alive(process) else None


def tail_of(log: Path) -> str:
    try:
        return log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
    except OSError:
        return ""


def _record_identity(pid_file: Path, pid: int) -> None:
    with contextlib.suppress(psutil.Error):
        pid_file.write_text(f"{pid} {psutil.Process(pid).create_time()}\n")


def _recorded_process(pid_file: Path) -> psutil.Process | None:
    try:
        pid, create_time = pid_file.read_text().split()
        return same_process(int(pid), float(create_time))
    except (OSError, ValueError):
        return None
