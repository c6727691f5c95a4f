"""A running service signs its log: when, who of several, what it refuses, and what that shows of a rewritten log."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from contracts.topics import lane_of
from services.kernel.log import event_log
from services.kernel.log.chain import next_digest
from services.kernel.log.event_log import StoredEvent
from services.kernel.process.http import install_problems, operations
from services.kernel.process.runtime import Kernel
from services.kernel.proof.checkpoint import Checkpoint, origin_of
from services.kernel.proof.checkpoint_file import check, checkpoint_path
from services.kernel.proof.finding import Wrong
from services.kernel.proof.kept_checkpoints import read_kept
from services.kernel.proof.signed_note import SignedNote, SigningKey, WrongKey, create_key
from services.kernel.proof.verify import verify_log
from tests.support.running import PARTITIONS, Home, end_relay, eventually
from tests.support.tally import Count, to

PARTITION = lane_of("t1", PARTITIONS)
NEVER = 3600.0


@pytest.fixture
def key(home: Home, tmp_path: Path) -> SigningKey:
    """The key of the home's service, in `key.pem`."""
    return create_key(tmp_path / "key.pem", origin_of(home.definition.name))


@asynccontextmanager
async def _signing(
    home: Home, folder: Path, seconds: float = NEVER, events: int = 1_000_000, in_charge: bool = True
) -> AsyncIterator[Kernel]:
    """The running service, which signs into the folder; without sources, so that replicas need no group."""
    settings = home.settings().model_copy(
        update={
            "checkpoints_folder": folder,
            "signing_key": folder / "key.pem",
            "checkpoint_seconds": seconds,
            "checkpoint_events": events,
        }
    )
    kernel = Kernel(replace(home.definition, sources=()), settings)
    await kernel.start()
    try:
        if in_charge:
            await eventually(lambda: _signed(kernel), "the service has signed its log, or seen that it is signed")
        yield kernel
    finally:
        await kernel.stop()


async def _signed(kernel: Kernel) -> bool:
    return kernel.signer.number > 0


async def _count(home: Home, kernel: Kernel, times: int) -> None:
    for amount in range(times):
        await home.execute(kernel, to("t1", Count("t1", amount)))


def _checkpoints(home: Home, folder: Path, key: SigningKey) -> list[Checkpoint]:
    name = home.definition.name
    checked = check(checkpoint_path(folder, name).read_bytes(), name, [key.public])
    assert (checked.findings, checked.unfinished_bytes) == ((), 0)
    return list(checked.checkpoints)


async def test_a_service_signs_when_it_starts_and_what_is_new_when_it_stops(
    home: Home, tmp_path: Path, key: SigningKey
) -> None:
    async with _signing(home, tmp_path) as kernel:
        await _count(home, kernel, 5)
    first, last = _checkpoints(home, tmp_path, key)
    assert (first.size, dict(last.heads)) == (0, await home.heads())
    async with _signing(home, tmp_path):
        pass
    assert len(_checkpoints(home, tmp_path, key)) == 2


async def test_so_many_events_or_seconds_bring_a_checkpoint(home: Home, tmp_path: Path, key: SigningKey) -> None:
    async with _signing(home, tmp_path, events=4) as kernel:

        async def size(wanted: int) -> bool:
            return _checkpoints(home, tmp_path, key)[-1].size == wanted

        assert await size(0)
        await _count(home, kernel, 4)
        await eventually(lambda: size(4), "four events are signed")
    async with _signing(home, tmp_path, seconds=0.1) as kernel:
        await _count(home, kernel, 1)
        await eventually(lambda: size(5), "one event is signed after a while")


async def test_of_two_replicas_the_one_whose_relay_works_signs_and_there_is_one_chain(
    home: Home, tmp_path: Path, key: SigningKey
) -> None:
    standby = _signing(home, tmp_path, seconds=0.1, in_charge=False)
    async with _signing(home, tmp_path, seconds=0.1) as one, standby as other:
        await _count(home, one, 3)
        assert (one.relay.working, other.relay.working) == (True, False)
        assert other.signer.status == "standby"
        await end_relay(one)
        await eventually(lambda: _works(other), "the other relay works")
        await _count(home, other, 3)
        await one.signer.sign()
        await other.signer.sign()
        assert other.signer.latest() == one.signer.latest()
    assert _checkpoints(home, tmp_path, key)[-1].size == 6


async def _works(kernel: Kernel) -> bool:
    return kernel.relay.working


async def _forge(home: Home, keep: int) -> None:
    """Leave `keep` events, give the third other content, and compute all digests and the head anew."""
    async with home.superuser() as superuser, superuser.transaction():
        events = (await event_log.read(superuser, PARTITION, 0, 100))[:keep]
        digest = await superuser.fetchval("select digest from log.genesis where partition = $1", PARTITION)
        written = []
        for event in events:
            link = event.link._replace(data=event.link.data.replace(b'"amount":2', b'"amount":9'))
            digest = next_digest(digest, link)
            written.append(StoredEvent(link, digest))
        await superuser.execute("delete from log.events where partition = $1", PARTITION)
        await event_log.append(superuser, {PARTITION: written})


async def test_a_rewritten_log_verifies_without_its_checkpoints_and_not_with_them(
    home: Home, tmp_path: Path, key: SigningKey
) -> None:
    async with _signing(home, tmp_path) as kernel:
        await _count(home, kernel, 5)
    kept = read_kept(tmp_path, home.definition.name, {key.name: [key.public]})
    async with home.superuser() as superuser:
        assert (await verify_log(superuser, None, kept.signed)).findings == ()
    await _forge(home, keep=5)
    async with home.superuser() as superuser:
        assert (await verify_log(superuser)).findings == ()
        (finding,) = (await verify_log(superuser, None, kept.signed)).findings
    assert (finding.partition, finding.position, finding.what) == (PARTITION, 5, Wrong.REWRITTEN)
    await _forge(home, keep=4)
    async with home.superuser() as superuser:
        (finding,) = (await verify_log(superuser, None, kept.signed)).findings
    assert (finding.partition, finding.position, finding.what) == (PARTITION, 5, Wrong.CUT)


@pytest.mark.parametrize(("keep", "says"), [(5, "had digest"), (3, "was at 5 and is at 3")])
async def test_a_service_does_not_sign_a_log_that_does_not_follow_from_what_it_signed(
    home: Home, tmp_path: Path, key: SigningKey, keep: int, says: str
) -> None:
    async with _signing(home, tmp_path) as kernel:
        await _count(home, kernel, 5)
        await kernel.signer.sign()
        await _forge(home, keep)
        assert await kernel.signer.sign() is None
        assert says in kernel.signer.status
        assert (await kernel.status())["checkpoint"].startswith("stopped: partition")
    assert _checkpoints(home, tmp_path, key)[-1].size == 5


async def test_a_service_does_not_sign_events_that_break_the_chain(home: Home, tmp_path: Path, key: SigningKey) -> None:
    async with _signing(home, tmp_path) as kernel:
        await _count(home, kernel, 5)
        async with home.superuser() as superuser:
            await superuser.execute(
                "update log.events set data = '{}' where partition = $1 and position = 4", PARTITION
            )
        assert await kernel.signer.sign() is None
        assert kernel.signer.stopped_because == f"the chain of partition {PARTITION} breaks behind position 3"


async def test_a_service_stops_signing_when_its_file_has_lost_a_checkpoint(
    home: Home, tmp_path: Path, key: SigningKey
) -> None:
    async with _signing(home, tmp_path) as kernel:
        checkpoint_path(tmp_path, home.definition.name).unlink()
        await _count(home, kernel, 1)
        assert await kernel.signer.sign() is None
        assert "has lost checkpoint 1" in kernel.signer.status


async def _http(kernel: Kernel) -> httpx.Response:
    app = FastAPI()
    app.state.kernel = kernel
    app.include_router(operations)
    install_problems(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service") as client:
        return await client.get("/checkpoint")


async def test_the_latest_checkpoint_is_read_by_http(home: Home, tmp_path: Path, key: SigningKey) -> None:
    async with _signing(home, tmp_path) as kernel:
        await _count(home, kernel, 2)
        made = await kernel.signer.sign()
        answer = await _http(kernel)
    assert made is not None
    note = SignedNote.parse(answer.text)
    assert (answer.status_code, note.text) == (200, made.text)
    assert note.signed_by([key.public]) == [key.public]


async def test_a_service_without_a_key_runs_and_says_so(home: Home) -> None:
    async with home.kernel() as kernel:
        await _count(home, kernel, 1)
        assert (await kernel.status())["checkpoint"].startswith("off: no signing key")
        answer = await _http(kernel)
    assert answer.status_code == 404
    assert "no signing key" in answer.json()["detail"]


async def test_a_service_does_not_start_with_a_key_that_others_may_read(
    home: Home, tmp_path: Path, key: SigningKey
) -> None:
    (tmp_path / "key.pem").chmod(0o644)
    with pytest.raises(WrongKey, match="chmod 600"):
        async with _signing(home, tmp_path):
            pass
