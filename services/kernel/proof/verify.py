"""Verifies the log: walks each partition's chain from its genesis and names the first thing that is wrong."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.kernel.log import chain
from services.kernel.log.event_log import Connection, Head
from services.kernel.proof import chain_diagnosis
from services.kernel.proof.chain_walk import ChainWalk, SignedDigest, last_position
from services.kernel.proof.finding import Finding, Wrong, short

_GENESIS = "select document, digest from log.genesis where partition = $1"
_GENESIS_DIGESTS = "select partition, digest from log.genesis order by partition"
_HEAD = "select position, digest from log.log_head where partition = $1"
_BELOW_ONE = "select position from log.events where partition = $1 and position < 1 order by position limit 1"
_PLACE = "select stream, version from log.events where partition = $1 and position = $2"
# An index scan for each partition, not a scan of the log.
_PARTITIONS = """
with recursive filled(partition) as (
    (select min(partition) from log.events)
    union all
    select (select min(e.partition) from log.events e where e.partition > filled.partition)
      from filled where filled.partition is not null
)
select partition from filled where partition is not null
 union select partition from log.genesis
 union select partition from log.log_head
 order by partition
"""


@dataclass(frozen=True, slots=True)
class Verified:
    """How many events were checked, and the first finding of each partition that has one."""

    events: int
    findings: tuple[Finding, ...]


async def partitions_of(connection: Connection) -> list[int]:
    """Every partition that has a genesis, a head or an event."""
    return [row["partition"] for row in await connection.fetch(_PARTITIONS)]


async def verify_log(
    connection: Connection,
    progress: Callable[[int], None] | None = None,
    signed: Mapping[int, Sequence[SignedDigest]] | None = None,
) -> Verified:
    """Check every partition of the service's log; `progress` hears how many more events were checked."""
    total, findings = 0, []
    for partition in await partitions_of(connection):
        own = (signed or {}).get(partition, ())
        events, finding = await verify_partition(connection, partition, own, progress)
        total += events
        findings += [finding] if finding else []
    return Verified(total, tuple(findings))


async def verify_partition(
    connection: Connection,
    partition: int,
    signed: Sequence[SignedDigest] = (),
    progress: Callable[[int], None] | None = None,
    service: str | None = None,
) -> tuple[int, Finding | None]:
    """Check one partition; returns how many events were right, and the first thing that is wrong.

    `signed` are the digests that checkpoints signed in this partition. `service` is whose genesis it must be.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(_GENESIS, partition)
        if row is None:
            return 0, Finding(partition, 0, Wrong.GENESIS, "a genesis document", "none")
        finding = _wrong_genesis(partition, row["document"], row["digest"], service)
        if finding is not None:
            return 0, finding
        walk = ChainWalk(partition, 0, row["digest"], signed)
        last = await last_position(connection, partition)
        if not walk.stopped:
            await walk.run(connection, last, progress)
        return walk.position, await _finding(connection, walk, last)


def _wrong_genesis(partition: int, document: bytes, digest: bytes, service: str | None) -> Finding | None:
    computed = chain.genesis_digest(document)
    if computed != digest:
        return Finding(partition, 0, Wrong.GENESIS, f"digest {short(computed)}", f"digest {short(digest)}")
    try:
        content = json.loads(document)
        named = (content["format"], content["partition"], content["service"] if service else None)
    except (ValueError, KeyError, TypeError):
        return Finding(partition, 0, Wrong.GENESIS, "a genesis document", repr(document[:60]))
    wanted = (chain.TAG.decode(), partition, service)
    if named != wanted:
        return Finding(partition, 0, Wrong.GENESIS, f"that of {_named(*wanted)}", f"that of {_named(*named)}")
    return None


def _named(tag: object, partition: object, service: object) -> str:
    return f"{service or 'this service'} partition {partition} in format {tag}"


async def _finding(connection: Connection, walk: ChainWalk, last: int) -> Finding | None:
    """What the end of the walk means."""
    row = await connection.fetchrow(_HEAD, walk.partition)
    head = None if row is None else Head(row["position"], row["digest"])
    if walk.contradicts is not None:
        return _contradiction(walk, walk.contradicts)
    if walk.version_wanted is not None:
        return await _wrong_version(connection, walk, walk.version_wanted)
    if walk.stopped:
        return await chain_diagnosis.diagnose(connection, walk.partition, walk.position + 1, walk.digest, head)
    below = await connection.fetchval(_BELOW_ONE, walk.partition)
    if below is not None:
        return Finding(walk.partition, below, Wrong.INSERTED, "positions from 1", f"position {below}")
    return _wrong_end(walk, last, head)


def _contradiction(walk: ChainWalk, signed: SignedDigest) -> Finding:
    since = walk.confirmed.position + 1 if walk.confirmed else 1
    where = f"at {signed.position}, from {since} on" if since < signed.position else f"at {signed.position}"
    return Finding(
        walk.partition,
        signed.position,
        Wrong.REWRITTEN,
        f"digest {short(signed.digest)}, signed in {signed.checkpoint}",
        f"digest {short(walk.digest)} {where}",
    )


async def _wrong_version(connection: Connection, walk: ChainWalk, wanted: int) -> Finding:
    position = walk.position + 1
    inserted = await chain_diagnosis.forced_in(connection, walk.partition, position)
    if inserted is not None:
        return inserted
    row = await connection.fetchrow(_PLACE, walk.partition, position)
    stream, version = ("", 0) if row is None else (row["stream"], row["version"])
    return Finding(walk.partition, position, Wrong.NUMBERING, f"version {wanted}", f"version {version}", stream)


def _wrong_end(walk: ChainWalk, last: int, head: Head | None) -> Finding | None:
    """The chain is whole as far as it goes; whether it ends where its head and the checkpoints say."""
    partition = walk.partition
    if head is None:
        return Finding(partition, last, Wrong.HEAD, f"head at {last}", "none")
    signed = walk.signed_beyond
    if signed is not None and signed.position > last >= head.position:
        expected = f"at least {signed.position} events, signed in {signed.checkpoint}"
        return Finding(partition, last + 1, Wrong.CUT, expected, f"{last} events")
    if head.position > last:
        expected = f"{head.position} events, as the head says"
        return Finding(partition, last + 1, Wrong.MISSING, expected, f"{last} events")
    if head.position < last:
        found = f"{last} events, or a head that was set back"
        return Finding(partition, head.position + 1, Wrong.INSERTED, f"the end at {head.position}", found)
    if head.digest != walk.digest:
        return Finding(
            partition, last, Wrong.HEAD, f"head digest {short(walk.digest)}", f"head digest {short(head.digest)}"
        )
    return None


async def genesis_digests(connection: Connection) -> dict[int, bytes]:
    """digest(0) of each partition, as the database has it."""
    return {row["partition"]: row["digest"] for row in await connection.fetch(_GENESIS_DIGESTS)}


async def log_sizes(connection: Connection) -> dict[int, int]:
    """The last position of each partition, for sharing out the work."""
    return {partition: await last_position(connection, partition) for partition in await partitions_of(connection)}
