"""Starts a new chain of checkpoints where a restore that people have accepted put the log behind what was signed.

The old file stays beside the new one under a dated name, with a note, signed by the service's key, of who accepted
it and why. The note names the new chain's first checkpoint; without one, nobody goes on after another chain.

    policy-ledger/<service>            the key's name, as in a checkpoint
    new-chain <hex>                    sha256 of the text of the new chain's first checkpoint
    former <hex>                       sha256 of the old file
    time <ISO 8601>
    by <who>
    reason <why>
    because <what did not fit>
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.kernel.log.event_log import Connection
from services.kernel.proof.checkpoint import NO_PREVIOUS, Checkpoint, origin_of
from services.kernel.proof.checkpoint_file import BrokenCheckpoints, checkpoint_path, locked, split, sync_folder
from services.kernel.proof.finding import Finding, Wrong
from services.kernel.proof.kept_checkpoints import read_kept
from services.kernel.proof.signed_log import recomputed
from services.kernel.proof.signed_note import SignedNote, SigningKey, VerifyingKey, written

_MAY_BE_A_RESTORE = (Wrong.CUT, Wrong.REWRITTEN, Wrong.GENESIS, Wrong.CHECKPOINT)


class NoNewChain(Exception):
    """A new chain is not started; the message says why."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who accepts that the log is not the one that was signed, and why."""

    by: str
    reason: str
    time: datetime


@dataclass(frozen=True, slots=True)
class NewChain:
    """The first checkpoint, what did not fit the old ones, where those are kept, and the note about it."""

    first: Checkpoint
    because: str
    former: Path
    note: Path


def remedy(service: str, findings: Sequence[Finding]) -> str:
    """What ends findings that an accepted restore explains; empty where there are none."""
    if not any(finding.what in _MAY_BE_A_RESTORE for finding in findings):
        return ""
    command = f"pledger checkpoint new-chain {service} --by NAME --reason TEXT"
    return f"If {service} was restored on purpose, and what that lost is accepted: `{command}` begins a new chain."


async def start_new_chain(
    connection: Connection,
    folder: Path,
    service: str,
    key: SigningKey,
    trusted: Sequence[VerifyingKey],
    acceptance: Acceptance,
) -> NewChain:
    """Begin a new file with a checkpoint of the log as it is now; each step can be made again after a kill.

    The log is recomputed from its first event on. Raises NoNewChain where the log fits its last checkpoint, where
    there is none, and where the log's own chain is broken.
    """
    path = checkpoint_path(folder, service)
    if not path.exists():
        raise NoNewChain(f"{service} has signed nothing yet, so there is no chain to replace")
    because = await _misfit(connection, folder, service, trusted)
    try:
        log = await recomputed(connection, None, {})
    except BrokenCheckpoints as broken:
        raise NoNewChain(f"the log itself is damaged ({broken}); `pledger verify` says where") from broken
    first = Checkpoint(service, 1, acceptance.time, log.genesis, NO_PREVIOUS, log.heads)
    mark = acceptance.time.astimezone(UTC).strftime("%Y%m%dt%H%M%S%fz")
    former = path.with_name(f"{path.name}.{mark}")
    note = former.with_name(f"{former.name}.note")
    with locked(path) as file:
        digest = hashlib.sha256(file.read()).hexdigest()
        _write(note, written(_note_text(service, first, digest, acceptance, because), [key]))
        _write(coming := path.with_name(f"{path.name}.coming"), written(first.text, [key]))
        # At every moment there is a whole file under the name; who waits for the lock looks at the name again.
        os.link(path, former)
        coming.replace(path)
        sync_folder(folder)
    return NewChain(first, because, former, note)


async def _misfit(connection: Connection, folder: Path, service: str, trusted: Sequence[VerifyingKey]) -> str:
    """Why the chain cannot go on after the last checkpoint of the file."""
    kept = read_kept(folder, service, {origin_of(service): trusted})
    if kept.findings:
        return kept.findings[0].problem
    if not kept.checkpoints:
        raise NoNewChain(f"{service} has signed nothing yet, so there is no chain to replace")
    last = kept.checkpoints[-1]
    try:
        await recomputed(connection, last, {})
    except BrokenCheckpoints as broken:
        return str(broken)
    raise NoNewChain(f"nothing is wrong: the log of {service} fits {last.label}, and its chain goes on from there")


def _note_text(service: str, first: Checkpoint, former: str, acceptance: Acceptance, because: str) -> str:
    return (
        f"{origin_of(service)}\nnew-chain {first.digest.hex()}\nformer {former}\ntime {acceptance.time.isoformat()}\n"
        f"by {acceptance.by}\nreason {acceptance.reason}\nbecause {because}\n"
    )


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def is_accepted(path: Path, key: VerifyingKey) -> bool:
    """Whether the file begins with a checkpoint that an acceptance, signed by the key, names as the first."""
    notes, _ = split(path.read_bytes()) if path.exists() else ([], 0)
    if not notes:
        return False
    wanted = f"new-chain {SignedNote.parse(notes[0]).digest.hex()}"
    for note in path.parent.glob(f"{path.name}.*.note"):
        try:
            signed = SignedNote.parse(note.read_text())
        except ValueError:
            continue
        if wanted in signed.text.splitlines()[1:2] and signed.signed_by([key]):
            return True
    return False
