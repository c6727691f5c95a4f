"""The file of checkpoints: one chain, whoever appends; whatever is done to it shows."""

import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.kernel.proof.checkpoint import Checkpoint
from services.kernel.proof.checkpoint_file import BrokenCheckpoints, append, check, exchange_key, last_note
from services.kernel.proof.finding import Wrong
from services.kernel.proof.kept_checkpoints import notes_of, read_kept
from services.kernel.proof.signed_note import SigningKey, VerifyingKey, create_key, load_key, written
from tests.support.checkpoints import SERVICE, checkpoint_after, head, new_key

POSITIONS = [(0, 0), (3, 1), (3, 4), (9, 4)]


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return new_key(tmp_path)


@pytest.fixture
def path(tmp_path: Path, key: SigningKey) -> Path:
    """A file of four checkpoints of two partitions."""
    made = tmp_path / "checkpoints" / f"{SERVICE}.checkpoints"
    for positions in POSITIONS:
        assert _append(made, key, *positions) is not None
    return made


def _append(path: Path, key: SigningKey, *positions: int, **changes: Any) -> Checkpoint | None:
    return append(path, SERVICE, lambda: [key], lambda before: checkpoint_after(before, *positions, **changes))


def _checkpoints(path: Path, key: SigningKey) -> list[Checkpoint]:
    checked = check(path.read_bytes(), SERVICE, [key.public])
    assert checked.findings == ()
    return list(checked.checkpoints)


def test_what_was_appended_is_read_again(path: Path, key: SigningKey) -> None:
    found = _checkpoints(path, key)
    assert [(c.number, c.size, dict(c.heads)) for c in found] == [
        (number, a + b, {0: head(a), 1: head(b)}) for number, (a, b) in enumerate(POSITIONS, 1)
    ]
    assert all(later.previous == earlier.digest for earlier, later in itertools.pairwise(found))
    assert last_note(path) == written(found[-1].text, [key])[:-1]


def test_a_long_file_is_followed_on_from_its_end(path: Path, key: SigningKey) -> None:
    for position in range(10, 200):
        _append(path, key, position, 4)
    assert path.stat().st_size > 64 * 1024
    assert len(_checkpoints(path, key)) == 194


def test_nothing_is_appended_where_nothing_is_new(path: Path, key: SigningKey) -> None:
    before = path.read_bytes()
    assert append(path, SERVICE, lambda: [key], lambda last: None) is None
    assert path.read_bytes() == before


def test_wherever_a_kill_tears_the_last_one_it_is_no_fault_and_is_replaced(path: Path, key: SigningKey) -> None:
    whole = path.read_bytes()
    start = len(whole) - len(written(_checkpoints(path, key)[-1].text, [key]).encode())
    for end in range(start + 1, len(whole)):
        checked = check(whole[:end], SERVICE, [key.public])
        assert (len(checked.checkpoints), checked.findings, checked.unfinished_bytes) == (3, (), end - start)
    # The one that was torn may have been longer, for it had more partitions or signatures.
    for torn in (whole[: start + 1], whole[: len(whole) - 150], whole[:-1], whole[:start] + b"x" * 5_000):
        path.write_bytes(torn)
        _append(path, key, 9, 4)
        assert path.read_bytes() == whole


def _swap(notes: list[str]) -> None:
    notes[1], notes[2] = notes[2], notes[1]


@pytest.mark.parametrize(
    ("change", "place", "says"),
    [
        (lambda notes: notes.pop(0), 1, "number 2 after 0"),
        (lambda notes: notes.pop(1), 2, "number 3 after 1"),
        (_swap, 2, "number 3 after 1"),
        (lambda notes: notes.insert(1, notes[1]), 3, "number 2 after 2"),
        (lambda notes: notes.__setitem__(1, notes[1].replace("head 1 1 ", "head 1 2 ")), 2, "contradict each other"),
        (lambda notes: notes.__setitem__(1, notes[1].replace("time 2026-01", "time 2026-02")), 2, "over another text"),
        (lambda notes: notes.__setitem__(1, notes[1].replace("\n\n", "\n")), 2, "not those of a checkpoint"),
    ],
)
def test_an_altered_file_is_found(
    path: Path, key: SigningKey, change: Callable[[list[str]], object], place: int, says: str
) -> None:
    notes = re.findall(r".+?\n\n\u2014.+?\n\n", path.read_text(), re.DOTALL)
    assert len(notes) == 4
    change(notes)
    (finding,) = check("".join(notes).encode(), SERVICE, [key.public]).findings
    assert (finding.what, finding.position) == (Wrong.CHECKPOINT, place)
    assert says in finding.found


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"heads": {0: head(9), 1: head(3)}}, "rolled back"),
        ({"heads": {0: head(9)}}, "no head in partition 1"),
        ({"heads": {0: head(9, "other"), 1: head(4)}}, "a fork"),
        ({"previous": bytes(32)}, "link to 0000000000000000"),
        ({"genesis": bytes(32)}, "another genesis"),
        ({"number": 7}, "number 7 after 4"),
        ({"service": "other"}, "a checkpoint of other"),
        ({"time": checkpoint_after(None).time}, "time 2026"),
    ],
)
def test_a_checkpoint_that_cannot_follow_is_found_though_it_is_signed(
    path: Path, key: SigningKey, changes: dict[str, Any], says: str
) -> None:
    _append(path, key, 9, 4, **changes)
    checked = check(path.read_bytes(), SERVICE, [key.public])
    (finding,) = checked.findings
    assert (len(checked.checkpoints), finding.position) == (4, 5)
    assert says in finding.found


def test_a_signature_by_an_unknown_key_is_found(tmp_path: Path, path: Path) -> None:
    stranger = new_key(tmp_path, "stranger")
    (finding,) = check(path.read_bytes(), SERVICE, [stranger.public]).findings
    assert (finding.position, finding.found[:27]) == (1, "signature by an unknown key")
    with pytest.raises(BrokenCheckpoints, match="not signed by this service's key"):
        _append(path, stranger, 10, 4)


def test_a_key_is_exchanged_by_a_checkpoint_that_both_sign(tmp_path: Path, path: Path, key: SigningKey) -> None:
    new = new_key(tmp_path, "new")
    append(path, SERVICE, lambda: [key, new], lambda before: checkpoint_after(before, 9, 4, next_key=new.public))
    with pytest.raises(BrokenCheckpoints, match="hands over to the key"):
        _append(path, key, 10, 4)
    _append(path, new, 10, 4)
    assert len(_checkpoints(path, key)) == 6
    content = path.read_text()
    last = checkpoint_after(_checkpoints(path, key)[-1], 11, 4)
    forged = check((content + written(last.text, [key])).encode(), SERVICE, [key.public])
    assert [finding.position for finding in forged.findings] == [7]


@pytest.mark.parametrize("killed_after", [None, "the new key was made", "the checkpoint was written"])
def test_an_exchange_that_was_killed_is_finished(
    tmp_path: Path, path: Path, key: SigningKey, killed_after: str | None
) -> None:
    place, origin = tmp_path / "key.pem", key.name
    if killed_after is not None:
        new = create_key(tmp_path / "key.next.pem", origin)
        if killed_after == "the checkpoint was written":
            append(
                path, SERVICE, lambda: [key, new], lambda before: checkpoint_after(before, 9, 4, next_key=new.public)
            )
    public = exchange_key(path, SERVICE, place, checkpoint_after(None).time)
    assert load_key(place, origin).public == public != key.public
    assert not (tmp_path / "key.next.pem").exists()
    assert [(c.number, c.next_key) for c in _checkpoints(path, key)][-1] == (5, public)
    assert _append(path, load_key(place, origin), 10, 4) is not None
    assert len(_checkpoints(path, key)) == 6


def test_a_key_is_not_exchanged_before_anything_was_signed(tmp_path: Path, key: SigningKey) -> None:
    with pytest.raises(BrokenCheckpoints, match="no checkpoint yet"):
        exchange_key(tmp_path / "absent", SERVICE, tmp_path / "key.pem", checkpoint_after(None).time)
    assert load_key(tmp_path / "key.pem", key.name).public == key.public


@pytest.mark.parametrize("signers", [("old",), ("new",)])
def test_a_key_is_not_exchanged_by_one_alone(
    tmp_path: Path, path: Path, key: SigningKey, signers: tuple[str, ...]
) -> None:
    new = new_key(tmp_path, "new")
    last = checkpoint_after(_checkpoints(path, key)[-1], 9, 4, next_key=new.public)
    keys = [{"old": key, "new": new}[name] for name in signers]
    (finding,) = check(path.read_bytes() + written(last.text, keys).encode(), SERVICE, [key.public]).findings
    assert finding.position == 5


def _kept(path: Path, keys: list[VerifyingKey], *witnessed: str) -> list[tuple[Wrong, int]]:
    kept = read_kept(path.parent, SERVICE, {f"policy-ledger/{SERVICE}": keys}, witnessed)
    return [(finding.what, finding.position) for finding in kept.findings]


def test_what_a_witness_kept_shows_a_file_that_was_cut_or_written_anew(path: Path, key: SigningKey) -> None:
    kept = path.with_name("kept")
    kept.write_text(last_note(path) or "")
    (note,) = notes_of(kept)
    assert _kept(path, [key.public], note) == []
    signed = read_kept(path.parent, SERVICE, {f"policy-ledger/{SERVICE}": [key.public]}).signed
    assert [mark.position for mark in signed[0]] == [0, 3, 9]
    os.truncate(path, path.read_text().encode().index(b"number 3") - 60)
    assert _kept(path, [key.public], note) == [(Wrong.CUT, 4)]
    path.unlink()
    for _ in range(4):
        _append(path, key, 1, 1)
    assert _kept(path, [key.public], note) == [(Wrong.REWRITTEN, 4)]


def test_a_witness_of_another_service_says_nothing_and_one_of_another_key_is_named(
    tmp_path: Path, path: Path, key: SigningKey
) -> None:
    stranger = new_key(tmp_path, "stranger")
    assert _kept(path, [key.public], written(checkpoint_after(None, 1, service="other").text, [stranger])) == []
    assert _kept(path, [key.public], written(checkpoint_after(None, 1).text, [stranger])) == [(Wrong.CHECKPOINT, 1)]
