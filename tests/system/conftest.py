"""One running stack for all system tests of a worker."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.detached import start_detached
from infra.stack_file import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka, PostgreSQL and the four services in a folder of their own; they end with the tests."""
    folder: Path = tmp_path_factory.mktemp("stack")
    before = os.environ.get("LEDGER_DATA")
    os.environ["LEDGER_DATA"] = str(folder)
    try:
        with start_detached([sys.executable, "-m", "services.cli", "up"], folder) as started:
            yield started.wait_until_ready()
    finally:
        if before is None:
            del os.environ["LEDGER_DATA"]
        else:
            os.environ["LEDGER_DATA"] = before
