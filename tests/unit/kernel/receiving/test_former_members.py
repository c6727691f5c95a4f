"""Only a process of the same service and host that surely does not run any more is taken for dead."""

import os
import socket
import subprocess
import sys

import psutil
import pytest

from services.kernel.receiving.former_members import is_dead, member_name

HOST = socket.gethostname()


def ended_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_process_that_runs_is_not_dead() -> None:
    assert not is_dead(member_name("quote"), "quote")


def test_a_process_that_ended_is_dead() -> None:
    assert is_dead(f"quote-inbox.{HOST}.{ended_pid()}.1700000000", "quote")


def test_a_pid_that_another_process_has_got_is_dead() -> None:
    started = int(psutil.Process().create_time())
    assert is_dead(f"quote-inbox.{HOST}.{os.getpid()}.{started - 60}", "quote")


@pytest.mark.parametrize(
    "name",
    [
        "policy-inbox.{host}.{pid}.1700000000",
        "quote-inbox.elsewhere.{pid}.1700000000",
        "quote-inbox",
        "quote-inbox.{host}.{pid}",
        "quote-inbox.{host}.x.y",
        "",
    ],
)
def test_what_is_not_known_to_be_ours_is_left_alone(name: str) -> None:
    assert not is_dead(name.format(host=HOST, pid=ended_pid()), "quote")
