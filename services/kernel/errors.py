"""The errors that the kernel tells apart.

KernelError
|-- CommandRefused        a business rule says no: record it, tell the caller, do not retry
|-- CorruptHistory        a stored event contradicts those before it: stop and page
|-- UnknownEvent          an event type or version that this build does not know: stop that partition
|-- TailAheadOfLog        the topic holds what the log lacks: a restored database; stop, never publish
|-- UndecidedRecords      Kafka lost track of a transaction of ours: abort it, then start again
|-- TopicLostRecords      the topic was made again, or restored: send what it lacks from the log
|-- CannotStart           a server refuses us, or its database is not made: end, and say what to do
|-- StillStarting         a request that came too soon: answer 503, and say what is waited for
|-- WrongTopicSettings    a topic that would forget records: refuse to start
|-- TooManyFailures       message after message cannot be handled: a bad build; stop, keep them all
|-- NotRepublished        a topic, or a part of the log, that cannot be sent again so
|-- NotRestored           a database that cannot be put back from that copy, or not now
|-- NotReseated           an inbox that cannot be moved to where it belongs
|-- CommandConflict       the same command id with other content
|-- Overloaded            too many requests wait: nothing was done, the caller may come again
`-- ReplayRefused         a replay that cannot be carried out as things are: says what to do instead
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


class TopicLostRecords(KernelError):
    """The topic ends before what was sent to it."""


class CannotStart(KernelError):
    """A service cannot start before a person has mended something; the message says what."""


class StillStarting(KernelError):
    """A request came while the service waits for a server that it needs for the answer."""


class WrongTopicSettings(KernelError):
    """A topic's partitions or retention would break order or lose the relay's checkpoint."""


class TooManyFailures(KernelError):
    """So many messages in a row failed that the fault must be ours."""


class NotRepublished(KernelError):
    """History cannot be sent to that topic; the message says why and what can."""


class NotRestored(KernelError):
    """A service's database is not put back; the message says why and what to do."""


class NotReseated(KernelError):
    """The inbox is left where it is; the message says why and what to do."""


class CommandConflict(KernelError):
    """A command id was used before with other content."""


class Overloaded(KernelError):
    """So many requests wait already that one more is turned away."""


class ReplayRefused(KernelError):
    """A replay of the log into a read model is not possible now; the message says why and what to do."""
