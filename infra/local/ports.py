"""Chooses loopback ports, the same ones as last time whenever they are still free."""

import random
import socket
from pathlib import Path

from infra.errors import ServerFailed

LOOPBACK = "127.0.0.1"
# Below the range from which systems draw ports of outgoing connections, so that no client of ours or of others
# sits on a remembered port by accident.
PORT_FIRST = 20_000
PORT_LAST = 29_999
ATTEMPTS_MAX = 200


def choose_port(remembered_in: Path) -> int:
    """The port written in the file when it is free, otherwise a new free one, which is then written there.

    Kafka clients keep the advertised address, so a stack that comes back should come back at the same place.
    """
    former = _read_port(remembered_in)
    if former is not None and is_free(former):
        return former
    for _ in range(ATTEMPTS_MAX):
        port = random.randint(PORT_FIRST, PORT_LAST)
        if is_free(port):
            remembered_in.write_text(f"{port}\n")
            return port
    raise ServerFailed(f"no free port between {PORT_FIRST} and {PORT_LAST} on {LOOPBACK}")


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: connections of the former run that still linger must not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _read_port(file: Path) -> int | None:
    try:
        port = int(file.read_text())
    except (OSError, ValueError):
        return None
    return port if PORT_FIRST <= port <= PORT_LAST else None
