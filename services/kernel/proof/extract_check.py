"""Checks an extract of a log with public keys alone: what is wrong first, and by what each event is proved."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.kernel.log.chain import Link, next_digest, next_digest_of_hashes
from services.kernel.proof.checkpoint import Checkpoint, origin_of
from services.kernel.proof.extract import Extract, ExtractedEvent, ExtractedLink, Run, root_of, stream_lines
from services.kernel.proof.finding import Finding, Wrong, short
from services.kernel.proof.signed_note import SignedNote, VerifyingKey


@dataclass(frozen=True, slots=True)
class CheckedExtract:
    """`findings` in the order of the log; `proved_by` names the checkpoint of each event that one proves.

    `complete` says that the service has signed that these are all events.
    """

    findings: tuple[Finding, ...]
    proved_by: dict[tuple[int, int], str]
    complete: bool


def check_extract(extract: Extract, keys: Sequence[VerifyingKey]) -> CheckedExtract:
    """Recompute every digest and check every signature. Keys of other names are not looked at."""
    own = [key for key in keys if key.name == origin_of(extract.service)]
    findings: list[Finding] = [*_digests(extract.events), *_order(extract.events), *_versions(extract)]
    proved: dict[tuple[int, int], str] = {}
    # Without a key nothing can be said about signatures: such events are not proved, and nothing is wrong with them.
    for run in extract.runs if own else ():
        try:
            finding, label = _run(extract, run, own)
        except (ValueError, OverflowError, struct.error) as error:
            finding = Finding(run.partition, run.position + 1, Wrong.UNREADABLE, "links of a chain", str(error))
            label = ""
        findings += [finding] if finding else []
        if finding is None:
            last = run.position + len(run.links)
            proved |= {
                (event.partition, event.position): label
                for event in extract.events
                if event.partition == run.partition and run.position < event.position <= last
            }
    complete = False
    if extract.statement is not None and own:
        wrong = _statement(extract, extract.statement, own)
        complete = wrong is None
        # What is wrong with events is wrong with the whole as well, which need not be said again.
        findings += [wrong] if wrong and not findings else []
    # A stable sort: what is wrong with an event itself comes before what a run or the statement says of its place.
    return CheckedExtract(tuple(sorted(findings, key=_place)), proved, complete)


def _place(finding: Finding) -> tuple[bool, int, int]:
    return (finding.partition < 0, finding.partition, finding.position)


def _digests(events: Sequence[ExtractedEvent]) -> Iterator[Finding]:
    for event in events:
        try:
            computed = next_digest(bytes.fromhex(event.before), event.link).hex()
        except (ValueError, OverflowError, struct.error) as error:
            # A number, or a text, that no event can have.
            computed = f"none: {error}"
        if computed != event.digest:
            expected = f"content that gives {event.digest[:16]}"
            yield _finding(event, Wrong.ALTERED, expected, f"content that gives {computed[:16]}")


def _order(events: Sequence[ExtractedEvent]) -> Iterator[Finding]:
    for before, event in pairwise(events):
        if (event.partition, event.position) <= (before.partition, before.position):
            expected = f"an event behind {before.partition}/{before.position}"
            yield _finding(event, Wrong.REORDERED, expected, f"{event.partition}/{event.position}")
        elif event.before != before.digest and (event.partition, event.position - 1) == (
            before.partition,
            before.position,
        ):
            yield _finding(event, Wrong.ALTERED, f"{before.digest[:16]} before it", event.before[:16])


def _versions(extract: Extract) -> Iterator[Finding]:
    last: dict[tuple[int, str], int] = {}
    for event in sorted(extract.events, key=lambda one: (one.partition, one.position)):
        if event.stream in extract.partial:
            continue
        wanted = last.get((event.partition, event.stream), 0) + 1
        if event.version > wanted:
            missing = f"{event.stream} version {wanted}"
            yield _finding(event, Wrong.MISSING, missing, f"version {event.version} as the next")
        last[event.partition, event.stream] = event.version


def _run(extract: Extract, run: Run, keys: Sequence[VerifyingKey]) -> tuple[Finding | None, str]:
    """What is wrong with a run, and the name of its checkpoint."""
    try:
        note = SignedNote.parse(run.checkpoint)
        checkpoint = Checkpoint.parse(note.text)
    except ValueError as error:
        return Finding(run.partition, run.position + 1, Wrong.CHECKPOINT, "a signed checkpoint", str(error)), ""
    place = (run.partition, run.position + len(run.links))
    if checkpoint.service != extract.service or not note.signed_by(keys):
        found = f"{checkpoint.label} of {checkpoint.service}, with a signature of no known key or over another text"
        return Finding(*place, Wrong.CHECKPOINT, f"a checkpoint signed by {extract.service}", found), checkpoint.label
    events = {event.position: event for event in extract.events if event.partition == run.partition}
    streams = {(event.stream, event.partition) for event in extract.events if event.stream not in extract.partial}
    digest = bytes.fromhex(run.digest)
    for position, link in enumerate(run.links, run.position + 1):
        digest = _next(run.partition, digest, link)
        event = events.get(position)
        if link.position != position:
            return Finding(run.partition, position, Wrong.MISSING, f"the link at {position}", f"{link.position}"), ""
        if event is not None and event.digest != digest.hex():
            return _finding(event, Wrong.ALTERED, f"digest {short(digest)}", f"digest {event.digest[:16]}"), ""
        if event is None and (link.stream, run.partition) in streams:
            expected = f"version {link.version} of {link.stream}, {link.type}"
            return Finding(run.partition, position, Wrong.MISSING, expected, "its hashes only", link.stream), ""
    head = checkpoint.heads.get(run.partition)
    if head is None or head.position != place[1] or head.digest != digest:
        expected = f"the head that {checkpoint.label} signed"
        return Finding(*place, Wrong.REWRITTEN, expected, f"digest {short(digest)} at {place[1]}"), checkpoint.label
    return None, checkpoint.label


def _next(partition: int, digest: bytes, link: ExtractedLink) -> bytes:
    covered = Link(
        partition,
        link.position,
        link.stream,
        link.version,
        link.type,
        link.schema_version,
        b"",
        b"",
        link.recorded_at,
    )
    return next_digest_of_hashes(digest, covered, bytes.fromhex(link.data_sha256), bytes.fromhex(link.meta_sha256))


def _statement(extract: Extract, statement: str, keys: Sequence[VerifyingKey]) -> Finding | None:
    try:
        note = SignedNote.parse(statement)
        origin, subject, _, events, root, *streams = note.text.splitlines()
    except ValueError as error:
        return Finding(-1, 0, Wrong.CHECKPOINT, "a signed statement", str(error))
    if not note.signed_by(keys) or (origin, subject) != (origin_of(extract.service), f"extract {extract.subject}"):
        expected = f"a statement of {extract.service} about {extract.subject}"
        found = f"one by an unknown key, over another text, or about something else ({subject})"
        return Finding(-1, 0, Wrong.CHECKPOINT, expected, found)
    if root == f"root {root_of(extract.events)}":
        return None
    given = list(stream_lines(extract.events))
    for line in streams:
        if line not in given:
            _, partition, count, position, version, stream = line.split(" ", 5)
            expected = f"{count} events of {stream} up to version {version}, as {extract.service} signed"
            return Finding(int(partition), int(position), Wrong.MISSING, expected, "others", stream)
    if len(given) > len(streams):
        return Finding(-1, 0, Wrong.INSERTED, f"{events}, as {extract.service} signed", f"{len(extract.events)} events")
    return Finding(-1, 0, Wrong.ALTERED, f"the {root} that {extract.service} signed", "another over these events")


def _finding(event: ExtractedEvent, what: Wrong, expected: str, found: str) -> Finding:
    return Finding(event.partition, event.position, what, expected, found, event.stream)
