"""Copies of databases by PostgreSQL's own programs, from any server: dumps, base backups, and the stream of WAL."""

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from infra.errors import BackupFailed
from infra.local.postgres import program
from infra.local.process import LOG_TAIL_BYTES

WAL_VARIABLE = "LEDGER_WAL"
MANIFEST = "backup_manifest"
SLOT = "ledger_archive"
_JOBS_MAX = 4


def dump(dsn: str, file: Path, snapshot: str | None = None) -> int:
    """Write one database to a new file, as of a snapshot that another session holds. Returns the bytes written.

    No half file is left where it fails.
    """
    if file.exists():
        raise BackupFailed(f"{file} exists; a backup never overwrites another, name a new file")
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    chosen = [f"--snapshot={snapshot}"] if snapshot is not None else []
    try:
        _run("pg_dump", dsn, "--format=custom", *chosen, f"--file={partial}")
        partial.replace(file)
        return file.stat().st_size
    finally:
        partial.unlink(missing_ok=True)


def load(file: Path, dsn: str) -> None:
    """Fill an empty database from a dump. Owners and grants are left out: they belong to the server, not the copy."""
    if not file.is_file():
        raise BackupFailed(f"there is no file {file}")
    jobs = min(_JOBS_MAX, os.cpu_count() or 1)
    _run("pg_restore", dsn, "--exit-on-error", "--no-owner", "--no-privileges", f"--jobs={jobs}", str(file))


def base_backup(dsn: str, folder: Path) -> None:
    """Copy the whole server, all databases, into a new folder, and check every file of the copy."""
    if folder.exists() and any(folder.iterdir()):
        raise BackupFailed(f"{folder} is not empty; a backup never overwrites another, name a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    _run(
        "pg_basebackup",
        dsn,
        f"--pgdata={folder}",
        "--wal-method=stream",
        "--checkpoint=fast",
        "--manifest-checksums=SHA256",
    )
    check_base_backup(folder)


def check_base_backup(folder: Path) -> None:
    """Compare every file with the sizes and sums that the server wrote down. PostgreSQL's own pg_verifybackup does
    this as well, but that of the bundled release crashes.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise BackupFailed(f"{folder} is no base backup; `pledger base-backup` makes one")
    for entry in json.loads(manifest.read_text())["Files"]:
        path = folder / (entry["Path"] if "Path" in entry else bytes.fromhex(entry["Encoded-Path"]).decode())
        if not path.is_file() or path.stat().st_size != entry["Size"] or _sha256(path) != entry["Checksum"]:
            raise BackupFailed(f"{path} is missing or was altered; this base backup cannot be used")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def create_slot(dsn: str, folder: Path, slot: str = SLOT) -> None:
    """Let the server keep its WAL until the archive has it; nothing happens where that is so already."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("pg_receivewal", dsn, f"--slot={slot}", "--create-slot", "--if-not-exists")


def drop_slot(dsn: str, slot: str = SLOT) -> None:
    """Let the server forget WAL again; the archive then ends here."""
    _run("pg_receivewal", dsn, f"--slot={slot}", "--drop-slot")


def wal_receiver(dsn: str, folder: Path, slot: str = SLOT) -> tuple[tuple[str, ...], dict[str, str]]:
    """Command line and variables of the program that writes the server's WAL to a folder as it is made."""
    address, variables = _without_password(dsn)
    options = (f"--directory={folder}", f"--slot={slot}", "--synchronous", "--no-loop")
    return (str(program("pg_receivewal")), f"--dbname={address}", *options), variables


def _run(name: str, dsn: str, *options: str) -> None:
    address, variables = _without_password(dsn)
    _call([str(program(name)), f"--dbname={address}", *options], environment(variables))


def _call(argv: list[str], variables: Mapping[str, str]) -> None:
    with tempfile.TemporaryFile() as output:
        result = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=dict(variables), check=False
        )
        if result.returncode != 0:
            output.seek(0)
            said = output.read()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()
            raise BackupFailed(f"{Path(argv[0]).name} failed:\n{said}")


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Nothing of PG* of the caller's may send a backup elsewhere."""
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC", **variables}


def _without_password(dsn: str) -> tuple[str, dict[str, str]]:
    """The address for the command line, which everybody on the machine can read, and the password apart from it."""
    parts = urlsplit(dsn)
    if parts.password is None:
        return dsn, {}
    user, _, host = parts.netloc.rpartition("@")
    address = urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}"))
    return address, {"PGPASSWORD": unquote(parts.password)}
