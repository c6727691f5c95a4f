"""From outgoing messages to Kafka records (keys, values, headers, chains), and on to the producer in batches."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from contracts.envelope import Header, RecordPlace, cloud_event_headers, next_chain, place_headers
from contracts.topics import NOTICES_PARTITION, notices_topic
from contracts.vocabulary.model import PublicEvent
from services.kernel import failpoints
from services.kernel.messages import Notice, Outgoing, Recorded


class Tail(NamedTuple):
    """Where a partition of the events topic ends: the last position, and the public chain there."""

    position: int
    chain: bytes


@dataclass(slots=True)
class Record:
    """A record to send. Not frozen, which would take four times as long, and there is one for every message."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: list[Header]
    timestamp_ms: int


def message_bytes(message: PublicEvent) -> bytes:
    """The message's JSON; absent optional fields are left out."""
    return message.__pydantic_serializer__.to_json(message, exclude_none=True)


def public_record(
    service: str, topic: str, recorded: Recorded[Any], outgoing: Outgoing, tail: Tail
) -> tuple[Record, Tail]:
    """The record of a public event after `tail`, and the tail that it makes."""
    key, value = outgoing.key.encode(), message_bytes(outgoing.event)
    kind = type(outgoing.event)
    chain = next_chain(tail.chain, recorded.position, kind.event_type, key, value)
    headers = cloud_event_headers(
        kind,
        event_id=f"{service}/{recorded.partition}/{recorded.position}",
        source=f"/{service}",
        subject=recorded.stream,
        time=recorded.recorded_at,
    )
    headers += place_headers(RecordPlace(recorded.position, tail.position, recorded.digest, chain))
    headers.append(("version", b"%d" % recorded.version))
    trace = recorded.meta.get("traceparent")
    if trace:
        headers.append(("traceparent", str(trace).encode()))
    record = Record(topic, recorded.partition, key, value, headers, millis(recorded.recorded_at))
    return record, Tail(recorded.position, chain)


_NOTICE = "/notice"
SENT_AGAIN = "sentagain"
"""A header of notices that Kafka had lost with a part of a transaction: they lie behind younger ones."""


def notice_place(service: str, headers: Sequence[Header]) -> tuple[int, int] | None:
    """Partition and position of the event that a service's notice goes with; None for other messages."""
    text = dict(headers).get("ce_id", b"").decode()
    if not (text.startswith(f"{service}/") and text.endswith(_NOTICE)):
        return None
    partition, position = text.removeprefix(f"{service}/").removesuffix(_NOTICE).split("/")
    return int(partition), int(position)


def notice_record(service: str, recorded: Recorded[Any], key: str, notice: Notice) -> Record:
    """The record of the notice that goes with a public event, on the contract's lane."""
    headers = cloud_event_headers(
        type(notice.message),
        event_id=f"{service}/{recorded.partition}/{recorded.position}{_NOTICE}",
        source=f"/{service}",
        subject=recorded.stream,
        time=recorded.recorded_at,
    )
    return Record(
        notices_topic(notice.channel),
        NOTICES_PARTITION,
        key.encode(),
        message_bytes(notice.message),
        headers,
        millis(recorded.recorded_at),
    )


def millis(instant: datetime) -> int:
    """Milliseconds since 1970, as Kafka keeps time."""
    return int(instant.timestamp() * 1000)


async def send_batches(producer: AIOKafkaProducer, records: Sequence[Record]) -> list[asyncio.Future[Any]]:
    """Hand the records to the producer in batches, in order within each partition; returns what to await."""
    by_place: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        by_place.setdefault((record.topic, record.partition), []).append(record)
    sent: list[asyncio.Future[Any]] = []
    for (topic, partition), own in by_place.items():
        batch = producer.create_batch()
        for record in own:
            if _fits(batch, record):
                continue
            sent.append(_heard(await producer.send_batch(batch, topic, partition=partition)))
            batch = producer.create_batch()
            if not _fits(batch, record):
                raise ValueError(f"a record of {len(record.value)} bytes does not fit into a batch")
        if batch.record_count():
            sent.append(_heard(await producer.send_batch(batch, topic, partition=partition)))
        failpoints.hit("relay.between_sends")
    return sent


def _heard(sent: asyncio.Future[Any]) -> asyncio.Future[Any]:
    # Where a later send fails, nobody comes to ask for the outcome of this one.
    sent.add_done_callback(lambda done: done.cancelled() or done.exception())
    return sent


def _fits(batch: BatchBuilder, record: Record) -> bool:
    """Whether the batch took the record."""
    took = batch.append(timestamp=record.timestamp_ms, key=record.key, value=record.value, headers=record.headers)
    return took is not None
