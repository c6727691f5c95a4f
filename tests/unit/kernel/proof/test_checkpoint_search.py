"""The first checkpoint that covers a position is found without reading the whole file."""

from pathlib import Path

import pytest

from services.kernel.proof.checkpoint import Checkpoint
from services.kernel.proof.checkpoint_file import check
from services.kernel.proof.checkpoint_search import covering_note
from services.kernel.proof.signed_note import SignedNote, written
from tests.support.checkpoints import SERVICE, checkpoint_after, new_key

NOTES = 200


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints with the first partition at 10, 20, 30 ... and the second at 0, 1, 1, 2, 2, 3, 3 ..."""
    folder = tmp_path_factory.mktemp("notes")
    key, before, notes = new_key(folder), None, []
    for n in range(1, NOTES + 1):
        before = checkpoint_after(before, 10 * n, n // 2)
        notes.append(written(before.text, [key]))
    made = folder / "checkpoints"
    made.write_text("".join(notes), encoding="utf-8")
    assert not check(made.read_bytes(), SERVICE, [key.public]).findings
    return made


def number(path: Path, partition: int, position: int) -> int | None:
    note = covering_note(path, partition, position)
    return None if note is None else Checkpoint.parse(SignedNote.parse(note).text).number


def test_the_first_that_covers_is_found_wherever_it_is(path: Path) -> None:
    assert path.stat().st_size > 64 * 1024
    for n in range(1, NOTES + 1):
        assert [number(path, 0, position) for position in (10 * n - 9, 10 * n)] == [n, n]
        assert number(path, 1, n // 2 + 1) == (2 * (n // 2 + 1) if n < NOTES else None)


def test_beyond_the_last_there_is_none(path: Path) -> None:
    assert number(path, 0, 10 * NOTES + 1) is None
    assert number(path, 7, 1) is None
    assert covering_note(path.with_name("nothing"), 0, 1) is None


def test_an_unfinished_one_at_the_end_is_not_there_yet(path: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.write_bytes(path.read_bytes()[:-20])
    assert number(cut, 0, 10 * NOTES) is None
    assert number(cut, 0, 10 * NOTES - 10) == NOTES - 1
    empty = tmp_path / "empty"
    empty.touch()
    assert number(empty, 0, 1) is None
