"""After an accepted restore a new chain of checkpoints begins, and only then."""

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.kernel.process.runtime import Kernel
from services.kernel.proof.checkpoint import Checkpoint, origin_of
from services.kernel.proof.checkpoint_file import append, check, checkpoint_path, locked
from services.kernel.proof.finding import Finding, Wrong
from services.kernel.proof.kept_checkpoints import read_kept
from services.kernel.proof.new_chain import Acceptance, NewChain, NoNewChain, is_accepted, remedy, start_new_chain
from services.kernel.proof.signed_note import SignedNote, SigningKey, create_key
from tests.support.checkpoints import SERVICE, checkpoint_after, new_key
from tests.support.running import Home, eventually
from tests.support.tally import Count, to

ACCEPTED = Acceptance("ann", "the copy of Monday is good enough", datetime(2026, 11, 23, 17, 0, tzinfo=UTC))
_LOSE_THE_END = """
with gone as (delete from log.events where stream = 'tally-t1' and version > $1 returning partition)
update log.log_head h set position = $1, digest = e.digest
  from log.events e where e.partition = h.partition and e.position = $1
   and h.partition in (select partition from gone)
"""


@pytest.fixture
def key(home: Home, tmp_path: Path) -> SigningKey:
    """The key of the home's service."""
    return create_key(tmp_path / "key.pem", origin_of(home.definition.name))


def _kernel(home: Home, folder: Path) -> Kernel:
    changes = {"checkpoints_folder": folder, "signing_key": folder / "key.pem", "checkpoint_seconds": 0.1}
    return Kernel(home.definition, home.settings().model_copy(update=changes))


async def _signed(home: Home, folder: Path, counts: int) -> None:
    """Run the service for some counts; it signs them when it stops."""
    kernel = _kernel(home, folder)
    await kernel.start()
    try:
        for amount in range(counts):
            await home.execute(kernel, to("t1", Count("t1", amount)))
        await home.quiet(kernel)
    finally:
        await kernel.stop()


async def _restored(home: Home, counts: int) -> None:
    """Leave so many events, as an older copy of the database would."""
    async with home.superuser() as superuser, superuser.transaction():
        await superuser.execute(_LOSE_THE_END, counts)


async def _begin(home: Home, folder: Path, key: SigningKey) -> NewChain:
    async with home.superuser() as connection:
        return await start_new_chain(connection, folder, home.definition.name, key, [key.public], ACCEPTED)


def _kept(home: Home, folder: Path, key: SigningKey) -> tuple[tuple[Checkpoint, ...], tuple[Finding, ...]]:
    kept = read_kept(folder, home.definition.name, {key.name: [key.public]})
    return kept.checkpoints, kept.findings


async def test_the_old_file_stays_and_a_signed_note_says_who_and_why(
    home: Home, tmp_path: Path, key: SigningKey
) -> None:
    await _signed(home, tmp_path, 5)
    path = checkpoint_path(tmp_path, home.definition.name)
    old = path.read_bytes()
    await _restored(home, 3)
    begun = await _begin(home, tmp_path, key)
    assert (begun.first.number, begun.first.size, begun.because) == (1, 3, begun.because)
    assert "was at 5 and is at 3" in begun.because
    assert begun.former.read_bytes() == old
    assert begun.former.name == f"{path.name}.20261123t170000000000z"
    note = SignedNote.parse(begun.note.read_text())
    assert note.signed_by([key.public]) == [key.public]
    assert "\nby ann\nreason the copy of Monday is good enough\nbecause partition" in note.text
    assert _kept(home, tmp_path, key) == ((begun.first,), ())
    assert is_accepted(path, key.public)


async def test_a_running_service_goes_on_with_the_new_chain(home: Home, tmp_path: Path, key: SigningKey) -> None:
    await _signed(home, tmp_path, 5)
    async with home.superuser() as superuser:
        await superuser.execute("truncate log.commands")
    await _restored(home, 3)
    kernel = _kernel(home, tmp_path)
    # The topic is ahead of the log, and only a relay that works lets its process sign.
    await kernel.start()
    kernel.signer._in_charge = lambda: True
    try:

        async def stopped() -> bool:
            return kernel.signer.stopped_because is not None

        async def signing() -> bool:
            return kernel.signer.stopped_because is None and kernel.signer.number > 1

        await eventually(stopped, "the signer has seen that the log is another")
        await _begin(home, tmp_path, key)
        await home.execute(kernel, to("t1", Count("t1", 7)))
        await eventually(signing, "the new chain is gone on with")
    finally:
        await kernel.stop()
    checkpoints, findings = _kept(home, tmp_path, key)
    assert ([one.size for one in checkpoints], findings) == ([3, 4], ())


async def test_a_chain_that_nobody_accepted_is_not_gone_on_with(home: Home, tmp_path: Path, key: SigningKey) -> None:
    await _signed(home, tmp_path, 5)
    await _restored(home, 3)
    stranger = create_key(tmp_path / "stranger.pem", key.name)
    begun = await _begin(home, tmp_path, stranger)
    assert not is_accepted(checkpoint_path(tmp_path, home.definition.name), key.public)
    begun.note.unlink()
    assert not is_accepted(checkpoint_path(tmp_path, home.definition.name), stranger.public)


async def test_it_is_refused_where_the_log_fits_the_last_checkpoint(
    home: Home, tmp_path: Path, key: SigningKey
) -> None:
    with pytest.raises(NoNewChain, match="has signed nothing yet"):
        await _begin(home, tmp_path, key)
    await _signed(home, tmp_path, 5)
    before = _names(tmp_path)
    with pytest.raises(NoNewChain, match=r"nothing is wrong: the log of .* fits checkpoint"):
        await _begin(home, tmp_path, key)
    assert _names(tmp_path) == before


async def test_it_is_refused_where_the_log_itself_is_damaged(home: Home, tmp_path: Path, key: SigningKey) -> None:
    await _signed(home, tmp_path, 5)
    await _restored(home, 3)
    async with home.superuser() as superuser:
        await superuser.execute("update log.events set data = '{}' where position = 2")
    with pytest.raises(NoNewChain, match=r"the log itself is damaged .* breaks behind position 1"):
        await _begin(home, tmp_path, key)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_who_waited_for_the_old_file_appends_to_the_new_one(tmp_path: Path) -> None:
    """The lock is on a file, and the file under the name has become another one meanwhile."""
    path, key = tmp_path / "checkpoints", new_key(tmp_path)
    before = append(path, SERVICE, lambda: [key], lambda _: checkpoint_after(None, 5))
    with locked(path):
        waiting = threading.Thread(
            target=append, args=(path, SERVICE, lambda: [key], lambda last: checkpoint_after(last, 9))
        )
        waiting.start()
        blocked = f"-> FLOCK  ADVISORY  WRITE {os.getpid()} "
        while blocked not in Path("/proc/locks").read_text():
            assert waiting.is_alive()
            time.sleep(0.01)
        old = path.rename(tmp_path / "old")
        path.touch()
    waiting.join(10)
    assert before is not None
    assert old.read_text().count(f"number {before.number + 1}\n") == 0
    (made,) = check(path.read_bytes(), SERVICE, [key.public]).checkpoints
    assert (made.number, made.size) == (1, 9)


@pytest.mark.parametrize(("what", "told"), [(Wrong.CUT, True), (Wrong.REWRITTEN, True), (Wrong.READ_MODEL, False)])
def test_verify_tells_of_the_command_where_a_restore_explains_the_finding(what: Wrong, told: bool) -> None:
    sentence = remedy("policy", [Finding(0, 3, what, "this", "that")])
    assert ("pledger checkpoint new-chain policy" in sentence) is told
