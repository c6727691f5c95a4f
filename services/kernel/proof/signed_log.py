"""What a checkpoint signs: the heads of a log, recomputed from what was signed or walked before."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.kernel.log import event_log
from services.kernel.log.event_log import Connection, Head
from services.kernel.proof.chain_walk import ChainWalk, SignedDigest
from services.kernel.proof.checkpoint import Checkpoint, genesis_root
from services.kernel.proof.checkpoint_file import BrokenCheckpoints
from services.kernel.proof.finding import short
from services.kernel.proof.verify import genesis_digests

_DIGEST = "select digest from log.events where partition = $1 and position = $2"


@dataclass(frozen=True, slots=True)
class LogHeads:
    """The heads of all partitions, and one digest over their beginnings."""

    genesis: bytes
    heads: Mapping[int, Head]


async def recomputed(connection: Connection, before: Checkpoint | None, walked: Mapping[int, Head]) -> LogHeads:
    """The heads, after recomputing every digest since the last checkpoint, or since where it was walked before.

    Raises BrokenCheckpoints where the log does not follow from there.
    """
    heads = await event_log.heads(connection)
    genesis = await genesis_digests(connection)
    if before is not None and genesis_root(genesis) != before.genesis:
        raise BrokenCheckpoints("the log has another genesis than what was signed before")
    for partition, head in heads.items():
        signed = before.heads.get(partition) if before else None
        known = [head for head in (signed, walked.get(partition)) if head is not None]
        start = max(known, key=lambda head: head.position, default=Head(0, genesis[partition]))
        await _check(connection, partition, start, head)
    return LogHeads(genesis_root(genesis), heads)


async def _check(connection: Connection, partition: int, start: Head, head: Head) -> None:
    """Walk from one head to the next. Raises BrokenCheckpoints where the log does not lead there."""
    if head.position < start.position:
        raise BrokenCheckpoints(f"partition {partition} was at {start.position} and is at {head.position}")
    if start.position:
        stored = await connection.fetchval(_DIGEST, partition, start.position)
        if stored != start.digest:
            raise BrokenCheckpoints(
                f"partition {partition} had digest {short(start.digest)} at {start.position}, now {short(stored)}"
            )
    walk = ChainWalk(partition, start.position, start.digest, [SignedDigest(head.position, head.digest, "the head")])
    await walk.run(connection, head.position)
    if walk.stopped:
        raise BrokenCheckpoints(f"the chain of partition {partition} breaks behind position {walk.position}")
