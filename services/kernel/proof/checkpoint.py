"""A checkpoint: what a service signs of its log from time to time, so that a rewritten log shows.

    policy-ledger/<service>            origin, also the name of the key
    <events in all partitions>
    <root, base64>                     sha256 over partition u16, position u64 and digest of all heads
    number <n>                         1, 2, 3 ...
    time <ISO 8601>
    genesis <hex>                      sha256 over the genesis digests of all partitions, in order
    previous <hex>                     sha256 of the text of checkpoint n - 1; zeros for the first
    head <partition> <position> <hex>  for each partition
    next-key <public key>              only where the key is exchanged: from the next one on, this key signs

All numbers are decimal or big endian. The text is signed as a note, see `signed_note`.
"""

import base64
import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.kernel.log.event_log import Head
from services.kernel.proof.signed_note import VerifyingKey

NO_PREVIOUS = bytes(32)
_HEAD = struct.Struct(">HQ32s")


def origin_of(service: str) -> str:
    """The name of a service's checkpoints and of the key that signs them."""
    return f"policy-ledger/{service}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The heads of all partitions at one moment."""

    service: str
    number: int
    time: datetime
    genesis: bytes
    previous: bytes
    heads: Mapping[int, Head]
    next_key: VerifyingKey | None = None

    @property
    def size(self) -> int:
        """Events in all partitions."""
        return sum(head.position for head in self.heads.values())

    @property
    def root(self) -> bytes:
        """One digest over all heads."""
        packed = (_HEAD.pack(partition, head.position, head.digest) for partition, head in sorted(self.heads.items()))
        return hashlib.sha256(b"".join(packed)).digest()

    @property
    def label(self) -> str:
        """The checkpoint as people name it."""
        return f"checkpoint {self.number} of {self.time.isoformat(timespec='seconds')}"

    @property
    def text(self) -> str:
        """What is signed."""
        lines = [
            origin_of(self.service),
            str(self.size),
            base64.b64encode(self.root).decode(),
            f"number {self.number}",
            f"time {self.time.isoformat()}",
            f"genesis {self.genesis.hex()}",
            f"previous {self.previous.hex()}",
            *(f"head {p} {head.position} {head.digest.hex()}" for p, head in sorted(self.heads.items())),
            *([f"next-key {self.next_key.text}"] if self.next_key else []),
        ]
        return "\n".join(lines) + "\n"

    @property
    def digest(self) -> bytes:
        """What the next checkpoint names as its previous."""
        return hashlib.sha256(self.text.encode()).digest()

    @staticmethod
    def parse(text: str) -> "Checkpoint":
        """The checkpoint of its text. Raises ValueError unless it is written exactly as `text` writes it."""
        try:
            found = _parsed(text)
            same = found.text == text
        except (ValueError, KeyError, struct.error) as error:
            raise ValueError(f"its lines are not those of a checkpoint: {error}") from error
        if not same:
            raise ValueError("its lines are not those of a checkpoint, or contradict each other")
        return found


def _parsed(text: str) -> Checkpoint:
    origin, _, _, *rest = text.splitlines()
    fields = [line.split(" ", 1) for line in rest]
    single = {name: value for name, value in fields if name != "head"}
    heads = {}
    for name, value in fields:
        if name == "head":
            partition, position, digest = value.split(" ")
            heads[int(partition)] = Head(int(position), bytes.fromhex(digest))
    return Checkpoint(
        service=origin.removeprefix(origin_of("")),
        number=int(single["number"]),
        time=datetime.fromisoformat(single["time"]),
        genesis=bytes.fromhex(single["genesis"]),
        previous=bytes.fromhex(single["previous"]),
        heads=heads,
        next_key=VerifyingKey.parse(single["next-key"]) if "next-key" in single else None,
    )


def genesis_root(digests: Mapping[int, bytes]) -> bytes:
    """One digest over the genesis digests of all partitions."""
    return hashlib.sha256(b"".join(digest for _, digest in sorted(digests.items()))).digest()
