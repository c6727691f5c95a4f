"""Compares the end of the events topic with the log: a topic that is ahead means a database of an older state."""

import asyncpg

from contracts.envelope import RecordPlace
from services.kernel.log.event_log import Connection

_DIGEST = "select digest from log.events where partition = $1 and position = $2"


async def tail_problem(
    database: asyncpg.Pool | Connection, topic: str, partition: int, tail: RecordPlace
) -> str | None:
    """Why the topic's last record is not one of the log's; None where it is."""
    ours = await database.fetchval(_DIGEST, partition, tail.position)
    if ours == tail.digest:
        return None
    return (
        f"{topic}/{partition} ends with position {tail.position}, digest {tail.digest.hex()[:16]}; the log has "
        f"{'no such position' if ours is None else 'digest ' + ours.hex()[:16]} there. The database was "
        "restored to an older state: bring back a newer backup or its WAL"
    )
