"""`pledger up | down | status | run`: the whole stack on one machine."""

import asyncio
import contextlib
import importlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from contracts.topics import PARTITIONS_DEFAULT, ServiceName, service_topics
from infra.detached import start_detached, stop_stack, supervisor_log
from infra.errors import ServerFailed
from infra.local.ports import choose_port
from infra.servers import Servers, data_folder
from infra.stack import Child, run_stack
from infra.stack_file import Stack, current_stack
from services.cli.archive import archiver
from services.cli.console import Failure, console, table
from services.cli.keys import checkpoints_folder, ensure_keys, key_path
from services.kernel import kafka, postgres
from services.kernel.settings import ServiceSettings

DATABASE_PREFIX = "ledger"
_POLL_SECONDS = 0.1
_START_SECONDS_MAX = 600.0


def run(service: Annotated[ServiceName, typer.Argument(help="The service to run.")]) -> None:
    """Run one service in the foreground, with its settings in LEDGER_* variables."""
    application = importlib.import_module(f"services.{service}.app").application
    application.run(ServiceSettings())


def up(
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, and stop everything on Ctrl-C.")] = False,
    stay_pipe: Annotated[int | None, typer.Option("--stay-pipe", hidden=True)] = None,
) -> None:
    """Start Kafka, PostgreSQL and the four services; later starts take seconds."""
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    if foreground or stay_pipe is not None:
        run_stack(children, folder, stay_pipe, prepare=prepare, report=_say)
        return
    with stack_for_a_job(keep=True) as running:
        show_addresses(running)


def down() -> None:
    """Stop what `up` or `demo` started for this checkout. The data stays."""
    stopped = stop_stack(data_folder(), console.print)
    console.print("Stopped; the data stays." if stopped else "Nothing of this checkout is running.")


def status() -> None:
    """How far each service is: log, relay, read models, inbox."""
    running = running_stack()
    rows, stopped = [], []
    for service in ServiceName:
        found = service_status(running, service)
        stopped += [f"{service}: {reason}" for reason in found["stopped_because"]]
        stopped += [f"{service}: {sentence}" for sentence in found["projection_stopped"]]
        head = sum(found["heads"])
        relayed, projected = head - sum(found["relayed"]), head - sum(found["projected"])
        waiting = (found["dead_letters_open"], found["parked"])
        rows.append((service, head, relayed, projected, *waiting, _relay(found), url(running, service)))
    console.print(
        table(
            "Services",
            "service",
            "events",
            "relay lag",
            "projection lag",
            "open dead letters",
            "parked",
            "relay",
            "address",
            rows=rows,
        )
    )
    for reason in stopped:
        console.print(f"[red]{reason}[/red]", highlight=False)
    if stopped:
        console.print("`pledger doctor` says what to do.")


def _relay(found: dict[str, Any]) -> str:
    return found["relay"] if found["relay"] in {"working", "standby"} else "stopped"


def _say(text: str) -> None:
    # The supervisor's output goes to a log that another process follows, so it must not wait in a buffer.
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def prepare(servers: Servers) -> None:
    """Make databases, roles, tables and topics where they are missing."""
    asyncio.run(_prepare(servers))


async def _prepare(servers: Servers) -> None:
    for service in ServiceName:
        await postgres.provision(servers.postgres, service, DATABASE_PREFIX, PARTITIONS_DEFAULT)
    await kafka.ensure_topics(servers.kafka, service_topics(), PARTITIONS_DEFAULT)


def children(servers: Servers) -> list[Child]:
    """The four services, each with its own key and the address of its own database only, and what archives WAL."""
    ensure_keys(data_folder())
    return [*(_child(service, servers) for service in ServiceName), *archiver(servers)]


def _child(service: str, servers: Servers) -> Child:
    port = choose_port(data_folder() / f"{service}.port")
    return Child(
        name=service,
        argv=(sys.executable, "-m", "services.cli", "run", service),
        env={
            "LEDGER_DATABASE": postgres.service_dsn(servers.postgres, service, DATABASE_PREFIX),
            "LEDGER_KAFKA": servers.kafka,
            "LEDGER_HTTP_PORT": str(port),
            "LEDGER_CHECKPOINTS_FOLDER": str(checkpoints_folder(data_folder())),
            "LEDGER_SIGNING_KEY": str(key_path(data_folder(), service)),
            # A service never sees the administrator's address.
            "LEDGER_POSTGRES": "",
        },
        ready_url=f"http://127.0.0.1:{port}/health/ready",
    )


@contextlib.contextmanager
def stack_for_a_job(*, keep: bool) -> Iterator[Stack]:
    """The running stack, started if there is none.

    A stack that was started here ends with the caller, however that ends, unless the job succeeded and `keep`.
    """
    folder = data_folder()
    found = current_stack(folder)
    if found is not None:
        yield found
        return
    argv = [sys.executable, "-m", "services.cli", "up"]
    with start_detached(argv, folder) as started:
        with _following(supervisor_log(folder)):
            try:
                stack = started.wait_until_ready(_START_SECONDS_MAX)
            except ServerFailed as failed:
                raise Failure(str(failed)) from failed
        yield stack
        if keep:
            started.stay()


@contextlib.contextmanager
def _following(log: Path) -> Iterator[None]:
    """Show the supervisor's sentences while it starts."""
    shown = 0

    def show() -> None:
        nonlocal shown
        lines = log.read_text().splitlines() if log.exists() else []
        for line in lines[shown:]:
            console.print(f"  {line}", highlight=False)
        shown = len(lines)

    import threading

    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(_POLL_SECONDS):
            show()

    follower = threading.Thread(target=follow, daemon=True)
    console.print("Starting Kafka, PostgreSQL and the services ...")
    started = time.monotonic()
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join()
        show()
    console.print(f"Everything is up ({time.monotonic() - started:.1f} s).")


def running_stack() -> Stack:
    """The stack of this checkout. Fails with a sentence where none runs."""
    found = current_stack(data_folder())
    if found is None:
        raise Failure("Nothing of this checkout is running; start it with `pledger up`.")
    return found


def url(stack: Stack, service: str) -> str:
    """Base address of a service's HTTP API."""
    return stack.urls[service].removesuffix("/health/ready")


def get(stack: Stack, service: str, path: str, **parameters: Any) -> Any:
    """JSON of a GET request. Fails with the problem's sentence."""
    try:
        answer = httpx.get(f"{url(stack, service)}{path}", params=parameters, timeout=30)
    except httpx.HTTPError as error:
        raise Failure(f"{service} does not answer at {url(stack, service)}: {error}") from error
    return answered(answer)


def answered(answer: httpx.Response) -> Any:
    """The JSON of an answer. Fails with the problem's sentences."""
    body = answer.json() if answer.headers.get("content-type", "").endswith("json") else {}
    if answer.is_success:
        return body
    faults = "".join(f"\n  {fault.get('path')}: {fault.get('message')}" for fault in body.get("faults", []))
    raise Failure(f"{body.get('title', answer.status_code)}: {body.get('detail', answer.text[:200])}{faults}")


def service_status(stack: Stack, service: str) -> dict[str, Any]:
    """The /status document of a service."""
    found: dict[str, Any] = get(stack, service, "/status")
    return found


def show_addresses(stack: Stack) -> None:
    """Where to look."""
    rows = [(name, f"{url(stack, name)}/docs", f"{url(stack, name)}/metrics") for name in stack.urls]
    console.print(table("Services", "service", "HTTP API", "metrics", rows=rows))
    console.print(f"Kafka {stack.kafka}   PostgreSQL {stack.postgres}", highlight=False)
