"""Verifies the log: walks each partition's chain from its genesis and names the first thing that is wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from services.kernel import chain, event_log
from services.kernel.event_log import Connection, StoredEvent

_PAGE = 5_000
_GENESIS = "select partition, document, digest from log.genesis order by partition"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, at which position of which partition."""

    partition: int
    position: int
    problem: str


@dataclass(frozen=True, slots=True)
class Verified:
    """How many events were checked, and the first finding of each partition that has one."""

    events: int
    findings: tuple[Finding, ...]


async def verify_log(connection: Connection, progress: Callable[[int], None] | None = None) -> Verified:
    """Check every partition of the service's log; `progress` hears how many more events were checked."""
    total, findings = 0, []
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        heads = await event_log.heads(connection)
        for row in await connection.fetch(_GENESIS):
            partition = row["partition"]
            if chain.genesis_digest(row["document"]) != row["digest"]:
                findings.append(Finding(partition, 0, "the genesis document was altered"))
                continue
            events, finding = await _walk(connection, partition, row["digest"], heads[partition], progress)
            total += events
            findings += [finding] if finding else []
    return Verified(total, tuple(findings))


async def _walk(
    connection: Connection,
    partition: int,
    genesis: bytes,
    head: event_log.Head,
    progress: Callable[[int], None] | None,
) -> tuple[int, Finding | None]:
    position, digest = 0, genesis
    while page := await event_log.read(connection, partition, position, _PAGE):
        for stored in page:
            problem = _problem(stored, position, digest)
            if problem:
                return position, Finding(partition, position + 1, problem)
            position, digest = stored.link.position, stored.digest
        if progress is not None:
            progress(len(page))
    if position > head.position:
        return position, Finding(partition, head.position + 1, f"event inserted: the head says {head.position}")
    if (position, digest) != (head.position, head.digest):
        return position, Finding(
            partition,
            position + 1,
            f"the log ends at {position}, its head says {head.position}: events are missing or the head was altered",
        )
    return position, None


def _problem(stored: StoredEvent, position: int, digest: bytes) -> str | None:
    if stored.link.position != position + 1:
        return f"event missing: {stored.link.position} follows {position}"
    expected = chain.next_digest(digest, stored.link)
    if expected != stored.digest:
        return f"digest is {stored.digest.hex()[:16]}, its content gives {expected.hex()[:16]}: altered or reordered"
    return None
