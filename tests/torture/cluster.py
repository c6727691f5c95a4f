"""A Kafka, a PostgreSQL and the four services as child processes, each of which a fault may have to itself."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from contracts.topics import ServiceName
from infra.local import kafka as kafka_server
from infra.local import postgres as postgres_server
from infra.local.ports import choose_port
from infra.servers import Servers
from infra.stack_file import Stack
from services.cli.stack import DATABASE_PREFIX, prepare
from services.kernel import postgres
from tests.support.postgres_proxy import PostgresProxy, proxies_in_a_thread, through
from tests.torture.processes import Running, service_command, until

SESSION_TIMEOUT_MS = 6_000
_RESTART_SECONDS = 0.3
_WATCH_SECONDS = 0.1


@dataclass
class Cluster:
    """Everything that a fault can be done to."""

    folder: Path
    kafka: Running
    kafka_port: int
    postgres: Running
    postgres_port: int
    proxies: dict[str, PostgresProxy]
    services: dict[str, Running] = field(default_factory=dict)
    replicas: list[Running] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def servers(self) -> Servers:
        """Addresses of the servers; they stay the same over all restarts."""
        return Servers(f"127.0.0.1:{self.kafka_port}", postgres_server.dsn(self.postgres_port), "embedded")

    @property
    def stack(self) -> Stack:
        """What the command line's functions need to know of a running stack."""
        urls = {service: f"http://127.0.0.1:{port}/health/ready" for service, port in self.ports.items()}
        pid = os.getpid()
        return Stack(pid, psutil.Process(pid).create_time(), self.servers.kafka, self.servers.postgres, urls)

    @property
    def kills(self) -> int:
        """SIGKILLs so far, of services and servers."""
        return sum(running.kills for running in self.everything())

    def everything(self) -> Iterator[Running]:
        """All processes, services first."""
        yield from self.replicas
        yield from self.services.values()
        yield from (self.kafka, self.postgres)

    def database(self, service: str) -> str:
        """DSN of a service's database as the superuser, past the proxy."""
        return f"{self.servers.postgres.rpartition('/')[0]}/{postgres.database_name(service, DATABASE_PREFIX)}"

    def service(self, name: str, port: int, label: str = "", failpoint: str = "") -> Running:
        """A process of a service that is not started yet."""
        dsn = postgres.service_dsn(self.servers.postgres, name, DATABASE_PREFIX)
        environment = {
            "LEDGER_DATABASE": through(self.proxies[name], dsn),
            "LEDGER_KAFKA": self.servers.kafka,
            "LEDGER_HTTP_PORT": str(port),
            "LEDGER_POSTGRES": "",
            "LEDGER_SESSION_TIMEOUT_MS": str(SESSION_TIMEOUT_MS),
            "LEDGER_FAILPOINT": failpoint,
        }
        argv = (sys.executable, "-m", "services.cli", "run", name)
        return Running(name + label, service_command(name + label, argv, environment, self.folder / "logs"))

    async def start_kafka(self) -> None:
        """Start Kafka where it was and wait until it answers."""
        await asyncio.to_thread(self.kafka.start)
        await until(lambda: kafka_server.is_ready(self.kafka_port), "Kafka answers")

    async def start_postgres(self) -> None:
        """Start PostgreSQL where it was and wait until it answers."""
        await asyncio.to_thread(postgres_server.prepare, self.folder / "postgres")
        await asyncio.to_thread(self.postgres.start)
        await until(lambda: postgres_server.is_ready(self.postgres_port), "PostgreSQL answers")

    async def start_services(self) -> None:
        """Start the four services and wait until they are ready."""
        for name in ServiceName:
            self.ports[name] = choose_port(self.folder / f"{name}.port")
            self.services[name] = self.service(name, self.ports[name])
            self.services[name].start()
        await self.ready()

    async def ready(self) -> None:
        """Wait until every service says that it is ready."""
        for name, url in self.stack.urls.items():
            await until(lambda url=url: _answers(url), f"{name} is ready")  # type: ignore[misc]

    async def supervise(self) -> None:
        """Start each service again that has ended, unless a fault holds it down. Never returns."""
        ended_at: dict[str, float] = {}
        while True:
            for name, running in self.services.items():
                if running.alive or running.held:
                    ended_at.pop(name, None)
                elif time.monotonic() - ended_at.setdefault(name, time.monotonic()) >= _RESTART_SECONDS:
                    code = running.process.exit_code if running.process is not None else None
                    if code != -9:
                        running.unasked.append(str(code))
                    running.start()
            await asyncio.sleep(_WATCH_SECONDS)

    def destroy(self) -> None:
        """End every process, whatever state it is in."""
        for running in self.everything():
            running.destroy()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@asynccontextmanager
async def running_cluster(folder: Path) -> AsyncIterator[Cluster]:
    """Servers and services in the folder; all of them have ended when the block is left, however it is left."""
    jars = await asyncio.to_thread(kafka_server.prepare, folder / "kafka", print)
    await asyncio.to_thread(postgres_server.prepare, folder / "postgres")
    kafka_port, controller, postgres_port = (
        choose_port(folder / f"{name}.port") for name in ("kafka", "controller", "postgres")
    )
    kafka = Running("Kafka", lambda: kafka_server.command(folder / "kafka", jars, kafka_port, controller))
    database = Running("PostgreSQL", lambda: postgres_server.command(folder / "postgres", postgres_port))
    with proxies_in_a_thread(postgres_server.dsn(postgres_port), [name.value for name in ServiceName]) as proxies:
        cluster = Cluster(folder, kafka, kafka_port, database, postgres_port, proxies)
        with _destroyed_at_the_end(cluster):
            await asyncio.gather(cluster.start_kafka(), cluster.start_postgres())
            await asyncio.to_thread(prepare, cluster.servers)
            await cluster.start_services()
            supervisor = asyncio.create_task(cluster.supervise())
            try:
                yield cluster
            finally:
                supervisor.cancel()


@contextmanager
def _destroyed_at_the_end(cluster: Cluster) -> Iterator[None]:
    try:
        yield
    finally:
        cluster.destroy()


def replica_of(cluster: Cluster, name: str) -> Running:
    """A second process of a service, on a port of its own, started beside the first."""
    replica = cluster.service(name, 0, label=f"-replica{len(cluster.replicas) + 1}")
    cluster.replicas.append(replica)
    replica.start()
    return replica


def with_failpoint(cluster: Cluster, name: str, failpoint: str) -> Running:
    """The service itself with a failpoint armed, not started yet."""
    return cluster.service(name, cluster.ports[name], failpoint=failpoint)
