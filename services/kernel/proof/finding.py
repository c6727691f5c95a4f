"""What a verification finds wrong: where, what was expected and what is there instead."""

from dataclasses import dataclass
from enum import StrEnum


class Wrong(StrEnum):
    """Kinds of damage."""

    ALTERED = "altered"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "out of order"
    NUMBERING = "wrong version"
    HEAD = "head altered"
    GENESIS = "genesis altered"
    REWRITTEN = "rewritten"
    CUT = "cut short"
    UNREADABLE = "not readable"
    TOPIC_MISSING = "missing on the topic"
    TOPIC_FOREIGN = "on the topic, not in the log"
    TOPIC_DOUBLED = "twice on the topic"
    TOPIC_REORDERED = "out of order on the topic"
    TOPIC_ALTERED = "topic and log differ"
    CHECKPOINT = "checkpoint"
    READ_MODEL = "read model differs"


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing that is wrong in a partition; partition -1 stands for the service as a whole."""

    partition: int
    position: int
    what: Wrong
    expected: str
    found: str
    stream: str = ""

    @property
    def problem(self) -> str:
        """The finding as one sentence."""
        stream = f" in {self.stream}" if self.stream else ""
        return f"{self.what}{stream}: expected {self.expected}, found {self.found}"

    @property
    def show(self) -> str:
        """A statement for psql that shows the place and its neighbours."""
        if self.partition < 0 or self.what is Wrong.READ_MODEL:
            return ""
        if self.what is Wrong.GENESIS:
            return (
                "select partition, convert_from(document, 'UTF8'), encode(digest, 'hex') from log.genesis"
                f" where partition = {self.partition}"
            )
        if self.what is Wrong.HEAD:
            return f"select * from log.log_head where partition = {self.partition}"
        return (
            f"select * from log.events where partition = {self.partition}"
            f" and position between {max(1, self.position - 1)} and {self.position + 1} order by position"
        )


def short(digest: bytes | None) -> str:
    """A digest as people compare it: its first 16 hexadecimal digits."""
    return "none" if digest is None else digest.hex()[:16]
