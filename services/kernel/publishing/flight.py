"""What a relay sends in one transaction."""

from dataclasses import dataclass, field

from services.kernel.wire import Record, Tail


@dataclass(slots=True)
class Flight:
    """What goes out in one transaction, and the state of the topic once it is committed.

    `replies` and `letters` are the keys of those among the records; `is_full` says that the log had more.
    """

    records: list[Record]
    passed: list[int]
    tails: list[Tail]
    replies: list[int] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    is_full: bool = False
