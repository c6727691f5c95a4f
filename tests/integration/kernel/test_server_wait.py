"""A service whose server is away at its start waits, says for what, and can be ended; a fault it does not wait for."""

import asyncio
import logging
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter

from infra.local.ports import choose_port
from infra.servers import Servers
from services.kernel import postgres
from services.kernel.cancellation import cancel
from services.kernel.errors import CannotStart
from services.kernel.process.application import Application
from services.kernel.process.runtime import Kernel
from services.kernel.settings import ServiceSettings
from tests.support.postgres_proxy import PostgresProxy, postgres_proxy, through
from tests.support.running import PARTITIONS, Home, eventually
from tests.support.tally import Count, to

END_SECONDS_MAX = 20.0
PREFIX = "late"


@pytest.fixture
def port(tmp_path: Path) -> int:
    """A port that nobody listens at."""
    return choose_port(tmp_path / "port")


def _database_at(home: Home, port: int) -> ServiceSettings:
    proxy = PostgresProxy("127.0.0.1", 0)
    proxy.port = port
    return home.settings().model_copy(update={"database": through(proxy, home.dsn)})


@asynccontextmanager
async def starting(home: Home, settings: ServiceSettings) -> AsyncIterator[Kernel]:
    """A service on its way up."""
    kernel = Kernel(home.definition, settings)
    start = asyncio.create_task(kernel.start())
    try:
        yield kernel
    finally:
        await cancel([start])
        await kernel.stop()


async def waiting_for(kernel: Kernel, what: str) -> str:
    """What it says once it waits for that."""

    async def holds() -> bool:
        return what in (kernel.waits_for or "")

    await eventually(holds, f"waits for {what}")
    return str(kernel.waits_for)


async def started(kernel: Kernel) -> None:
    """Wait until the service works."""

    async def holds() -> bool:
        return kernel.started

    await eventually(holds, "the service has started")


async def test_a_database_that_comes_late_is_waited_for(
    home: Home, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "services.kernel.process.server_wait"):
        async with starting(home, _database_at(home, port)) as kernel:
            assert f"waits for PostgreSQL at 127.0.0.1:{port}: " in await waiting_for(kernel, "PostgreSQL")
            assert not kernel.open
            async with postgres_proxy(home.servers.postgres, port):
                await started(kernel)
                assert kernel.waits_for is None
                await home.publish(home.ask("count", "t1"))
                await home.quiet(kernel)
                await kernel.stop()
    waits, there = (record.getMessage() for record in caplog.records if record.name.endswith("server_wait"))
    assert "as long as it takes" in waits
    assert there.startswith(f"PostgreSQL at 127.0.0.1:{port} is there, after")


async def test_without_kafka_commands_are_taken_and_relayed_once_it_comes(home: Home, port: int) -> None:
    settings = home.settings().model_copy(update={"kafka": f"127.0.0.1:{port}"})
    async with starting(home, settings) as kernel:
        assert await waiting_for(kernel, "Kafka") == f"waits for Kafka at 127.0.0.1:{port}: no connection"
        assert kernel.open
        assert not kernel.started
        await home.execute(kernel, to("t1", Count("t1", 3)))
        assert kernel.stopped_sources == {}
        assert (await kernel.status())["ready"] is False
        async with postgres_proxy(f"postgresql://{home.servers.kafka}", port):
            await started(kernel)
            await home.quiet(kernel)
            await kernel.stop()
    assert await home.totals() == {"t1": 3}
    assert sum(map(len, (await home.read_topic(home.events_topic)).values())) == 1


async def test_a_port_that_is_open_and_gives_no_answer_is_told_apart(
    home: Home, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.kernel.process.server_wait.ANSWER_SECONDS_MAX", 0.5)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    try:
        async with starting(home, home.settings().model_copy(update={"kafka": f"127.0.0.1:{port}"})) as kernel:
            assert "does not answer as Kafka does" in await waiting_for(kernel, "Kafka")
    finally:
        server.close()


async def test_http_says_what_is_waited_for(home: Home, port: int) -> None:
    app = Application(home.definition, APIRouter()).asgi(_database_at(home, port))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        await waiting_for(app.state.kernel, "PostgreSQL")
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
        assert f"{home.definition.name} waits for PostgreSQL at 127.0.0.1:{port}" in ready.json()["reason"]
        assert (await client.get("/health/live")).status_code == 200
        for path in ("/status", "/dead-letters", "/checkpoint", "/asyncapi.json"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2"), path
            assert "waits for PostgreSQL" in answer.json()["detail"]


async def test_a_login_that_is_refused_is_not_waited_for(home: Home) -> None:
    database = home.dsn.rpartition("/")[2]
    settings = home.settings().model_copy(update={"database": home.dsn.replace(f"//{database}:", "//nobody:")})
    with pytest.raises(CannotStart, match=r"refuses the login of nobody: .* Mend LEDGER_DATABASE"):
        await Kernel(home.definition, settings).start()


async def test_a_database_that_is_missing_is_not_waited_for(home: Home) -> None:
    settings = home.settings().model_copy(update={"database": f"{home.dsn}_x"})
    with pytest.raises(CannotStart, match="is there without the database"):
        await Kernel(home.definition, settings).start()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("delete from public.migration where name like '0005%'", "lacks the migrations 0005_.*`pledger up` makes"),
        ("drop table public.migration", "has not the tables of a service"),
        ("revoke select on public.migration from {role}", "has not the tables of a service"),
        ("truncate log.genesis cascade", "was not founded"),
    ],
)
async def test_tables_that_are_missing_are_not_waited_for(home: Home, damage: str, sentence: str) -> None:
    async with home.superuser() as superuser:
        await superuser.execute(damage.format(role=f'"{home.dsn.rpartition("/")[2]}"'))
    with pytest.raises(CannotStart, match=sentence):
        await Kernel(home.definition, home.settings()).start()


@dataclass(frozen=True, slots=True)
class Run:
    """`pledger run quote` as a process of its own."""

    process: asyncio.subprocess.Process
    url: str
    log: Path

    async def ready(self) -> dict[str, str]:
        """What /health/ready says once it answers."""
        found: dict[str, str] = {}

        async def answers() -> bool:
            try:
                async with httpx.AsyncClient() as client:
                    found.update((await client.get(f"{self.url}/health/ready")).json())
            except httpx.HTTPError:
                assert self.process.returncode is None, self.log.read_text()
            return "waits for" in (found.get("reason") or "")

        await eventually(answers, "the process says what it waits for")
        return found


@asynccontextmanager
async def running_quote(folder: Path, database: str, bootstrap: str) -> AsyncIterator[Run]:
    """The process, killed at the end if it has not ended."""
    http_port, log = choose_port(folder / "http.port"), folder / "log"
    environment = {
        **os.environ,
        "LEDGER_DATABASE": database,
        "LEDGER_KAFKA": bootstrap,
        "LEDGER_HTTP_PORT": str(http_port),
    }
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.cli", "run", "quote", env=environment, stdout=output, stderr=output
        )
    try:
        yield Run(process, f"http://127.0.0.1:{http_port}", log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
async def quote_dsn(servers: Servers) -> AsyncIterator[str]:
    """An empty database of the quote service."""
    prefix = f"{PREFIX}_{secrets.token_hex(3)}"
    yield await postgres.provision(servers.postgres, "quote", prefix, PARTITIONS)
    await postgres.drop(servers.postgres, "quote", prefix)


@pytest.mark.parametrize("away", ["PostgreSQL", "Kafka"])
async def test_a_process_that_waits_ends_at_once_when_it_is_told_to(
    servers: Servers, quote_dsn: str, port: int, tmp_path: Path, away: str
) -> None:
    nowhere = f"postgresql://x:y@127.0.0.1:{port}/z"
    database, bootstrap = (nowhere, servers.kafka) if away == "PostgreSQL" else (quote_dsn, f"127.0.0.1:{port}")
    async with running_quote(tmp_path, database, bootstrap) as run:
        assert f"waits for {away}" in (await run.ready())["reason"]
        run.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(END_SECONDS_MAX):
            assert await run.process.wait() == 0, run.log.read_text()


async def test_a_process_that_meets_a_wrong_database_ends_with_the_sentence(
    servers: Servers, quote_dsn: str, tmp_path: Path
) -> None:
    async with running_quote(tmp_path, f"{quote_dsn}_x", servers.kafka) as run:
        async with asyncio.timeout(60):
            assert await run.process.wait() == 1
    assert "is there without the database" in run.log.read_text()
    assert "Traceback" not in run.log.read_text()
