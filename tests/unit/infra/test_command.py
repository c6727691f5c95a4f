"""The command `pledger`: a worker process that imports it must not run it again."""

import runpy
import sys
from pathlib import Path


def test_a_worker_process_can_import_the_command_without_running_it() -> None:
    # As multiprocessing does it for a process that it spawns.
    names = runpy.run_path(str(Path(sys.executable).parent / "pledger"), run_name="__mp_main__")
    assert callable(names["main"])
