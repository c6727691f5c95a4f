"""`pledger verify` on the running stack: whole, tampered with, and put right again."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.topics import ServiceName
from infra.servers import data_folder
from infra.stack_file import Stack
from services.cli.demo import prepare_market
from services.cli.keys import checkpoints_folder
from services.cli.stack import get
from services.cli.verify import Scope, _jobs_of, _subjects
from services.demo.book import CHANNELS, generate_book
from services.kernel.proof.checkpoint import Checkpoint
from services.kernel.proof.checkpoint_file import checkpoint_path
from services.kernel.proof.signed_note import SignedNote
from services.kernel.proof.verify_jobs import ChainJob, Job, Kind, TopicJob, run_jobs
from tests.support.running import eventually
from tests.support.system import heads, publish_and_settle, superuser_of

pytestmark = pytest.mark.xdist_group("stack")


def _verify(*options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and document of the command."""
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "verify", "--json", *options],
        capture_output=True,
        check=False,
        text=True,
        timeout=200,
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


async def test_a_stack_that_nobody_touched_verifies_and_its_checkpoints_cover_all(stack: Stack, tmp_path: Path) -> None:
    await prepare_market(stack, list(CHANNELS))
    await publish_and_settle(stack, generate_book(orders=60, seed=21).orders)
    code, found = _verify()
    assert (code, found["intact"]) == (0, True), found
    sizes = {service: sum(position for position, _ in own) for service, own in (await heads(stack)).items()}
    assert {service: own["events"] for service, own in found["services"].items()} == sizes
    assert all(not own["not_relayed_yet"] for own in found["services"].values())
    assert all(found["services"][service]["topic_records"] for service in ("quote", "policy", "billing"))

    async def signed() -> bool:
        return all(_latest(stack, service).size == sizes[service] for service in ServiceName)

    await eventually(signed, "all events are signed")
    assert _verify("--chain-only")[1]["services"]["quote"]["events_signed"] == sizes["quote"]
    kept = tmp_path / "kept"
    kept.write_text("".join(_note(stack, service) + "\n" for service in ServiceName))
    assert _verify("--witness", str(kept), "--chain-only")[0] == 0


def _note(stack: Stack, service: str) -> str:
    answer = httpx.get(stack.urls[service].replace("/health/ready", "/checkpoint"), timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.text


def _latest(stack: Stack, service: str) -> Checkpoint:
    return Checkpoint.parse(SignedNote.parse(_note(stack, service)).text)


async def test_an_altered_event_is_named_with_its_place_until_it_is_put_right(stack: Stack) -> None:
    await prepare_market(stack, list(CHANNELS))
    await publish_and_settle(stack, generate_book(orders=30, seed=22).orders)
    async with superuser_of(stack, ServiceName.POLICY) as superuser:
        row = await superuser.fetchrow(
            "select * from log.events where type = 'policy.issued' order by position limit 1"
        )
        assert row is not None
        place = (row["partition"], row["position"])
        change = "update log.events set data = $3 where partition = $1 and position = $2"
        try:
            await superuser.execute(change, *place, row["data"].replace(b'"EUR"', b'"USD"').replace(b'"CNY"', b'"USD"'))
            code, found = _verify("--service", "policy")
        finally:
            await superuser.execute(change, *place, row["data"])
    assert code == 1
    assert list(found["services"]) == ["policy"]
    findings = found["services"]["policy"]["findings"]
    assert {f["what"] for f in findings} == {"altered", "topic and log differ", "read model differs"}
    in_log = [f for f in findings if f["what"] != "read model differs"]
    assert {(f["partition"], f["position"], f["stream"]) for f in in_log} == {(*place, row["stream"])}
    assert _verify("--service", "policy", "--partition", str(place[0]))[0] == 0


async def test_a_checkpoint_file_that_was_tampered_with_is_named(stack: Stack) -> None:
    assert get(stack, ServiceName.CLAIMS, "/status")["checkpoint_number"] > 0
    path = checkpoint_path(checkpoints_folder(data_folder()), ServiceName.CLAIMS)
    content = path.read_bytes()
    try:
        path.write_bytes(content.replace(b"number 1\n", b"number 2\n", 1))
        code, found = _verify("--service", "claims", "--chain-only")
    finally:
        path.write_bytes(content)
    assert code == 1
    assert "unknown key or over another text" in found["services"]["claims"]["findings"][0]["found"]


async def test_worker_processes_find_what_one_process_finds(stack: Stack) -> None:
    subjects = await _subjects(stack, Scope(services=["quote"]), {})
    jobs = _jobs_of(stack, subjects[0])

    def totals(workers: int, own: Sequence[Job]) -> dict[Kind, int]:
        heard: list[int] = []
        outcomes = run_jobs(own, workers, heard.append)
        assert sum(heard) == sum(outcome.checked for outcome in outcomes)
        assert not [outcome.finding for outcome in outcomes if outcome.finding]
        return {kind: sum(o.checked for o in outcomes if o.kind is kind) for kind in Kind}

    alone = await asyncio.to_thread(totals, 1, jobs)
    assert alone[Kind.CHAIN] >= alone[Kind.TOPIC] > 0
    assert await asyncio.to_thread(totals, 2, [_large(job) for job in jobs]) == alone


def _large(job: Job) -> Job:
    """The same job, said to be so large that it is worth a process of its own."""
    if isinstance(job, ChainJob):
        return replace(job, parts=tuple(replace(part, events=part.events + 1_000_000) for part in job.parts))
    assert isinstance(job, TopicJob)
    return replace(job, parts=tuple(replace(part, events=part.events + 1_000_000) for part in job.parts))
