"""Walks the chain of one partition over the bytes of a binary COPY, one pass, without making an object of a row.

Three hashes an event are what the chain asks for; everything else here is kept so short that they are half of
the time. What is wrong is only noticed here; `chain_diagnosis` says what it is.
"""

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.kernel.log.chain import TAG
from services.kernel.log.event_log import Connection

EVENTS_A_COPY = 200_000
"""A COPY that was begun is read to its end, and must be done within a statement timeout."""

PENDING_BYTES_MAX = 64 * 1024 * 1024
"""An event is far smaller; more without an end means that a length was misread."""

# The order matters: stream and type then stand in the row as they stand in the chain, each behind its length.
ROWS = """
select position, recorded_at, version, schema, digest, stream, type, data, meta
  from log.events where partition = $1 and position > $2 and position <= $3 order by position
"""
_SIGNATURE = struct.Struct(">11sii")
_FIXED = struct.Struct(">6xq4xq4xi4xh4x32sI")
_LENGTH = struct.Struct(">I")
_HEADER = struct.Struct(f">{len(TAG)}s32sHQqII")
_MICROS_TO_2000 = 946_684_800_000_000


@dataclass(frozen=True, slots=True)
class SignedDigest:
    """The digest that a checkpoint signed at a position; `checkpoint` names it for people."""

    position: int
    digest: bytes
    checkpoint: str


class ChainWalk:
    """The state of a walk: the last position that was right, and its digest.

    `stopped` once something is wrong at the next position. Of streams, versions must be 1, 2, 3 ... where
    the walk begins at the genesis; a walk from elsewhere does not know what came before.
    """

    def __init__(self, partition: int, position: int, digest: bytes, signed: Sequence[SignedDigest] = ()) -> None:
        self.partition = partition
        self.position = position
        self.digest = digest
        self.stopped = False
        self.contradicts: SignedDigest | None = None
        self.confirmed: SignedDigest | None = None
        self.version_wanted: int | None = None
        self._signed = sorted(signed, key=lambda mark: -mark.position)
        self._versions: dict[bytes, int] | None = {} if position == 0 else None
        self._meta: tuple[bytes, bytes] = (b"", hashlib.sha256(b"").digest())
        self._pending: bytes | None = None
        self._meet_signed()

    @property
    def signed_beyond(self) -> SignedDigest | None:
        """The last signed digest that was not met: it lies beyond the last event."""
        return self._signed[0] if self._signed else None

    async def run(self, connection: Connection, until: int, progress: Callable[[int], None] | None = None) -> None:
        """Walk on to position `until`, or to the first thing that is wrong."""
        while self.position < until and not self.stopped:
            start, stop = self.position, min(until, self.position + EVENTS_A_COPY)
            self._pending = None
            seen = start

            async def take(chunk: Any) -> None:
                nonlocal seen
                if not self.stopped:
                    self._take(chunk)
                    if progress is not None:
                        progress(self.position - seen)
                        seen = self.position

            await connection.copy_from_query(ROWS, self.partition, start, stop, output=take, format="binary")
            # A row may be missing, or not to be read.
            self.stopped |= self.position < stop

    def _take(self, chunk: bytes | bytearray) -> None:
        if self._pending is None:
            # The COPY header comes whole: it is the first thing that the server sends.
            skipped = _SIGNATURE.size + _SIGNATURE.unpack_from(chunk)[2]
            self._pending = bytes(chunk[skipped:])
        else:
            self._pending += chunk
        read = self._advance(self._pending)
        self._pending = self._pending[read:]
        if len(self._pending) > PENDING_BYTES_MAX:
            self.stopped = True

    def _advance(self, buffer: bytes) -> int:
        """Walk over the whole rows in the buffer; returns the bytes used. One loop with local names, for speed."""
        fixed, length, header, sha256 = _FIXED.unpack_from, _LENGTH.unpack_from, _HEADER.pack, hashlib.sha256
        partition, position, digest, versions = self.partition, self.position, self.digest, self._versions
        meta, meta_digest = self._meta
        mark = self._meet_signed()
        start, end, last_start = 0, len(buffer), len(buffer) - _FIXED.size
        while start <= last_start:
            found, recorded_at, version, schema, stored, size = fixed(buffer, start)
            stream = start + _FIXED.size
            kind = stream + size
            try:
                data = kind + 4 + length(buffer, kind)[0]
                data_end = data + 4 + length(buffer, data)[0]
                row_end = data_end + 4 + length(buffer, data_end)[0]
            except struct.error:
                break
            if row_end > end:
                break
            own_meta = buffer[data_end + 4 : row_end]
            if own_meta != meta:
                # Events of one command follow each other and have the same.
                meta, meta_digest = own_meta, sha256(own_meta).digest()
            try:
                content = header(TAG, digest, partition, position + 1, recorded_at + _MICROS_TO_2000, version, schema)
            except struct.error:
                # A number that no event has, such as the instant `infinity`.
                self.stopped = True
                break
            content += buffer[stream - 4 : data] + sha256(buffer[data + 4 : data_end]).digest() + meta_digest
            if sha256(content).digest() != stored or found != position + 1:
                self.stopped = True
                break
            if versions is not None:
                name = buffer[stream:kind]
                wanted = versions.get(name, 0) + 1
                if version != wanted:
                    self.stopped, self.version_wanted = True, wanted
                    break
                versions[name] = version
            position, digest, start = found, stored, row_end
            if position == mark:
                self.position, self.digest = position, digest
                mark = self._meet_signed()
                if self.stopped:
                    break
        self.position, self.digest, self._meta = position, digest, (meta, meta_digest)
        return start

    def _meet_signed(self) -> int:
        """Compare the digest here with what was signed here; returns where the next signed one is, -1 for nowhere."""
        while self._signed and self._signed[-1].position <= self.position:
            signed = self._signed.pop()
            if signed.position == self.position and signed.digest != self.digest:
                self.stopped, self.contradicts = True, signed
                return -1
            self.confirmed = signed
        return self._signed[-1].position if self._signed else -1


async def last_position(connection: Connection, partition: int) -> int:
    """The highest position of a partition, 0 where it is empty."""
    found: int | None = await connection.fetchval(
        "select max(position) from log.events where partition = $1", partition
    )
    return found or 0
