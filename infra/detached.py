"""Starts the supervisor so that it can outlive its caller, and stops it again.

The supervisor runs in a session of its own and holds the reading end of a pipe. If the caller ends before it
said `stay`, by Ctrl-C or by SIGKILL, the pipe ends and the supervisor takes everything down. After `stay` it
lives until `stop_stack`.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from infra.errors import ServerFailed
from infra.local.process import end, tail_of
from infra.stack import STAY
from infra.stack_file import Stack, current_stack, process_of, remove_stack

STAY_PIPE_OPTION = "--stay-pipe"
START_SECONDS_MAX = 600.0
POLL_SECONDS = 0.1
# Services 35 s, Kafka 30 s, PostgreSQL 30 s, and some air.
STOP_SECONDS_MAX = 110.0


class DetachedStack:
    """The caller's side. Leaving the `with` block without `stay` ends the stack."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: int, folder: Path) -> None:
        self._process = process
        self._pipe = pipe
        self._folder = folder

    def __enter__(self) -> "DetachedStack":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def log(self) -> Path:
        return supervisor_log(self._folder)

    def wait_until_ready(self, timeout_seconds: float = START_SECONDS_MAX) -> Stack:
        """Long by default, because the first start downloads Kafka."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            stack = current_stack(self._folder)
            if stack is not None and stack.pid == self._process.pid:
                return stack
            if self._process.poll() is not None:
                raise ServerFailed(f"the stack did not start, see {self.log}:\n{tail_of(self.log)}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"the stack was not ready after {timeout_seconds:.0f} s, see {self.log}")
            time.sleep(POLL_SECONDS)

    def stay(self) -> None:
        """From here on the stack lives until `stop_stack`."""
        os.write(self._pipe, STAY)
        self._close_pipe()

    def close(self) -> None:
        """Ends the stack unless it was told to stay, and waits for its end."""
        if self._pipe >= 0:
            self._close_pipe()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS_MAX)

    def _close_pipe(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1


def supervisor_log(folder: Path) -> Path:
    return folder / "logs" / "supervisor.log"


def start_detached(argv: Sequence[str], folder: Path) -> DetachedStack:
    """Runs `argv --stay-pipe <fd>`, which must call `run_stack(..., stay_pipe=<fd>)` for the same folder."""
    folder = folder.absolute()
    log = supervisor_log(folder)
    log.parent.mkdir(parents=True, exist_ok=True)
    reading, writing = os.pipe()
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*argv, STAY_PIPE_OPTION, str(reading)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[reading],
                start_new_session=True,
            )
    except BaseException:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    return DetachedStack(process, writing, folder)


def stop_stack(folder: Path, report: Callable[[str], None] = print) -> bool:
    """Ends the stack of the folder and waits for it; False when none is running."""
    stack = current_stack(folder.absolute())
    process = process_of(stack) if stack is not None else None
    if process is None:
        remove_stack(folder)
        return False
    report(f"stopping the stack (process {process.pid}) ...")
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
    # Should it have to be ended by force, its children end with it, see infra/local/process.py.
    end([process], STOP_SECONDS_MAX)
    remove_stack(folder)
    return True
