"""The errors that the kernel tells apart.

KernelError
|-- CommandRefused        a business rule says no: record it, tell the caller, do not retry
|-- CorruptHistory        a stored event contradicts those before it: stop and page
|-- UnknownEvent          an event type or version that this build does not know: stop that partition
|-- TailAheadOfLog        the topic holds what the log lacks: a restored database; stop, never publish
|-- UndecidedRecords      Kafka lost track of a transaction of ours: abort it, then start again
|-- WrongTopicSettings    a topic that would forget records: refuse to start
`-- CommandConflict       the same command id with other content
"""


class KernelError(Exception):
    """Base of all errors raised on purpose by the kernel."""


class CommandRefused(KernelError):
    """A business rule refuses the command. `code` is stable, the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class CorruptHistory(KernelError):
    """An event cannot follow the events before it."""


class UnknownEvent(KernelError):
    """A stored or received event of a type or version that nobody declared."""


class TailAheadOfLog(KernelError):
    """The last record of the topic is not in the log."""


class UndecidedRecords(KernelError):
    """The topic ends with records of a transaction that Kafka has forgotten to end."""


class WrongTopicSettings(KernelError):
    """A topic's partitions or retention would break order or lose the relay's checkpoint."""


class CommandConflict(KernelError):
    """A command id was used before with other content."""
