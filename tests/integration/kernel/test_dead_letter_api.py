"""Dead letters by HTTP: found, shown whole, redriven and discarded, with clear answers to what cannot be done."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from services.kernel.messages import FieldFault, Instruction
from services.kernel.process.application import Application
from services.kernel.process.runtime import Kernel
from services.kernel.routing import route
from tests.support.running import Home, eventually
from tests.support.tally import Asked, Count, to

WHO = {"by": "ann", "reason": "the partner mended it"}


@pytest.fixture
async def app(home: Home) -> AsyncIterator[FastAPI]:
    """The service with its HTTP API, running."""
    app = Application(home.definition, APIRouter()).asgi(home.settings())
    async with app.router.lifespan_context(app):
        await eventually(lambda: _started(app), "the service has started")
        yield app


async def _started(app: FastAPI) -> bool:
    kernel: Kernel = app.state.kernel
    return kernel.started


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the API."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tally") as client:
        yield client


@pytest.fixture
async def letter_id(home: Home, app: FastAPI) -> str:
    """An open dead letter on t1, with a count of 5 behind it."""
    kernel: Kernel = app.state.kernel
    await home.publish(replace(home.ask("count", "t1"), value=b"{\xff"), home.ask("count", "t1", amount=5))
    await home.quiet(kernel)
    (letter,) = await home.dead_letters()
    return str(letter["id"])


async def test_it_is_listed_with_what_waits_behind_it(client: httpx.AsyncClient, letter_id: str) -> None:
    (entry,) = (await client.get("/dead-letters")).json()
    assert (entry["id"], entry["state"], entry["reason"]) == (letter_id, "open", "unreadable")
    assert (entry["lane"], entry["bytes"], entry["waiting"], entry["attempts"]) == ("t1", 2, 1, 1)
    assert (await client.get("/dead-letters", params={"state": "discarded"})).json() == []


async def test_it_is_shown_whole(client: httpx.AsyncClient, letter_id: str) -> None:
    shown = (await client.get(f"/dead-letters/{letter_id}")).json()
    assert (b64decode(shown["value_base64"]), shown["text"], shown["key"]) == (b"{\xff", None, "t1")
    assert dict(shown["headers"])["ce_type"] == "foreign.asked"
    assert [one["source"] for one in shown["parked"]] == [shown["source"].rpartition("/")[0] + "/1"]


async def test_it_is_redriven_with_edited_bytes(home: Home, client: httpx.AsyncClient, letter_id: str) -> None:
    edited = b'{"what": "count", "tally": "t1", "amount": 3}'
    body = {**WHO, "value_base64": b64encode(edited).decode()}
    answer = await client.post(f"/dead-letters/{letter_id}/redrive", json=body)
    assert answer.json() == {"state": "redriven", "error": None, "released": 1, "still_parked": 0}
    assert await home.totals() == {"t1": 8}
    shown = (await client.get(f"/dead-letters/{letter_id}")).json()
    assert (shown["edited_text"], shown["settled_by"], shown["parked"]) == (edited.decode(), "ann", [])


async def test_what_fails_again_says_so(client: httpx.AsyncClient, letter_id: str) -> None:
    answer = await client.post(f"/dead-letters/{letter_id}/redrive", json={**WHO, "text": "[]"})
    assert answer.json()["state"] == "open"
    assert "ValidationError" in answer.json()["error"]


async def test_it_is_discarded_once(home: Home, client: httpx.AsyncClient, letter_id: str) -> None:
    assert (await client.post(f"/dead-letters/{letter_id}/discard", json=WHO)).json()["released"] == 1
    assert await home.totals() == {"t1": 5}
    again = await client.post(f"/dead-letters/{letter_id}/discard", json=WHO)
    assert (again.status_code, again.json()["code"]) == (409, "not_open")
    assert again.json()["detail"] == "this dead letter was discarded by ann: the partner mended it"


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("/dead-letters/{id}/discard", {"by": "ann"}, 422, "reason"),
        ("/dead-letters/{id}/discard", {"by": "", "reason": "x"}, 422, "by"),
        ("/dead-letters/{id}/discard", {"by": "a\nb", "reason": "x"}, 422, "by"),
        ("/dead-letters/{id}/discard", {**WHO, "text": "x"}, 422, "text"),
        ("/dead-letters/{id}/redrive", {**WHO, "text": "x", "value_base64": "eA=="}, 422, "not both"),
        ("/dead-letters/{id}/redrive", {**WHO, "value_base64": "?"}, 422, "value_base64"),
        ("/dead-letters/00/redrive", WHO, 404, "no dead letter has the id 00"),
    ],
)
async def test_a_bad_request_is_named_and_changes_nothing(
    home: Home, client: httpx.AsyncClient, letter_id: str, path: str, body: dict[str, str], status: int, word: str
) -> None:
    answer = await client.post(path.format(id=letter_id), json=body)
    assert answer.status_code == status
    assert word in answer.text
    (letter,) = await home.dead_letters()
    assert (letter["state"], letter["attempts"]) == ("open", 1)


async def test_an_answered_letter_shows_the_fields_at_fault_as_its_channel_heard_them(home: Home) -> None:
    faults = (
        FieldFault("invalid_field", "amount", "amount must be above 0"),
        FieldFault("too_late", "", "come earlier"),
    )

    def refuse(event: Asked) -> list[Instruction]:
        return [replace(to(event.tally, Count(event.tally, 1)), dead_letter="invalid_field", faults=faults)]

    definition = replace(home.definition, react=route((Asked, refuse)))
    app = Application(definition, APIRouter()).asgi(home.settings())
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        await eventually(lambda: _started(app), "the service has started")
        await home.publish(home.ask("count", "t1", amount=-1))
        await home.quiet(app.state.kernel)
        (letter,) = (await client.get("/dead-letters")).json()
        shown = (await client.get(f"/dead-letters/{letter['id']}")).json()
    assert (shown["state"], shown["reason"]) == ("answered", "invalid_field")
    assert shown["error"] == "amount must be above 0; come earlier"
    assert shown["faults"] == [fault._asdict() for fault in faults]
