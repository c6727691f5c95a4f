"""Signed notes, as transparency logs use them: a text, an empty line, and a line for each Ed25519 signature.

    <text, one or more lines>
    <empty line>
    (em dash) <key name> <base64 of 4 bytes key id and 64 bytes signature>

The signature is over the text with its last line feed. The key id is the start of sha256(name || 0x0A || 0x01 ||
public key). A public key is written `<name>+<key id in hexadecimal>+<base64 of 0x01 and the key>`. This is the format
of c2sp.org/signed-note, so other programs can check it.
"""

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_ED25519 = b"\x01"
_DASH = "\u2014"
_KEY_ID_BYTES = 4


class WrongKey(ValueError):
    """A key file that cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key with the name that it signs under."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key in one line."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @staticmethod
    def parse(text: str) -> "VerifyingKey":
        """The key of a line. Raises WrongKey."""
        try:
            name, key_id, encoded = text.strip().split("+", 2)
            content = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise WrongKey(f"{text[:60]!r} is not a public key") from error
        key = VerifyingKey(name, content[1:])
        if content[:1] != _ED25519 or len(key.public) != 32 or key.id.hex() != key_id:
            raise WrongKey(f"{text[:60]!r} is not an Ed25519 public key, or was altered")
        return key

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether the signature over the text is of this key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the name that it signs under."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> VerifyingKey:
        """The public half."""
        return VerifyingKey(self.name, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def signature_line(self, text: str) -> str:
        """The line that signs the text."""
        content = self.public.id + self.private.sign(text.encode())
        return f"{_DASH} {self.name} {base64.b64encode(content).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text with its signatures: (key name, key id, signature)."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    @property
    def digest(self) -> bytes:
        """sha256 of the text. Signatures are not in it, so that a witness can add one."""
        return hashlib.sha256(self.text.encode()).digest()

    def signed_by(self, keys: Iterable[VerifyingKey]) -> list[VerifyingKey]:
        """Those of the keys that have signed the text. A signature by one of them that is wrong counts for nothing."""
        by_id = {(key.name, key.id): key for key in keys}
        found = [(by_id.get((name, key_id)), signature) for name, key_id, signature in self.signatures]
        return [key for key, signature in found if key is not None and key.signed(self.text, signature)]

    @staticmethod
    def parse(content: str) -> "SignedNote":
        """The note of its written form. Raises ValueError."""
        text, separator, lines = content.partition("\n\n")
        if not separator or not lines.strip():
            raise ValueError("a signed note is a text, an empty line, and signatures")
        return SignedNote(text + "\n", tuple(_signature(line) for line in lines.strip("\n").split("\n")))


def _signature(line: str) -> tuple[str, bytes, bytes]:
    try:
        dash, name, encoded = line.split(" ")
        content = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"{line[:60]!r} is not a signature line") from error
    if dash != _DASH or len(content) != _KEY_ID_BYTES + 64:
        raise ValueError(f"{line[:60]!r} is not a signature line")
    return name, content[:_KEY_ID_BYTES], content[_KEY_ID_BYTES:]


def written(text: str, keys: Iterable[SigningKey]) -> str:
    """The note of a text, signed by the keys, with the empty line that ends it in a file of notes."""
    return text + "\n" + "".join(key.signature_line(text) for key in keys) + "\n"


def create_key(path: Path, name: str) -> SigningKey:
    """Make a key in a new file that its owner alone may read. Raises FileExistsError."""
    key = SigningKey(name, Ed25519PrivateKey.generate())
    content = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return key


def load_key(path: Path, name: str) -> SigningKey:
    """The key of a file. Raises WrongKey where it is no Ed25519 key or others may read it."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise WrongKey(f"{path} may be read by others than its owner; run: chmod 600 {path}")
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, WrongKey):
            raise
        raise WrongKey(f"{path} is not a readable key in PEM form: {error}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise WrongKey(f"{path} holds a key that is not Ed25519")
    return SigningKey(name, private)


def load_public_keys(path: Path) -> Mapping[str, list[VerifyingKey]]:
    """Public keys of a file with one a line, by name. Empty lines and lines that start with # are skipped."""
    found: dict[str, list[VerifyingKey]] = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            key = VerifyingKey.parse(line)
            found.setdefault(key.name, []).append(key)
    return found
