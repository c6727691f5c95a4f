"""How other commands find the running stack."""

import os
from pathlib import Path

import psutil

from infra.stack_file import Stack, current_stack, remove_stack, write_stack


def _stack(pid: int, created: float) -> Stack:
    return Stack(pid=pid, created=created, kafka="k:1", postgres="postgresql://p", urls={"quote": "http://q"})


def test_a_running_stack_is_found_and_a_removed_one_is_not(tmp_path: Path) -> None:
    stack = _stack(os.getpid(), psutil.Process().create_time())
    assert current_stack(tmp_path) is None
    write_stack(tmp_path, stack)
    assert current_stack(tmp_path) == stack
    remove_stack(tmp_path)
    assert current_stack(tmp_path) is None


def test_a_stranger_that_got_the_pid_of_a_killed_stack_is_not_taken_for_it(tmp_path: Path) -> None:
    write_stack(tmp_path, _stack(os.getpid(), psutil.Process().create_time() - 60))
    assert current_stack(tmp_path) is None


def test_a_damaged_file_is_no_stack(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"pid": 1')
    assert current_stack(tmp_path) is None
