"""What a service's checkpoints say about its log: the digests that every position must have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.kernel.proof.chain_walk import SignedDigest
from services.kernel.proof.checkpoint import Checkpoint, genesis_root, origin_of
from services.kernel.proof.checkpoint_file import check, checkpoint_path, split
from services.kernel.proof.finding import Finding, Wrong, short
from services.kernel.proof.signed_note import SignedNote, VerifyingKey


@dataclass(frozen=True, slots=True)
class Kept:
    """The checkpoints of one service that are right, and what is wrong with the rest."""

    checkpoints: tuple[Checkpoint, ...] = ()
    findings: tuple[Finding, ...] = ()
    unfinished_bytes: int = 0
    signed: Mapping[int, Sequence[SignedDigest]] = field(default_factory=dict)


def read_kept(
    folder: Path, service: str, keys: Mapping[str, Sequence[VerifyingKey]], witnessed: Sequence[str] = ()
) -> Kept:
    """Read and check the service's file, and the notes that somebody else kept of it.

    A note kept outside that the file does not have shows that the file was cut or written anew.
    """
    path, trusted = checkpoint_path(folder, service), keys.get(origin_of(service), ())
    checked = check(path.read_bytes() if path.exists() else b"", service, trusted)
    findings, outside = list(checked.findings), []
    for note in witnessed:
        checkpoint, finding = _witness(note, service, trusted, checked.checkpoints)
        outside += [checkpoint] if checkpoint else []
        findings += [finding] if finding else []
    signed: dict[int, list[SignedDigest]] = {}
    for checkpoint in (*checked.checkpoints, *outside):
        for partition, head in checkpoint.heads.items():
            own = signed.setdefault(partition, [])
            if not own or own[-1].position != head.position or own[-1].digest != head.digest:
                own.append(SignedDigest(head.position, head.digest, checkpoint.label))
    return Kept(checked.checkpoints, tuple(findings), checked.unfinished_bytes, signed)


def notes_of(path: Path) -> list[str]:
    """The notes of a file that somebody kept; the end may lack its empty line."""
    return split(path.read_bytes().rstrip(b"\n") + b"\n\n")[0]


def _witness(
    note: str, service: str, trusted: Sequence[VerifyingKey], own: Sequence[Checkpoint]
) -> tuple[Checkpoint | None, Finding | None]:
    try:
        signed = SignedNote.parse(note)
        if signed.text.split("\n", 1)[0] != origin_of(service):
            return None, None
        checkpoint = Checkpoint.parse(signed.text)
    except ValueError as error:
        return None, Finding(-1, 0, Wrong.CHECKPOINT, "a checkpoint in the witness's file", str(error))
    if not signed.signed_by(trusted):
        return None, Finding(-1, checkpoint.number, Wrong.CHECKPOINT, "a known key", "a witness's note of another key")
    if checkpoint.number > len(own):
        found = f"{len(own)} checkpoints in the file"
        return checkpoint, Finding(-1, checkpoint.number, Wrong.CUT, f"{checkpoint.label}, kept by a witness", found)
    mine = own[checkpoint.number - 1]
    if mine.digest != checkpoint.digest:
        expected = f"{short(checkpoint.digest)}, kept by a witness"
        return checkpoint, Finding(
            -1, checkpoint.number, Wrong.REWRITTEN, expected, f"{short(mine.digest)} in the file"
        )
    return checkpoint, None


def against_service(kept: Kept, genesis: Mapping[int, bytes], status: Mapping[str, object] | None) -> list[Finding]:
    """What the running service and its database say that the checkpoints do not."""
    findings = []
    last = kept.checkpoints[-1] if kept.checkpoints else None
    if last is not None and last.genesis != genesis_root(genesis):
        expected, found = f"genesis {short(last.genesis)}, signed in {last.label}", short(genesis_root(genesis))
        findings.append(Finding(-1, 0, Wrong.GENESIS, expected, found))
    if status is not None and not kept.findings:
        number = status["checkpoint_number"]
        if isinstance(number, int) and number > len(kept.checkpoints):
            found = f"{len(kept.checkpoints)} in the file"
            findings.append(Finding(-1, number, Wrong.CUT, f"checkpoint {number}, which the service signed", found))
    if status is not None and str(status["checkpoint"]).startswith("stopped"):
        number = len(kept.checkpoints) + 1
        findings.append(Finding(-1, number, Wrong.CHECKPOINT, f"checkpoint {number}", str(status["checkpoint"])))
    return findings
