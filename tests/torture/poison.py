"""Messages that nobody can read, each of which must end as one refusal and stop nothing behind it."""

from random import Random

from contracts.topics import ORDER_BYTES_MAX
from contracts.vocabulary.faults import FaultCode
from tests.torture.journal import Entry

SQUEEZED_BYTES = 1_900_000
OVERSIZED_BYTES = 1_200_000
"""More than the broker takes in one record of a channel's topic."""


def poison(channel: str, mark: str) -> list[Entry]:
    """One of each kind; the mark makes their bytes differ from those of any other call."""
    seal = mark.encode()

    def entry(key: str | None, value: bytes | None, expected: str) -> Entry:
        return Entry("poison", channel, key, value, "", expected)

    return [
        entry(f"{mark}-nothing", None, FaultCode.NOT_JSON),
        entry(None, b"\xff\xfe\x00" + seal, FaultCode.NOT_JSON),
        entry(f"{mark}-deep", b"[" * 10_000 + seal, FaultCode.NOT_JSON),
        entry(f"{mark}-surrogate", b'{"type":"order.placed","schema_version":1,"order_no":"\\ud800' + seal, "not_json"),
        entry(f"{mark}-large", b'{"type":"order.placed","x":"' + seal * (ORDER_BYTES_MAX // 4) + b'"}', "too_large"),
        # Compressed it passes the broker's limit; what it unfolds into must still find its way to the dead letters.
        entry(f"{mark}-squeezed", b'{"type":"order.placed","x":"' + seal + b"x" * SQUEEZED_BYTES + b'"}', "too_large"),
        entry(f"{mark}-unknown", b'{"type":"order.eaten","schema_version":1,"m":"' + seal + b'"}', "unknown_schema"),
    ]


def oversized(mark: str) -> bytes:
    """A message that the broker refuses; it cannot be compressed."""
    return mark.encode() + Random(mark).randbytes(OVERSIZED_BYTES)
