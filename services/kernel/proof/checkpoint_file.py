"""The file of a service's checkpoints: appended to, never changed; read and checked whole.

Several processes may append, one at a time: each takes a lock on the file, reads its last checkpoint again and follows
on from that. What a killed process left unfinished at the end was never shown to anybody, and is taken away.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from services.kernel.proof.checkpoint import NO_PREVIOUS, Checkpoint, origin_of
from services.kernel.proof.finding import Finding, Wrong, short
from services.kernel.proof.signed_note import SignedNote, SigningKey, VerifyingKey, create_key, load_key, written

_END = b"\n\n"
_TAIL_BYTES = 64 * 1024
"""More than two checkpoints of a hundred partitions."""


class BrokenCheckpoints(Exception):
    """The file cannot be followed on: the message says why."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The checkpoints that are right, what is wrong with the others, and the bytes of an unfinished one at the end."""

    checkpoints: tuple[Checkpoint, ...]
    findings: tuple[Finding, ...]
    unfinished_bytes: int


def checkpoint_path(folder: Path, service: str) -> Path:
    """The file of a service."""
    return folder / f"{service}.checkpoints"


def split(content: bytes) -> tuple[list[str], int]:
    """The notes of a file, and how many bytes at its end belong to an unfinished one."""
    blocks = content.split(_END)
    unfinished = len(blocks.pop())
    if len(blocks) % 2:
        unfinished += len(blocks.pop()) + len(_END)
    decoded = [block.decode("utf-8", "replace") for block in blocks]
    return [f"{text}\n\n{lines}\n" for text, lines in zip(decoded[::2], decoded[1::2], strict=True)], unfinished


def check(content: bytes, service: str, trusted: Sequence[VerifyingKey]) -> Checked:
    """Check every signature and every link of a file; stops at the first checkpoint that is wrong."""
    notes, unfinished = split(content)
    found: list[Checkpoint] = []
    keys = list(trusted)
    for place, note in enumerate(notes, 1):
        before = found[-1] if found else None
        try:
            checkpoint = follow(note, service, before, keys)
        except ValueError as error:
            expected = f"checkpoint {place}, signed and linked"
            return Checked(tuple(found), (Finding(-1, place, Wrong.CHECKPOINT, expected, str(error)),), unfinished)
        if checkpoint.next_key is not None:
            keys = [checkpoint.next_key]
        found.append(checkpoint)
    return Checked(tuple(found), (), unfinished)


def follow(note: str, service: str, before: Checkpoint | None, keys: Sequence[VerifyingKey]) -> Checkpoint:
    """The checkpoint of a note, which must follow the one before. Raises ValueError with what is wrong."""
    signed = SignedNote.parse(note)
    checkpoint = Checkpoint.parse(signed.text)
    if checkpoint.service != service:
        raise ValueError(f"a checkpoint of {checkpoint.service}")
    signers = signed.signed_by([*keys, *([checkpoint.next_key] if checkpoint.next_key else [])])
    if not any(key in signers for key in keys):
        names = ", ".join(f"{name}+{key_id.hex()}" for name, key_id, _ in signed.signatures)
        raise ValueError(f"signature by an unknown key or over another text ({names})")
    if checkpoint.next_key is not None and checkpoint.next_key not in signers:
        raise ValueError("a next key that did not sign with the old one")
    number, previous = (before.number, before.digest) if before else (0, NO_PREVIOUS)
    if checkpoint.number != number + 1:
        raise ValueError(f"number {checkpoint.number} after {number}")
    if checkpoint.previous != previous:
        raise ValueError(f"link to {short(checkpoint.previous)}, the one before is {short(previous)}")
    if before is not None:
        _must_grow(before, checkpoint)
    return checkpoint


def _must_grow(before: Checkpoint, after: Checkpoint) -> None:
    if after.genesis != before.genesis:
        raise ValueError("another genesis than before")
    if after.time < before.time:
        raise ValueError(f"time {after.time.isoformat()} before {before.time.isoformat()}")
    for partition, head in before.heads.items():
        now = after.heads.get(partition)
        if now is None or now.position < head.position:
            where = "no head" if now is None else f"position {now.position}"
            raise ValueError(f"{where} in partition {partition}, {head.position} before: rolled back")
        if now.position == head.position and now.digest != head.digest:
            raise ValueError(f"another digest at position {head.position} of partition {partition}: a fork")


def last_note(path: Path) -> str | None:
    """The last whole note of a file, None where there is none."""
    try:
        with path.open("rb") as file:
            notes, _ = _tail(file)
    except FileNotFoundError:
        return None
    return notes[-1] if notes else None


def _tail(file: BinaryIO) -> tuple[list[str], int]:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    content = file.read()
    if size > _TAIL_BYTES:
        # Begin with a whole note: the line behind a signature line is empty, and text follows.
        content = content[content.index(_END, content.index("\n\n\u2014 ".encode()) + 2) + 2 :]
    return split(content)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[BinaryIO]:
    """The file, for this process alone. Another one may have come under its name while the lock was waited for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(path, file):
                continue
            yield file
            return


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def append(
    path: Path,
    service: str,
    keys_now: Callable[[], Sequence[SigningKey]],
    following: Callable[[Checkpoint | None], Checkpoint | None],
    afterwards: Callable[[], None] = lambda: None,
) -> Checkpoint | None:
    """Append the checkpoint that `following` makes after the last one, if it makes any; on disk when this returns.

    All keys sign; the last one to have signed before must be among them. They are asked for, and `afterwards` is
    called, while the file is locked, so that nobody signs in the middle of an exchange of keys. Raises
    BrokenCheckpoints.
    """
    with locked(path) as file:
        keys = keys_now()
        notes, unfinished = _tail(file)
        before = _last_of(notes, service, [key.public for key in keys]) if notes else None
        checkpoint = following(before)
        if checkpoint is None:
            afterwards()
            return None
        end = file.seek(0, os.SEEK_END) - unfinished
        file.truncate(end)
        file.seek(end)
        file.write(written(checkpoint.text, keys).encode())
        file.flush()
        os.fsync(file.fileno())
        if not end:
            sync_folder(path.parent)
        afterwards()
        return checkpoint


def _last_of(notes: Sequence[str], service: str, keys: Sequence[VerifyingKey]) -> Checkpoint:
    """The last checkpoint, which one of the keys may follow."""
    try:
        signed = SignedNote.parse(notes[-1])
        checkpoint = Checkpoint.parse(signed.text)
    except ValueError as error:
        raise BrokenCheckpoints(f"the last checkpoint is not readable: {error}") from error
    if checkpoint.service != service:
        raise BrokenCheckpoints(f"the file holds checkpoints of {origin_of(checkpoint.service)}")
    if not signed.signed_by(keys):
        raise BrokenCheckpoints("the last checkpoint was not signed by this service's key")
    if checkpoint.next_key is not None and checkpoint.next_key not in keys:
        raise BrokenCheckpoints(f"the last checkpoint hands over to the key {checkpoint.next_key.text}")
    return checkpoint


def exchange_key(path: Path, service: str, key: Path, now: datetime) -> VerifyingKey:
    """Make a new key, let both sign a checkpoint that hands over to it, and put it in the old one's place.

    An exchange that was killed half way is finished. Raises BrokenCheckpoints where there is no checkpoint yet.
    """
    coming, name = key.with_suffix(".next.pem"), origin_of(service)
    new = load_key(coming, name) if coming.exists() else create_key(coming, name)

    def following(before: Checkpoint | None) -> Checkpoint | None:
        if before is None:
            raise BrokenCheckpoints(f"{path} holds no checkpoint yet; the service makes one within seconds")
        if before.next_key == new.public:
            return None
        return replace(
            before,
            number=before.number + 1,
            time=max(now, before.time),
            previous=before.digest,
            next_key=new.public,
        )

    def put_in_place() -> None:
        coming.replace(key)
        sync_folder(key.parent)

    append(path, service, lambda: [load_key(key, name), new], following, put_in_place)
    return new.public


def sync_folder(folder: Path) -> None:
    """Let the names in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
