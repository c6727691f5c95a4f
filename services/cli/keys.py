"""The keys that sign the checkpoints of this machine's stack: made once, kept beside its data."""

from pathlib import Path

from contracts.topics import ServiceName
from services.kernel.proof.checkpoint import origin_of
from services.kernel.proof.signed_note import VerifyingKey, create_key, load_key, load_public_keys

_HEADING = "# Public keys of the services that sign checkpoints. Keep a copy where the data cannot be reached from.\n"


def checkpoints_folder(data: Path) -> Path:
    """Where the services append their checkpoints."""
    return data / "checkpoints"


def key_path(data: Path, service: str) -> Path:
    """The private key of a service."""
    return data / "keys" / f"{service}.pem"


def public_keys_path(data: Path) -> Path:
    """The file of all public keys, one a line."""
    return data / "keys" / "public-keys"


def ensure_keys(data: Path) -> None:
    """Make the keys that are missing, and name each in the file of public keys."""
    for service in ServiceName:
        path, name = key_path(data, service), origin_of(service)
        key = load_key(path, name) if path.exists() else create_key(path, name)
        publish_key(data, key.public)


def publish_key(data: Path, key: VerifyingKey) -> None:
    """Add a key to the file of public keys, unless it is there."""
    path = public_keys_path(data)
    known = load_public_keys(path) if path.exists() else {}
    if key in known.get(key.name, ()):
        return
    with path.open("a") as file:
        file.write(("" if known else _HEADING) + key.text + "\n")
