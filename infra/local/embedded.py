"""Starts both embedded servers side by side and stops them again."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.errors import ServerFailed
from infra.local import kafka, postgres
from infra.local.folder_lock import folder_lock
from infra.local.ports import LOOPBACK, choose_port
from infra.local.process import ChildProcess

START_SECONDS_MAX = 90.0
POLL_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class Addresses:
    kafka: str
    postgres: str


@contextmanager
def embedded_servers(folder: Path, report: Callable[[str], None]) -> Iterator[Addresses]:
    folder = folder.absolute()
    # Left from the inside out: Kafka stops first, then PostgreSQL.
    with folder_lock(folder), ExitStack() as stop_postgres, ExitStack() as stop_kafka:
        started = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            postgres_address = pool.submit(_start_postgres, folder / "postgres", stop_postgres)
            kafka_address = pool.submit(_start_kafka, folder / "kafka", report, stop_kafka)
        addresses = Addresses(kafka=kafka_address.result(), postgres=postgres_address.result())
        report(f"Kafka and PostgreSQL started in {time.monotonic() - started:.1f} s")
        yield addresses


def _start_postgres(folder: Path, stop: ExitStack) -> str:
    postgres.prepare(folder)
    port = choose_port(folder / "port")
    server = ChildProcess(postgres.command(folder, port))
    stop.callback(server.stop)
    wait_until_ready("PostgreSQL", server, lambda: postgres.is_ready(port))
    return postgres.dsn(port)


def _start_kafka(folder: Path, report: Callable[[str], None], stop: ExitStack) -> str:
    jars = kafka.prepare(folder, report)
    port = choose_port(folder / "port")
    controller_port = choose_port(folder / "controller-port")
    server = ChildProcess(kafka.command(folder, jars, port, controller_port))
    stop.callback(server.stop)
    wait_until_ready("Kafka", server, lambda: kafka.is_ready(port))
    return f"{LOOPBACK}:{port}"


def wait_until_ready(name: str, server: ChildProcess, ready: Callable[[], bool]) -> None:
    """Returns once the server answers. Raises ServerFailed where it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not ready():
        if server.ended:
            raise ServerFailed(f"{name} ended while it started:\n{server.log_tail()}")
        if time.monotonic() > deadline:
            raise ServerFailed(f"{name} was not ready after {START_SECONDS_MAX:.0f} s:\n{server.log_tail()}")
        time.sleep(POLL_SECONDS)
