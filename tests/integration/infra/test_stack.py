"""The supervisor: ready, watched, detached, and nothing left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from infra.detached import start_detached, stop_stack
from infra.errors import ServerFailed
from infra.stack_file import Stack, current_stack
from tests.integration.infra.processes import all_gone, descendants, eventually, kill, python

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

SUPERVISOR = """
import sys
from pathlib import Path
from infra.stack import Child, run_stack

SERVICE = '''
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code, text = (503, b'{"status": "stopped", "reason": "restored"}') if sys.argv[2] == "stopped" else (200, b"")
        self.send_response(code); self.end_headers(); self.wfile.write(text)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
'''

def children(servers):
    if sys.argv[3] == "broken":
        return [Child(name="broken", argv=("/nonexistent",), env={})]
    url = f"http://127.0.0.1:{sys.argv[2]}/"
    return [Child(name="service", argv=(sys.executable, "-c", SERVICE, *sys.argv[2:4]), env={}, ready_url=url)]

pipe = int(sys.argv[sys.argv.index("--stay-pipe") + 1]) if "--stay-pipe" in sys.argv else None
run_stack(children, Path(sys.argv[1]), pipe, prepare=lambda servers: print("prepared"))
"""

CALLER = """
import sys, time
from pathlib import Path
from infra.detached import start_detached

started = start_detached(sys.argv[2:], Path(sys.argv[1]))
started.wait_until_ready()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "stack"


@pytest.fixture
def supervisor(tmp_path: Path, folder: Path) -> list[str]:
    from infra.local.ports import choose_port

    script = tmp_path / "supervisor.py"
    script.write_text(SUPERVISOR)
    return [sys.executable, str(script), str(folder), str(choose_port(tmp_path / "port")), "working"]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]))


def test_a_stack_that_was_told_to_stay_lives_until_it_is_stopped(folder: Path, supervisor: list[str]) -> None:
    with start_detached(supervisor, folder) as started:
        stack = started.wait_until_ready()
        started.stay()
    assert current_stack(folder) == stack
    assert set(stack.urls) == {"service"}
    processes = [psutil.Process(stack.pid), *descendants(stack.pid)]
    assert stop_stack(folder, lambda _: None)
    assert all_gone(processes)
    assert current_stack(folder) is None
    assert not stop_stack(folder, lambda _: None)


def test_a_stack_ends_with_a_caller_that_did_not_say_stay(folder: Path, supervisor: list[str]) -> None:
    with start_detached(supervisor, folder) as started:
        stack = started.wait_until_ready()
        processes = [psutil.Process(stack.pid), *descendants(stack.pid)]
    assert all_gone(processes)
    assert current_stack(folder) is None


def test_a_killed_caller_leaves_no_process(folder: Path, supervisor: list[str], tmp_path: Path) -> None:
    script = tmp_path / "caller.py"
    script.write_text(CALLER)
    caller = python(script, str(folder), *supervisor)
    assert caller.stdout is not None
    assert caller.stdout.readline() == "ready\n"
    processes = descendants(caller.pid)
    kill(caller)
    assert len(processes) >= 4
    assert all_gone(processes)


def test_a_killed_supervisor_leaves_no_process(folder: Path, supervisor: list[str]) -> None:
    with start_detached(supervisor, folder) as started:
        stack = started.wait_until_ready()
        processes = descendants(stack.pid)
        os.kill(stack.pid, signal.SIGKILL)
    assert len(processes) >= 3
    assert all_gone(processes)
    assert current_stack(folder) is None


def test_a_service_that_crashed_is_started_again(folder: Path, supervisor: list[str]) -> None:
    with start_detached(supervisor, folder) as started:
        stack = started.wait_until_ready()
        crashed = _service(stack)
        crashed.kill()
        assert eventually(lambda: _service(stack).pid not in (crashed.pid, stack.pid))


def test_a_service_that_only_a_person_can_help_is_named_and_the_stack_is_up(
    folder: Path, supervisor: list[str]
) -> None:
    with start_detached([*supervisor[:-1], "stopped"], folder) as started:
        stack = started.wait_until_ready()
        assert "service has stopped: restored" in started.log.read_text()
    assert set(stack.urls) == {"service"}


def test_a_service_that_cannot_start_is_named_and_takes_the_stack_down(folder: Path, supervisor: list[str]) -> None:
    with (
        pytest.raises(ServerFailed, match="cannot start broken"),
        start_detached([*supervisor[:-1], "broken"], folder) as started,
    ):
        started.wait_until_ready()
    assert current_stack(folder) is None


def test_a_stop_while_the_servers_start_leaves_no_process(folder: Path, supervisor: list[str]) -> None:
    process = subprocess.Popen(supervisor, stdout=subprocess.DEVNULL)
    assert eventually(lambda: bool(psutil.Process(process.pid).children()))
    processes = descendants(process.pid)
    process.terminate()
    process.wait(60)
    assert all_gone(processes)


def _service(stack: Stack) -> psutil.Process:
    names = {"java", "postgres"}
    found = [child for child in psutil.Process(stack.pid).children() if child.name() not in names]
    return found[0] if found else psutil.Process(stack.pid)
