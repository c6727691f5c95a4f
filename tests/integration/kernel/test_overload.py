"""More requests at once than a service can take: so many wait, the others hear so at once, and nothing locks up."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request

from contracts.topics import lane_of
from services.kernel import read_models
from services.kernel.commands.idempotent import CommandResult
from services.kernel.messages import Delivery
from services.kernel.process import runtime
from services.kernel.process.application import Application
from services.kernel.process.http import HistoryEntry, IdempotencyKey, kernel_of
from services.kernel.process.runtime import BeforeBatch, Kernel
from services.kernel.read_models import ReadModels
from tests.support.running import PARTITIONS, WAIT_SECONDS_MAX, Home, eventually
from tests.support.tally import Count, to

WAITING_MAX = 40
ASKED = 200

router = APIRouter()


@router.post("/tallies/{tally}/count")
async def count(tally: str, request: Request, idempotency_key: IdempotencyKey) -> CommandResult:
    return await kernel_of(request).execute(to(tally, Count(tally, 1)), idempotency_key)


@router.get("/tallies/{tally}/history")
async def history(tally: str, request: Request) -> list[HistoryEntry]:
    return await kernel_of(request).history(tally, f"tally-{tally}")


@router.get("/slow")
async def slow(request: Request) -> str:
    """Waits for a lock that the test holds."""
    await kernel_of(request).read.row("select pg_advisory_xact_lock_shared(7)")
    return "read"


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits, waits as long as the test takes, however slow the machine is."""
    monkeypatch.setattr(runtime, "_COMMAND_SECONDS_MAX", WAIT_SECONDS_MAX)
    monkeypatch.setattr(read_models, "CONNECTION_SECONDS_MAX", WAIT_SECONDS_MAX)
    monkeypatch.setattr(read_models, "READ_SECONDS_MAX", WAIT_SECONDS_MAX)


@asynccontextmanager
async def served(
    home: Home, before_batch: BeforeBatch | None = None
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    settings = home.settings().model_copy(
        update={"commands_waiting_max": WAITING_MAX, "reads_waiting_max": WAITING_MAX}
    )
    app = Application(home.definition, router, before_batch).asgi(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tally") as client,
    ):
        # It answers requests before it has reached its servers.
        await eventually(lambda: _started(app), "the service has started")
        yield app, client


async def _started(app: FastAPI) -> bool:
    kernel: Kernel = app.state.kernel
    return kernel.started


@asynccontextmanager
async def all_heads_locked(home: Home) -> AsyncIterator[None]:
    async with home.superuser() as superuser, superuser.transaction():
        await superuser.execute("select 1 from log.log_head for update")
        yield


def _sample(app: FastAPI, kind: str) -> int:
    registry = app.state.kernel.metrics.registry
    label = {"service": app.state.kernel.definition.name}
    return int(registry.get_sample_value(f"ledger_{kind}_turned_away_total", label) or 0)


async def _count(client: httpx.AsyncClient, numbers: Iterable[int]) -> dict[int, httpx.Response]:
    """Count on t1 once for each number, which is the command's id; the answer to each."""
    asked = {n: client.post("/tallies/t1/count", headers={"Idempotency-Key": f"c-{n}"}) for n in numbers}
    return dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))


async def test_of_two_hundred_slow_commands_so_many_wait_and_the_others_may_come_again(home: Home) -> None:
    async with served(home) as (app, client):
        async with all_heads_locked(home):
            asked = asyncio.create_task(_count(client, range(ASKED)))
            await eventually(lambda: _turned_away(app, "commands"), "all but those that wait are turned away")
            await home.publish(home.ask("count", "t1", amount=1000))
            assert (await client.get("/health/live")).status_code == 200
        answers = (await asked).values()
        assert Counter(answer.status_code for answer in answers) == {200: WAITING_MAX, 503: ASKED - WAITING_MAX}
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.headers["Retry-After"] == "1"
        assert refused.json()["detail"] == f"{WAITING_MAX} commands wait already; nothing was done, send it again"
        left = set(range(ASKED))
        while left:
            left -= {n for n, answer in (await _count(client, sorted(left))).items() if answer.status_code == 200}
        await home.quiet(app.state.kernel)
    assert await home.totals() == {"t1": 1000 + ASKED}


async def _turned_away(app: FastAPI, kind: str) -> bool:
    return _sample(app, kind) == ASKED - WAITING_MAX


async def test_slow_reads_are_bounded_and_hold_up_neither_commands_nor_the_inbox(home: Home) -> None:
    async def asks_first(read: ReadModels, deliveries: Sequence[Delivery]) -> None:
        await read.row("select 1")

    async with served(home, asks_first) as (app, client), home.superuser() as superuser:
        async with superuser.transaction():
            await superuser.execute("select pg_advisory_xact_lock(7)")
            reads = asyncio.create_task(_read(client))
            await eventually(lambda: _turned_away(app, "reads"), "all but those that wait are turned away")
            (done,) = await asyncio.gather(client.post("/tallies/t1/count", headers={"Idempotency-Key": "c"}))
            assert done.status_code == 200
            await home.publish(home.ask("count", "t1", amount=1000))
            await eventually(lambda: _has(home, 1001), "the inbox goes on")
            assert not reads.done()
        assert Counter(answer.status_code for answer in await reads) == {200: WAITING_MAX, 503: ASKED - WAITING_MAX}
        # The history of a stream comes in by the same door, and not over the connections of the log.
        app.state.kernel._reads.inside = WAITING_MAX
        assert (await client.get("/tallies/t1/history")).status_code == 503
        app.state.kernel._reads.inside = 0
        assert len((await client.get("/tallies/t1/history")).json()) == 2


async def _read(client: httpx.AsyncClient) -> list[httpx.Response]:
    return list(await asyncio.gather(*(client.get("/slow") for _ in range(ASKED))))


async def _has(home: Home, total: int) -> bool:
    return (await home.totals()).get("t1") == total


async def test_a_command_that_waits_too_long_is_answered_and_not_carried_out_afterwards(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "_COMMAND_SECONDS_MAX", 1.0)
    async with served(home) as (app, client):
        kernel: Kernel = app.state.kernel
        async with all_heads_locked(home):
            first = asyncio.create_task(client.post("/tallies/t1/count", headers={"Idempotency-Key": "first"}))
            await eventually(lambda: _waits_for_a_head(home), "the first command is under way")
            later = await client.post("/tallies/t2/count", headers={"Idempotency-Key": "later"})
            assert (later.status_code, later.headers["Retry-After"]) == (503, "2")
            assert (await first).status_code == 503
            assert not kernel.handler._waiting
        again = await client.post("/tallies/t1/count", headers={"Idempotency-Key": "first"})
        assert again.status_code == 200
        await home.quiet(kernel)
    # The first one was under way when it was given up; it had its effect, once. The later one was not.
    assert await home.totals() == {"t1": 1}


async def _waits_for_a_head(home: Home) -> bool:
    async with home.superuser() as superuser:
        return bool(
            await superuser.fetchval(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            )
        )


async def test_an_answer_that_the_database_owes_is_no_internal_error(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is not raised behind the answer, where each one would be logged with its stack."""

    async def away(*arguments: object) -> None:
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    async with served(home) as (app, client):
        monkeypatch.setattr(app.state.kernel.read, "row", away)
        answer = await client.get("/slow")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "Idempotency-Key" in answer.json()["detail"]


def test_the_tallies_of_these_tests_lie_where_they_must() -> None:
    assert lane_of("t1", PARTITIONS) != lane_of("t2", PARTITIONS)
