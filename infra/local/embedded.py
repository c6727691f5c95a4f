"""Starts both embedded servers side by side and stops them again."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.errors import ServerFailed
from infra.local import kafka, postgres
from infra.local.folder_lock import folder_lock
from infra.local.ports import LOOPBACK, choose_port
from infra.local.process import ChildProcess
from infra.local.restarts import Restarted

START_SECONDS_MAX = 90.0
POLL_SECONDS = 0.03
WATCH_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Addresses:
    kafka: str
    postgres: str


@contextmanager
def embedded_servers(folder: Path, report: Callable[[str], None]) -> Iterator[Addresses]:
    """Both servers, for as long as the context is open; one that ends by itself is started again at its place."""
    folder = folder.absolute()
    # Left from the inside out: nobody restarts any more, then Kafka stops, then PostgreSQL.
    with folder_lock(folder), ExitStack() as stop_postgres, ExitStack() as stop_kafka, ExitStack() as stop_watching:
        started = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            starting_postgres = pool.submit(_start_postgres, folder / "postgres", report, stop_postgres)
            starting_kafka = pool.submit(_start_kafka, folder / "kafka", report, stop_kafka)
        (postgres_address, database), (kafka_address, broker) = starting_postgres.result(), starting_kafka.result()
        report(f"Kafka and PostgreSQL started in {time.monotonic() - started:.1f} s")
        _keep_running([database, broker], stop_watching)
        yield Addresses(kafka=kafka_address, postgres=postgres_address)


def _start_postgres(folder: Path, report: Callable[[str], None], stop: ExitStack) -> tuple[str, Restarted]:
    postgres.prepare(folder)
    port = choose_port(folder / "port")

    def start() -> ChildProcess:
        # After a crash, what is left of the former server has to be gone first.
        postgres.prepare(folder)
        return ChildProcess(postgres.command(folder, port))

    server = Restarted("PostgreSQL", start, report)
    stop.callback(server.stop)
    wait_until_ready("PostgreSQL", server.process, lambda: postgres.is_ready(port))
    return postgres.dsn(port), server


def _start_kafka(folder: Path, report: Callable[[str], None], stop: ExitStack) -> tuple[str, Restarted]:
    kafka.prepare(folder, report)
    port = choose_port(folder / "port")
    controller_port = choose_port(folder / "controller-port")

    def start() -> ChildProcess:
        return ChildProcess(kafka.command(folder, kafka.prepare(folder, report), port, controller_port))

    server = Restarted("Kafka", start, report)
    stop.callback(server.stop)
    wait_until_ready("Kafka", server.process, lambda: kafka.is_ready(port))
    return f"{LOOPBACK}:{port}", server


def _keep_running(servers: Sequence[Restarted], stop: ExitStack) -> None:
    """Watch in a thread of its own: whoever opened the context has work to do."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            for server in servers:
                server.restart_if_ended()

    watching = threading.Thread(target=watch, name="servers", daemon=True)
    watching.start()
    stop.callback(watching.join)
    stop.callback(over.set)


def wait_until_ready(name: str, server: ChildProcess, ready: Callable[[], bool]) -> None:
    """Returns once the server answers. Raises ServerFailed where it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not ready():
        if server.ended:
            raise ServerFailed(f"{name} ended while it started:\n{server.log_tail()}")
        if time.monotonic() > deadline:
            raise ServerFailed(f"{name} was not ready after {START_SECONDS_MAX:.0f} s:\n{server.log_tail()}")
        time.sleep(POLL_SECONDS)
