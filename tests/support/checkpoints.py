"""Makes checkpoints of a log that does not exist, for tests of the file that keeps them."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.kernel.log.event_log import Head
from services.kernel.proof.checkpoint import NO_PREVIOUS, Checkpoint, origin_of
from services.kernel.proof.signed_note import SigningKey, create_key

SERVICE = "tally"
GENESIS = hashlib.sha256(b"genesis").digest()


def new_key(folder: Path, name: str = "key", service: str = SERVICE) -> SigningKey:
    """A key of the service in a file of its own."""
    return create_key(folder / f"{name}.pem", origin_of(service))


def head(position: int, salt: str = "") -> Head:
    """The head of a partition at a position."""
    return Head(position, hashlib.sha256(f"{salt}{position}".encode()).digest())


def checkpoint_after(before: Checkpoint | None, *positions: int, **changes: Any) -> Checkpoint:
    """The checkpoint after another one, with these positions of partitions 0, 1, ..."""
    number = before.number + 1 if before else 1
    fields: dict[str, Any] = {
        "service": SERVICE,
        "number": number,
        "time": datetime(2026, 1, 5, 8, 30, tzinfo=UTC) + timedelta(seconds=10 * number),
        "genesis": GENESIS,
        "previous": before.digest if before else NO_PREVIOUS,
        "heads": {partition: head(position) for partition, position in enumerate(positions)},
        **changes,
    }
    return Checkpoint(**fields)
