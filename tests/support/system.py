"""Drives and inspects a running stack from outside, as channels, analysts and auditors would."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import orjson

from contracts.envelope import CHAIN_START, event_type_of, next_chain, place_of
from contracts.topics import NOTICES_PARTITION, PARTITIONS_DEFAULT, ServiceName, events_topic, notices_topic
from infra.stack_file import Stack
from services.cli.demo import settle
from services.cli.stack import DATABASE_PREFIX, get
from services.cli.verify import Scope, examine
from services.demo.raw import RawMessage
from services.intake.messages import Prepared
from services.intake.publisher import publish
from services.kernel import postgres
from tests.support.running import read_topic


async def publish_raw(stack: Stack, messages: Iterable[RawMessage]) -> None:
    """Publish messages byte for byte as they are."""
    prepared = [Prepared(message.channel, message.key, message.value) for message in messages]
    report = await publish(prepared, stack.kafka, lambda progress: None)
    assert report.published == len(prepared), report.rejected[:3]


async def publish_and_settle(stack: Stack, *batches: Sequence[RawMessage]) -> None:
    """Publish one batch after the other, each once the one before has been worked through."""
    for batch in batches:
        await publish_raw(stack, batch)
        await settle(stack)


@asynccontextmanager
async def superuser_of(stack: Stack, service: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a service's database that may do what nobody should."""
    path = f"/{postgres.database_name(service, DATABASE_PREFIX)}"
    connection = await asyncpg.connect(urlsplit(stack.postgres)._replace(path=path).geturl())
    try:
        yield connection
    finally:
        await connection.close()


async def notices_of(stack: Stack, channel: str) -> list[tuple[str, dict[str, Any], bool]]:
    """Type, content and whether it is a repetition, of every notice of a channel."""
    records = await read_topic(stack.kafka, notices_topic(channel), NOTICES_PARTITION + 1)
    return [
        (event_type_of(record.headers) or "", orjson.loads(record.value), "repeated" in dict(record.headers))
        for own in records.values()
        for record in own
    ]


def outcome_counts(stack: Stack) -> Counter[str]:
    """Messages by outcome over all channels, as quote's read model has them."""
    counted: Counter[str] = Counter()
    for row in get(stack, ServiceName.QUOTE, "/order-outcomes"):
        counted[row["outcome"]] += row["messages"]
    return counted


async def heads(stack: Stack) -> dict[str, list[tuple[int, bytes]]]:
    """Position and digest of every partition of every log."""
    found = {}
    for service in ServiceName:
        connection = await asyncpg.connect(postgres.service_dsn(stack.postgres, service, DATABASE_PREFIX))
        rows = await connection.fetch("select position, digest from log.log_head order by partition")
        found[service.value] = [(row["position"], row["digest"]) for row in rows]
        await connection.close()
    return found


async def audit(stack: Stack) -> None:
    """Logs verify, topics mirror logs, checkpoints hold, ledgers balance: what must be so after anything happened."""
    subjects = await asyncio.to_thread(examine, stack, Scope(), silent=True)
    assert [(subject.service, finding) for subject in subjects for finding in subject.all_findings] == []
    assert all(subject.waiting == 0 for subject in subjects)
    for service in ServiceName:
        await _audit_public_chain(stack, service)
    for balance in get(stack, ServiceName.BILLING, "/trial-balance"):
        assert balance["debit_minor"] == balance["credit_minor"], balance


async def _audit_public_chain(stack: Stack, service: str) -> None:
    """The topic alone proves that it is complete, as a consumer checks it."""
    for partition, records in (await read_topic(stack.kafka, events_topic(service), PARTITIONS_DEFAULT)).items():
        previous, chain = 0, CHAIN_START
        for record in records:
            place = place_of(dict(record.headers))
            assert place.previous == previous, f"{service}/{partition}: {place.position} does not follow {previous}"
            kind = event_type_of(record.headers) or ""
            chain = next_chain(chain, place.position, kind, record.key, record.value)
            assert place.chain == chain, f"{service}/{partition}: the public chain breaks at {place.position}"
            previous = place.position
