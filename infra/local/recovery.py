"""Runs a server on a copy of a base backup, with archived WAL replayed: the past, for as long as one looks at it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from infra.backup import check_base_backup
from infra.errors import BackupFailed
from infra.local import postgres
from infra.local.embedded import wait_until_ready
from infra.local.ports import LOOPBACK, choose_port
from infra.local.process import ChildProcess

_SEGMENT_NAME_LENGTH = 24


@contextmanager
def recovered_server(base: Path, wal: Path | None, until: datetime | None) -> Iterator[str]:
    """The address of a server that has what was committed before `until`, or all that the WAL has; ends afterwards.

    Neither the base backup nor the archive is changed.
    """
    check_base_backup(base)
    with tempfile.TemporaryDirectory(prefix="ledger-recovery-") as name:
        folder = Path(name)
        data = folder / "data"
        shutil.copytree(base, data, symlinks=True)
        if wal is not None:
            _add_wal(wal, data / "pg_wal")
        # The settings of the server that was copied may name files, ports and logins of another machine.
        (data / "postgresql.conf").write_text("")
        (data / "postgresql.auto.conf").write_text("")
        (data / "pg_hba.conf").write_text(f"host all all {LOOPBACK}/32 trust\n")
        (data / "recovery.signal").touch()
        postgres.give_to_server(data)
        port = choose_port(folder / "port")
        server = ChildProcess(postgres.command(folder, port, _settings(until)))
        try:
            wait_until_ready("PostgreSQL", server, lambda: postgres.is_ready(port))
            yield postgres.dsn(port)
        finally:
            server.stop()


def _settings(until: datetime | None) -> dict[str, str]:
    """All WAL lies in the server's own folder already; the account that it runs as may not reach the archive."""
    target = {} if until is None else {"recovery_target_time": until.isoformat()}
    # The copy is thrown away: it need not survive a crash, nor wait for connections while it is not consistent.
    return {
        "restore_command": "false",
        "recovery_target_action": "promote",
        "hot_standby": "off",
        "fsync": "off",
        **target,
    }


def _add_wal(archive: Path, own: Path) -> None:
    """What the archive has replaces what came with the base backup; the last segment may still be a partial one."""
    found = {path.name.removesuffix(".partial"): path for path in sorted(archive.iterdir(), reverse=True)}
    segments = {name: path for name, path in found.items() if name.endswith(".history") or _is_segment(name)}
    if not segments:
        raise BackupFailed(f"{archive} holds no WAL; LEDGER_WAL names the folder that `pledger up` writes it to")
    needed = min((path.name for path in own.iterdir() if _is_segment(path.name)), default="")
    for name, path in segments.items():
        if name[8:] >= needed[8:]:
            shutil.copyfile(path, own / name)


def _is_segment(name: str) -> bool:
    return len(name) == _SEGMENT_NAME_LENGTH and not set(name) - set("0123456789ABCDEF")
