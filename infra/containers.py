"""Runs Kafka and PostgreSQL in containers, where a Docker engine answers."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import docker
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import wait_for_logs

from infra.errors import ServerFailed
from infra.local import postgres
from infra.local.folder_lock import folder_lock
from infra.local.ports import LOOPBACK, choose_port

KAFKA_IMAGE = "apache/kafka:4.3.0"
POSTGRES_IMAGE = "postgres:18"
ENGINE_ANSWER_SECONDS_MAX = 2
START_SECONDS_MAX = 120
POLL_SECONDS = 0.2
BROKER_SETTINGS = Path(__file__).parent / "local" / "kafka.properties"


def engine_answers() -> bool:
    try:
        client = docker.from_env(timeout=ENGINE_ANSWER_SECONDS_MAX)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (DockerException, OSError):
        return False


@contextmanager
def container_servers(folder: Path, report: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """The addresses of Kafka and PostgreSQL. Data is kept in volumes named after the folder."""
    folder = folder.absolute()
    volume = f"policy-ledger-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    with folder_lock(folder), ExitStack() as stack:
        started = time.monotonic()
        report(f"starting the containers {KAFKA_IMAGE} and {POSTGRES_IMAGE} ...")
        kafka_port = choose_port(folder / "kafka-port")
        stack.enter_context(_kafka(kafka_port, f"{volume}-kafka"))
        postgres_port = choose_port(folder / "postgres-port")
        stack.enter_context(_postgres(postgres_port, f"{volume}-postgres"))
        _wait_for_postgres(postgres_port)
        report(f"containers started in {time.monotonic() - started:.1f} s")
        yield f"{LOOPBACK}:{kafka_port}", f"postgresql://postgres@{LOOPBACK}:{postgres_port}/postgres"


def _wait_for_postgres(port: int) -> None:
    """Asked over the network: the log says "ready" once already while the image initialises its data."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not postgres.is_ready(port):
        if time.monotonic() > deadline:
            raise ServerFailed(f"the container of {POSTGRES_IMAGE} was not ready after {START_SECONDS_MAX} s")
        time.sleep(POLL_SECONDS)


@contextmanager
def _kafka(port: int, volume: str) -> Iterator[DockerContainer]:
    container = _on_loopback(DockerContainer(KAFKA_IMAGE), "9092/tcp", port)
    for name, value in broker_environment(port).items():
        container = container.with_env(name, value)
    container = container.with_volume_mapping(volume, "/var/lib/kafka/data", "rw")
    with container:
        wait_for_logs(container, "Kafka Server started", START_SECONDS_MAX)
        yield container


def _postgres(port: int, volume: str) -> DockerContainer:
    container = (
        DockerContainer(POSTGRES_IMAGE)
        .with_env("POSTGRES_HOST_AUTH_METHOD", "trust")
        .with_command("postgres -c max_connections=200 -c max_wal_size=2GB -c jit=off")
        .with_volume_mapping(volume, "/var/lib/postgresql", "rw")
    )
    return _on_loopback(container, "5432/tcp", port)


def _on_loopback(container: DockerContainer, inside: str, port: int) -> DockerContainer:
    # `with_bind_ports` knows no address and would listen to the whole network; the engine's client takes the pair.
    container.ports[inside] = (LOOPBACK, port)  # type: ignore[assignment]
    return container


def broker_environment(port: int) -> dict[str, str]:
    """The settings of the embedded broker, in the form that the image wants: KAFKA_ and underscores."""
    settings = {
        "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.quorum.voters": "1@localhost:9093",
        "log.dirs": "/var/lib/kafka/data",
    }
    for line in BROKER_SETTINGS.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            settings[name] = value
    return {"KAFKA_" + name.upper().replace(".", "_"): value for name, value in settings.items()}
