"""Takes an extract out of a running service's log, in one look at the database."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from contracts.topics import lane_of
from services.kernel import clock
from services.kernel.log import event_log
from services.kernel.log.event_log import Connection, StoredEvent
from services.kernel.proof.checkpoint import Checkpoint
from services.kernel.proof.checkpoint_search import covering_note
from services.kernel.proof.extract import Extract, ExtractedEvent, ExtractedLink, Run, Wanted, statement_text
from services.kernel.proof.signed_note import SignedNote

LINKS_DEFAULT = 5_000
"""A link is 300 bytes of JSON."""
LINKS_MAX = 50_000

_BEFORE = """
select coalesce((select digest from log.events where partition = $1 and position = $2 - 1),
                (select digest from log.genesis where partition = $1 and $2 = 1))
"""


async def take_extract(
    connection: Connection,
    service: str,
    subject: str,
    wanted: Sequence[Wanted],
    checkpoints: Path | None,
    sign: Callable[[str], str | None],
    links_max: int = LINKS_DEFAULT,
) -> Extract:
    """Everything of the wanted streams, with runs to signed checkpoints of at most `links_max` links together."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        partitions = await connection.fetchval("select count(*) from log.genesis")
        stored: dict[tuple[int, int], StoredEvent] = {}
        for one in wanted:
            partition = lane_of(one.lane, partitions)
            read = event_log.read_streams_from if one.prefix else event_log.read_stream
            for event in await read(connection, partition, one.stream):
                if one.has(event.link.data):
                    stored[partition, event.link.position] = event
        in_order = [stored[place] for place in sorted(stored)]
        events = tuple([await _extracted(connection, one) for one in in_order])
        runs, unsigned = await _runs(connection, events, checkpoints, links_max)
    return Extract(
        service=service,
        subject=subject,
        events=events,
        partial=tuple(sorted({one.stream for one in wanted if one.having and not one.prefix})),
        runs=runs,
        unsigned=unsigned,
        statement=sign(statement_text(service, subject, clock.now(), events)),
    )


async def _extracted(connection: Connection, stored: StoredEvent) -> ExtractedEvent:
    link = stored.link
    before = await connection.fetchval(_BEFORE, link.partition, link.position)
    return ExtractedEvent.of(link, stored.digest, before or bytes(32))


async def _runs(
    connection: Connection, events: Sequence[ExtractedEvent], checkpoints: Path | None, links_max: int
) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    runs: list[Run] = []
    unsigned: list[str] = []
    covered = (-1, 0)
    for event in events:
        if (event.partition, event.position) <= covered and event.partition == covered[0]:
            continue
        place = f"{event.partition}/{event.position}"
        note = None if checkpoints is None else covering_note(checkpoints, event.partition, event.position)
        if note is None:
            unsigned.append(f"{place}: no checkpoint covers it yet")
            continue
        checkpoint = Checkpoint.parse(SignedNote.parse(note).text)
        head = checkpoint.heads[event.partition]
        count = head.position - event.position + 1
        if count > links_max:
            unsigned.append(
                f"{place}: {count:,} events lead to {checkpoint.label}, too many to give out; "
                "`pledger verify` proves them on the ledger itself"
            )
            continue
        links_max -= count
        runs.append(await _run(connection, event, count, note))
        covered = (event.partition, head.position)
    return tuple(runs), tuple(unsigned)


async def _run(connection: Connection, first: ExtractedEvent, count: int, note: str) -> Run:
    stored = await event_log.read(connection, first.partition, first.position - 1, count)
    return Run(
        partition=first.partition,
        position=first.position - 1,
        digest=first.before,
        links=tuple(
            ExtractedLink(
                position=link.position,
                stream=link.stream,
                version=link.version,
                type=link.type,
                schema_version=link.schema,
                recorded_at=link.recorded_at,
                data_sha256=sha256(link.data).hexdigest(),
                meta_sha256=sha256(link.meta).hexdigest(),
            )
            for link, _ in stored
        ),
        checkpoint=note,
    )
