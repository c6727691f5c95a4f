"""Decides which Kafka and which PostgreSQL are used: given ones, containers, or embedded ones. Only here."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from infra.errors import ConfigurationError

KAFKA_VARIABLE = "LEDGER_KAFKA"
POSTGRES_VARIABLE = "LEDGER_POSTGRES"
DATA_VARIABLE = "LEDGER_DATA"
CHECKOUT = Path(__file__).resolve().parent.parent

ServerKind = Literal["environment", "containers", "embedded"]


@dataclass(frozen=True, slots=True)
class Servers:
    """`kafka` is a bootstrap list, `postgres` the address of a superuser in the database `postgres`."""

    kafka: str
    postgres: str
    kind: ServerKind


def running_servers(folder: Path, report: Callable[[str], None]) -> AbstractContextManager[Servers]:
    """Servers that run for as long as the context is open; what they store stays in `folder`.

    `report` receives a sentence now and then for the person who waits.
    """
    given = servers_from(os.environ)
    if given is not None:
        return _given(given, report)
    if _docker_answers():
        return _containers(folder, report)
    return _embedded(folder, report)


def servers_from(environment: Mapping[str, str]) -> Servers | None:
    """The servers named by the environment, or nothing when it names none; one alone is an error."""
    kafka = environment.get(KAFKA_VARIABLE, "").strip()
    postgres = environment.get(POSTGRES_VARIABLE, "").strip()
    if not kafka and not postgres:
        return None
    if not kafka or not postgres:
        present, missing = (KAFKA_VARIABLE, POSTGRES_VARIABLE) if kafka else (POSTGRES_VARIABLE, KAFKA_VARIABLE)
        raise ConfigurationError(f"{present} is set but {missing} is not; set both or neither")
    return Servers(kafka=kafka, postgres=postgres, kind="environment")


def data_folder() -> Path:
    """Where this checkout keeps its data. Two checkouts never share it, not even two of the same name."""
    chosen = os.environ.get(DATA_VARIABLE, "").strip()
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_data_dir("policy-ledger")) / folder_name_of(CHECKOUT)


def folder_name_of(checkout: Path) -> str:
    return f"{checkout.name}-{hashlib.sha256(str(checkout).encode()).hexdigest()[:8]}"


@contextmanager
def _given(servers: Servers, report: Callable[[str], None]) -> Iterator[Servers]:
    report(f"using Kafka at {servers.kafka} and the PostgreSQL of {POSTGRES_VARIABLE}")
    yield servers


@contextmanager
def _containers(folder: Path, report: Callable[[str], None]) -> Iterator[Servers]:
    from infra.containers import container_servers

    with container_servers(folder, report) as (kafka, postgres):
        yield Servers(kafka=kafka, postgres=postgres, kind="containers")


@contextmanager
def _embedded(folder: Path, report: Callable[[str], None]) -> Iterator[Servers]:
    from infra.local.embedded import embedded_servers

    with embedded_servers(folder, report) as addresses:
        yield Servers(kafka=addresses.kafka, postgres=addresses.postgres, kind="embedded")


def _docker_answers() -> bool:
    # Asked for cheaply first: loading the client takes longer than the answer.
    if not os.environ.get("DOCKER_HOST") and not Path("/var/run/docker.sock").exists():
        return False
    from infra.containers import engine_answers

    return engine_answers()
