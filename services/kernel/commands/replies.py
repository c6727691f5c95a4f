"""Replies: outcomes told again to a channel that repeated itself. They change nothing, so they are no events.

At least once: a reply is removed after it was sent. It carries `repeated: true`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.envelope import cloud_event_headers
from contracts.topics import NOTICES_PARTITION, notices_topic
from services.kernel.log.event_log import Connection
from services.kernel.messages import Notice
from services.kernel.wire import Record, message_bytes, millis

_PUT = """
insert into log.replies (topic, key, value, headers)
select topic, key, value, headers::jsonb
  from unnest($1::text[], $2::text[], $3::bytea[], $4::text[]) as told(topic, key, value, headers)
"""
_WAITING = "select id, topic, key, value, headers from log.replies order by id limit $1"
_REMOVE = "delete from log.replies where id = any($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Reply:
    """A repeated notice on its way, with its key and the source record that asked for it."""

    notice: Notice
    key: str
    source: str
    time: datetime


async def put(connection: Connection, service: str, replies: Sequence[Reply]) -> None:
    """Keep replies until the relay has sent them."""
    if not replies:
        return
    await connection.execute(
        _PUT,
        [notices_topic(reply.notice.channel) for reply in replies],
        [reply.key for reply in replies],
        [message_bytes(reply.notice.message) for reply in replies],
        [_headers(service, reply) for reply in replies],
    )


def _headers(service: str, reply: Reply) -> str:
    headers = cloud_event_headers(
        type(reply.notice.message),
        event_id=f"{service}/{reply.source}/repeat",
        source=f"/{service}",
        subject=reply.key,
        time=reply.time,
    )
    return json.dumps([[name, value.decode()] for name, value in [*headers, ("repeated", b"true")]])


async def waiting(connection: Connection, limit: int) -> list[tuple[int, Record]]:
    """Replies to send, oldest first, with their ids."""
    rows = await connection.fetch(_WAITING, limit)
    return [(row["id"], _record(row["topic"], row["key"], row["value"], row["headers"])) for row in rows]


def _record(topic: str, key: str, value: bytes, headers: list[list[str]]) -> Record:
    times = dict(headers)
    sent_at = millis(datetime.fromisoformat(times["ce_time"]))
    return Record(topic, NOTICES_PARTITION, key.encode(), value, [(n, v.encode()) for n, v in headers], sent_at)


async def remove(connection: Connection, ids: Sequence[int]) -> None:
    """Forget replies that were sent."""
    await connection.execute(_REMOVE, ids)
