"""Finds in a service's file of checkpoints the first one that covers a position, by bisection: the file only grows."""

from pathlib import Path
from typing import BinaryIO

from services.kernel.proof.checkpoint import Checkpoint
from services.kernel.proof.signed_note import SignedNote

_END = b"\n\n"
_DASH = "\u2014 ".encode()
_WINDOW_BYTES = 64 * 1024
"""More than two checkpoints of a hundred partitions."""


def covering_note(path: Path, partition: int, position: int) -> str | None:
    """The first note whose checkpoint has signed this position of the partition; None where none has yet.

    Raises ValueError where the file holds something that is no checkpoint. Signatures are not checked here.
    """
    try:
        with path.open("rb") as file:
            low, high = 0, file.seek(0, 2)
            while low < high:
                middle = (low + high) // 2
                found = _note_from(file, middle)
                if found is None or _signed_up_to(found[0], partition) >= position:
                    high = middle
                else:
                    low = found[1]
            last = _note_from(file, low)
    except FileNotFoundError:
        return None
    return last[0] if last is not None and _signed_up_to(last[0], partition) >= position else None


def _note_from(file: BinaryIO, offset: int) -> tuple[str, int] | None:
    """The first whole note that begins at or after a place in the file, and where it ends."""
    begin = max(0, offset - len(_END))
    file.seek(begin)
    window = file.read(_WINDOW_BYTES)
    start = 0
    if offset > 0:
        start = window.find(_END) + len(_END)
        if start >= len(_END) and window.startswith(_DASH, start):
            start = window.find(_END, start) + len(_END)
        if start < len(_END):
            return None
    text_end = window.find(_END, start)
    end = window.find(_END, text_end + len(_END)) if text_end >= 0 else -1
    if end < 0:
        return None
    return window[start : end + 1].decode(), begin + end + len(_END)


def _signed_up_to(note: str, partition: int) -> int:
    head = Checkpoint.parse(SignedNote.parse(note).text).heads.get(partition)
    return head.position if head is not None else 0
