"""Signs the heads of a service's log from time to time, after walking the chain from what was signed before.

The process whose relay works signs, so that of several replicas one does; a lock on the file keeps the chain of
checkpoints single even while that changes hands. Nothing is signed that was not recomputed here: where the
log no longer follows from the last checkpoint, signing stops and says why, until people have begun a new chain.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg

from services.kernel import clock
from services.kernel.log.event_log import Head
from services.kernel.log.log_reader import LogReader
from services.kernel.proof.checkpoint import NO_PREVIOUS, Checkpoint, origin_of
from services.kernel.proof.checkpoint_file import BrokenCheckpoints, append, checkpoint_path, last_note
from services.kernel.proof.new_chain import is_accepted
from services.kernel.proof.signed_log import LogHeads, recomputed
from services.kernel.proof.signed_note import SignedNote, load_key, written
from services.kernel.settings import ServiceSettings

_POLL_SECONDS = 0.5

log = logging.getLogger(__name__)


class CheckpointSigner:
    """One per service process; does nothing where no key or no folder is configured."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        service: str,
        settings: ServiceSettings,
        reader: LogReader,
        in_charge: Callable[[], bool],
    ) -> None:
        self._pool = pool
        self._service = service
        self._seconds = settings.checkpoint_seconds
        self._events = settings.checkpoint_events
        self._key: Path | None = settings.signing_key
        self._file: Path | None = None
        if settings.checkpoints_folder is not None and self._key is not None:
            self._file = checkpoint_path(settings.checkpoints_folder, service)
            # A key that cannot be used must show when the service starts, not hours later.
            load_key(self._key, origin_of(service))
        self._reader = reader
        self._in_charge = in_charge
        self._signed: Checkpoint | None = None
        self._walked: dict[int, Head] = {}
        self._lock = asyncio.Lock()
        self.stopped_because: str | None = None
        self._refused: str | None = None
        """The last note of a file that was looked at and cannot be followed on."""

    @property
    def status(self) -> str:
        """What it does, for people."""
        if self._file is None:
            return "off: no signing key or no folder for checkpoints is configured"
        if self.stopped_because is not None:
            return f"stopped: {self.stopped_because}"
        if not self._in_charge():
            return "standby"
        return self._signed.label if self._signed else "no checkpoint yet"

    @property
    def number(self) -> int:
        """The last checkpoint that this process has signed or seen, 0 before."""
        return self._signed.number if self._signed else 0

    def latest(self) -> str | None:
        """The last checkpoint in the file, as a signed note."""
        return None if self._file is None else last_note(self._file)

    @property
    def file(self) -> Path | None:
        """Where the checkpoints are, None where nothing is signed."""
        return self._file

    def signed_note(self, text: str) -> str | None:
        """The text as a note signed by the service's key, None where it has no key or has stopped signing.

        Whoever calls it makes sure that no checkpoint can read like the text.
        """
        if self._file is None or self._key is None or self.stopped_because is not None:
            return None
        return written(text, [load_key(self._key, origin_of(self._service))])

    async def run(self) -> None:
        """Sign every `checkpoint_seconds`, or `checkpoint_events`, until cancelled; only what is new."""
        due = 0.0
        while self._file is not None:
            if self.stopped_because is not None:
                await self._begin_anew()
            grown = sum(self._reader.heads) - (self._signed.size if self._signed else -1)
            if self._in_charge() and grown and (time.monotonic() >= due or grown >= self._events):
                try:
                    await self.sign()
                except Exception as error:
                    log.warning("no checkpoint signed: %s: %s", type(error).__name__, error)
                due = time.monotonic() + self._seconds
            await asyncio.sleep(min(_POLL_SECONDS, self._seconds))

    async def _begin_anew(self) -> None:
        """Go on where a new chain of checkpoints was begun, and accepted under this service's key."""
        if self._file is None or self._key is None or last_note(self._file) == self._refused:
            return
        try:
            key = load_key(self._key, origin_of(self._service)).public
            accepted = await asyncio.to_thread(is_accepted, self._file, key)
        except (OSError, ValueError) as error:
            log.warning("checkpoints not looked at: %s", error)
            return
        self._refused = last_note(self._file)
        if accepted:
            log.info("a new chain of checkpoints was begun; it is gone on with")
            self._signed, self._walked, self.stopped_because = None, {}, None

    async def sign(self) -> Checkpoint | None:
        """Sign the heads if they have moved since the last checkpoint; returns that checkpoint."""
        if self._file is None or self._key is None or self.stopped_because is not None:
            return None
        async with self._lock:
            try:
                before = self._read_last(self._file)
                heads = await self._walk(before)
                return await asyncio.to_thread(self._append, self._file, self._key, heads)
            except BrokenCheckpoints as broken:
                self.stopped_because = str(broken)
                self._refused = None
                log.critical("no more checkpoints: %s", broken)
                return None

    def _read_last(self, file: Path) -> Checkpoint | None:
        note = last_note(file)
        try:
            last = Checkpoint.parse(SignedNote.parse(note).text) if note else None
        except ValueError as error:
            raise BrokenCheckpoints(f"the last checkpoint in {file} is not readable: {error}") from error
        if self._signed is not None and (last is None or last.number < self._signed.number):
            raise BrokenCheckpoints(f"{file} has lost {self._signed.label}")
        return last

    async def _walk(self, before: Checkpoint | None) -> LogHeads:
        """The heads, after recomputing every digest since the last checkpoint."""
        async with self._pool.acquire() as connection:
            log = await recomputed(connection, before, self._walked)
        self._walked = dict(log.heads)
        return log

    def _append(self, file: Path, key: Path, heads: LogHeads) -> Checkpoint | None:
        def following(before: Checkpoint | None) -> Checkpoint | None:
            if before is not None and all(
                heads.heads[partition].position <= head.position for partition, head in before.heads.items()
            ):
                # Nothing is new, or another process has signed further on meanwhile.
                self._signed = before
                return None
            number, previous = (before.number, before.digest) if before else (0, NO_PREVIOUS)
            now = max(clock.now(), before.time) if before else clock.now()
            return Checkpoint(self._service, number + 1, now, heads.genesis, previous, heads.heads)

        # The key is read each time: an exchanged one is taken up without a restart.
        made = append(file, self._service, lambda: [load_key(key, origin_of(self._service))], following)
        self._signed = made or self._signed
        return made
