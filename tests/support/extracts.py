"""Makes extracts of logs that exist in memory only, signed as a running service would sign them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from services.kernel.log.chain import Link
from services.kernel.log.event_log import Head, StoredEvent, chained
from services.kernel.proof.checkpoint import NO_PREVIOUS, Checkpoint
from services.kernel.proof.extract import Extract, ExtractedEvent, ExtractedLink, Run, statement_text
from services.kernel.proof.signed_note import SigningKey, written

GENESIS = hashlib.sha256(b"genesis").digest()
START = datetime(2026, 1, 5, 8, 30, 0, 123_456, tzinfo=UTC)
PARTITION = 3

Said: TypeAlias = tuple[str, str, Mapping[str, Any]]
"""Stream, type and content of an event."""


def log_of(said: Sequence[Said]) -> list[StoredEvent]:
    """A partition with these events, chained."""
    versions: dict[str, int] = {}
    links = []
    for position, (stream, kind, content) in enumerate(said, 1):
        versions[stream] = versions.get(stream, 0) + 1
        recorded_at = START + timedelta(seconds=position)
        text = json.dumps(content, ensure_ascii=False).encode()
        meta = json.dumps({"cause": f"orders.river.v1/3/{position}"}).encode()
        links.append(Link(PARTITION, position, stream, versions[stream], kind, 1, text, meta, recorded_at))
    return chained(Head(0, GENESIS), links)


def signed_extract(key: SigningKey, subject: str, log: Sequence[StoredEvent], streams: Sequence[str]) -> Extract:
    """The events of these streams, with one run over the whole log and a statement, both signed."""
    service = key.name.removeprefix("policy-ledger/")
    befores = [GENESIS, *(digest for _, digest in log)]
    events = tuple(
        ExtractedEvent.of(link, digest, befores[link.position - 1]) for link, digest in log if link.stream in streams
    )
    return Extract(
        service=service,
        subject=subject,
        events=events,
        partial=(),
        runs=(run_over(key, log),) if events else (),
        unsigned=(),
        statement=written(statement_text(service, subject, START, events), [key]),
    )


def run_over(key: SigningKey, log: Sequence[StoredEvent]) -> Run:
    """A run from the genesis over the whole log to a signed checkpoint."""
    heads = {PARTITION: Head(len(log), log[-1].digest)}
    service = key.name.removeprefix("policy-ledger/")
    checkpoint = Checkpoint(service, 1, START + timedelta(minutes=1), GENESIS, NO_PREVIOUS, heads)
    return Run(
        partition=PARTITION,
        position=0,
        digest=GENESIS.hex(),
        links=tuple(
            ExtractedLink(
                position=link.position,
                stream=link.stream,
                version=link.version,
                type=link.type,
                schema_version=link.schema,
                recorded_at=link.recorded_at,
                data_sha256=hashlib.sha256(link.data).hexdigest(),
                meta_sha256=hashlib.sha256(link.meta).hexdigest(),
            )
            for link, _ in log
        ),
        checkpoint=written(checkpoint.text, [key]),
    )
