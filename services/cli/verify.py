"""`pledger verify`: proves that logs, topics, checkpoints and read models are right, or names what is wrong first."""

import asyncio
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from contracts.topics import ServiceName, events_topic
from infra.servers import data_folder
from infra.stack_file import Stack
from services.cli.compared import Compared, compared
from services.cli.console import console, progress, table
from services.cli.keys import checkpoints_folder, public_keys_path
from services.cli.stack import DATABASE_PREFIX, running_stack, url
from services.kernel import postgres
from services.kernel.proof import verify_jobs
from services.kernel.proof.finding import Finding, Wrong
from services.kernel.proof.kept_checkpoints import Kept, against_service, notes_of, read_kept
from services.kernel.proof.new_chain import remedy
from services.kernel.proof.signed_note import VerifyingKey, load_public_keys
from services.kernel.proof.verify import genesis_digests, log_sizes
from services.kernel.proof.verify_jobs import ChainJob, ChainPart, Job, Kind, Outcome, TopicJob, TopicPart
from services.kernel.publishing.topic_ends import committed_ends

_STATUS_SECONDS_MAX = 10


@dataclass(frozen=True, slots=True)
class Scope:
    """What is verified: these services and partitions (all where none is named), with how many processes."""

    services: Sequence[str] = tuple(ServiceName)
    partitions: Sequence[int] = ()
    workers: int = 1
    chain_only: bool = False
    witnessed: Sequence[str] = ()

    def has(self, partition: int) -> bool:
        """Whether the partition is wanted."""
        return not self.partitions or partition in self.partitions


@dataclass(slots=True)
class Subject:
    """One service as it is found: log, topic, checkpoints and what its process says."""

    service: str
    sizes: Mapping[int, int]
    kept: Kept
    ends: Mapping[int, int]
    status: Mapping[str, Any] | None
    findings: list[Finding] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    compared: Compared = field(default_factory=Compared)

    def checked(self, kind: Kind) -> int:
        """How many events or records were found right."""
        return sum(outcome.checked for outcome in self.outcomes if outcome.kind is kind)

    @property
    def waiting(self) -> int:
        """Public events that are not on the topic yet."""
        return sum(outcome.waiting for outcome in self.outcomes)

    @property
    def all_findings(self) -> list[Finding]:
        """Everything that is wrong, by partition and position."""
        found = [*self.findings, *(outcome.finding for outcome in self.outcomes if outcome.finding)]
        found += self.compared.findings
        return sorted(found, key=lambda finding: (finding.partition, finding.position))


def verify(
    service: Annotated[list[ServiceName] | None, typer.Option(help="Only this service; may be repeated.")] = None,
    partition: Annotated[list[int] | None, typer.Option(help="Only this partition; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as cores unless given.")] = None,
    chain_only: Annotated[
        bool, typer.Option("--chain-only", help="Logs and checkpoints, neither topics nor read models.")
    ] = False,
    witness: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Checkpoints that somebody else has kept.")
    ] = None,
) -> None:
    """Verify hash chains, signed checkpoints, topics and read models; exit code 1 and a table of what is wrong."""
    scope = Scope(
        services=tuple(service or ServiceName),
        partitions=tuple(partition or ()),
        workers=workers or os.cpu_count() or 1,
        chain_only=chain_only,
        witnessed=tuple(notes_of(witness)) if witness else (),
    )
    started = time.monotonic()
    subjects = examine(running_stack(), scope, silent=as_json)
    seconds = time.monotonic() - started
    if as_json:
        print(json.dumps(_document(subjects, seconds), indent=2))
    else:
        show(subjects, seconds)
    if any(subject.all_findings for subject in subjects):
        raise typer.Exit(1)


def verified(stack: Stack) -> bool:
    """Verify everything and print the result; whether everything is right."""
    started = time.monotonic()
    subjects = examine(stack, Scope(workers=os.cpu_count() or 1))
    show(subjects, time.monotonic() - started)
    return not any(subject.all_findings for subject in subjects)


def examine(stack: Stack, scope: Scope, *, silent: bool = False) -> list[Subject]:
    """Do all checks with one progress bar, unless `silent`."""
    keys_path = public_keys_path(data_folder())
    keys = load_public_keys(keys_path) if keys_path.exists() else {}
    subjects = asyncio.run(_subjects(stack, scope, keys))
    jobs = [job for subject in subjects for job in _jobs_of(stack, subject)]
    bars = progress()
    bars.disable = silent
    with bars:
        bar = bars.add_task("verifying", total=sum(2 * sum(subject.sizes.values()) for subject in subjects), rate="")
        started, done = time.monotonic(), 0

        def report(more: int) -> None:
            nonlocal done
            done += more
            bars.update(bar, completed=done, rate=f"{done / max(time.monotonic() - started, 0.001):,.0f}/s")

        outcomes = verify_jobs.run_jobs(jobs, scope.workers, report)
        # How many events are public shows only as they are read.
        bars.update(bar, total=done, completed=done)
    for subject in subjects:
        subject.outcomes = [outcome for outcome in outcomes if outcome.service == subject.service]
        if not scope.chain_only:
            subject.compared = asyncio.run(compared(stack, subject.service, scope.partitions, scope.workers))
    return subjects


async def _subjects(stack: Stack, scope: Scope, keys: Mapping[str, list[VerifyingKey]]) -> list[Subject]:
    return [await _subject(stack, scope, service, keys) for service in scope.services]


async def _subject(stack: Stack, scope: Scope, service: str, keys: Mapping[str, list[VerifyingKey]]) -> Subject:
    # In this order: what the relay has passed is on the topic, and what is on the topic is in the log.
    status = await _status(stack, service)
    ends = {} if scope.chain_only else await committed_ends(stack.kafka, events_topic(service))
    kept = read_kept(checkpoints_folder(data_folder()), service, keys, scope.witnessed)
    connection = await postgres.connect(postgres.service_dsn(stack.postgres, service, DATABASE_PREFIX))
    try:
        sizes = {p: size for p, size in (await log_sizes(connection)).items() if scope.has(p)}
        findings = [*kept.findings, *against_service(kept, await genesis_digests(connection), status)]
    finally:
        await connection.close()
    if not scope.chain_only and set(ends) != set(sizes) and not scope.partitions:
        found = f"{len(ends)} partitions"
        findings.append(Finding(-1, 0, Wrong.TOPIC_MISSING, f"{events_topic(service)}, {len(sizes)} partitions", found))
    return Subject(service, sizes, kept, ends, status, findings)


async def _status(stack: Stack, service: str) -> Mapping[str, Any] | None:
    """The /status document, None where the service does not answer."""
    try:
        async with httpx.AsyncClient(timeout=_STATUS_SECONDS_MAX) as client:
            answer = await client.get(f"{url(stack, service)}/status")
            found: dict[str, Any] = answer.raise_for_status().json()
            return found
    except httpx.HTTPError:
        return None


def _jobs_of(stack: Stack, subject: Subject) -> list[Job]:
    """All that is to be done for a service. A further kind of check is a further kind of job, added here."""
    database = postgres.service_dsn(stack.postgres, subject.service, DATABASE_PREFIX)
    chains = (ChainPart(p, size, tuple(subject.kept.signed.get(p, ()))) for p, size in subject.sizes.items())
    topics = (
        TopicPart(p, size, subject.ends[p], _relayed(subject.status, p, size))
        for p, size in subject.sizes.items()
        if p in subject.ends
    )
    application = f"services.{subject.service}.app:application"
    return [
        *(ChainJob(subject.service, database, parts) for parts in verify_jobs.grouped(chains)),
        *(
            TopicJob(subject.service, database, stack.kafka, application, parts)
            for parts in verify_jobs.grouped(topics)
        ),
    ]


def _relayed(status: Mapping[str, Any] | None, partition: int, size: int) -> int | None:
    """Up to where the topic must have everything: all of it if no process is there that would still send."""
    if status is None:
        return size
    if status["relay"] == "standby":
        return None
    relayed: int = status["relayed"][partition]
    return relayed


def show(subjects: Sequence[Subject], seconds: float) -> None:
    """What was checked, and what is wrong."""
    events, records = (sum(s.checked(kind) for s in subjects) for kind in Kind)
    rows = [
        (
            s.service,
            s.checked(Kind.CHAIN),
            s.checked(Kind.TOPIC),
            s.waiting,
            s.compared.rows,
            len(s.kept.checkpoints),
            s.kept.checkpoints[-1].size if s.kept.checkpoints else 0,
            _verdict(s),
        )
        for s in subjects
    ]
    columns = (
        "service",
        "events",
        "topic records",
        "not relayed yet",
        "read model rows",
        "checkpoints",
        "signed",
        "verdict",
    )
    title = f"Verified in {seconds:.1f} s: {(events + records) / max(seconds, 0.001):,.0f} events and records/s"
    console.print(table(title, *columns, rows=rows))
    for s in subjects:
        for note in s.compared.notes:
            console.print(note, highlight=False)
        if s.kept.unfinished_bytes:
            console.print(
                f"{s.service}: the last {s.kept.unfinished_bytes} bytes of its checkpoints are an unfinished one,"
                " left by a process that was killed; the next signature replaces them.",
                highlight=False,
            )
    show_findings(subjects)


def _verdict(subject: Subject) -> str:
    count = len(subject.all_findings)
    return "intact" if not count else f"{count} finding{'s' if count > 1 else ''}"


def show_findings(subjects: Sequence[Subject]) -> None:
    """The table of what is wrong, and statements that show it."""
    found = [(subject.service, finding) for subject in subjects for finding in subject.all_findings]
    if not found:
        return
    rows = [(service, _place(f.partition), f.position, f.what.value, f.expected, f.found) for service, f in found]
    console.print()
    console.print(
        table(
            "What is wrong, the first of each partition",
            *("service", "partition", "position", "what", "expected", "found"),
            rows=rows,
        )
    )
    for service, finding in found:
        if finding.stream:
            console.print(f"{service} {finding.partition}/{finding.position} is in {finding.stream}", highlight=False)
        if finding.show:
            database = postgres.database_name(service, DATABASE_PREFIX)
            console.print(f"{database}=# {finding.show};", highlight=False, soft_wrap=True)
    for subject in subjects:
        if sentence := remedy(subject.service, subject.all_findings):
            console.print(sentence, highlight=False)


def _place(partition: int) -> str:
    return str(partition) if partition >= 0 else "all"


def _document(subjects: Sequence[Subject], seconds: float) -> dict[str, Any]:
    return {
        "intact": not any(subject.all_findings for subject in subjects),
        "seconds": round(seconds, 3),
        "services": {
            s.service: {
                "events": s.checked(Kind.CHAIN),
                "topic_records": s.checked(Kind.TOPIC),
                "not_relayed_yet": s.waiting,
                "read_model_rows": s.compared.rows,
                "not_compared": s.compared.notes,
                "checkpoints": len(s.kept.checkpoints),
                "events_signed": s.kept.checkpoints[-1].size if s.kept.checkpoints else 0,
                "signing": s.status["checkpoint"] if s.status else "the service does not answer",
                "findings": [{**asdict(f), "show": f.show} for f in s.all_findings],
                "remedy": remedy(s.service, s.all_findings),
            }
            for s in subjects
        },
    }
