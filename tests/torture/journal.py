"""What the load has sent: written down before it is sent, with what must become of it."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from services.demo.raw import RawMessage


@dataclass(frozen=True, slots=True)
class Entry:
    """One message. `kind` is orders, payments, claims or poison; a copy asks for nothing new."""

    kind: str
    channel: str
    key: str | None
    value: bytes | None
    reference: str
    expected: str
    copy: bool = False

    @staticmethod
    def of(kind: str, message: RawMessage) -> "Entry":
        """The entry of a message of a generated book."""
        return Entry(kind, message.channel, message.key, message.value, message.reference, str(message.expected))


@dataclass
class Journal:
    """The list of all messages, in the file first and in memory after that."""

    file: TextIO
    entries: list[Entry] = field(default_factory=list)

    @staticmethod
    def at(path: Path) -> "Journal":
        """A new journal at this path."""
        return Journal(path.open("w", encoding="utf-8"))

    def write(self, entry: Entry) -> None:
        """Write the entry down; only then may it be sent."""
        line = {
            "no": len(self.entries) + 1,
            "kind": entry.kind,
            "channel": entry.channel,
            "reference": entry.reference,
            "expected": entry.expected,
            "copy": entry.copy,
            "sha256": hashlib.sha256(entry.value or b"").hexdigest(),
            **_money(entry.value),
        }
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()
        self.entries.append(entry)


def _money(value: bytes | None) -> dict[str, object]:
    try:
        content = json.loads(value or b"")
        amounts = {name: content[name] for name in ("premium_minor", "amount_minor", "currency") if name in content}
    except (ValueError, TypeError, RecursionError):
        # Much of what is sent is no message at all.
        return {}
    return amounts
