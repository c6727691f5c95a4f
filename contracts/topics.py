"""Every topic with its owner, key and settings, and the lane (partition) of a contract."""

import itertools
import re
import zlib
from dataclasses import dataclass
from enum import StrEnum

PARTITIONS_DEFAULT = 8
MESSAGE_BYTES_MAX = 1024 * 1024
"""What the broker takes in one record of our topics."""

NOTICES_PARTITION = 0
"""The only partition of a channel's notices."""

ORDER_BYTES_MAX = 256 * 1024
"""What we take in one channel message; larger ones are refused and kept as dead letters."""

_ORDERS = re.compile(r"^orders\.([A-Za-z0-9-]+)\.v1$")
_OWN = re.compile(r"(events|dead-letters|checkpoints)\.v\d+")


class ServiceName(StrEnum):
    """The four services; each owns one log, one database and one events topic."""

    QUOTE = "quote"
    POLICY = "policy"
    BILLING = "billing"
    CLAIMS = "claims"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: who writes it, what its records are keyed by, and how long they stay."""

    name: str
    owner: str
    key: str
    retention_ms: int = -1
    partitions: int | None = None
    """None: as many as the logs have."""

    message_bytes_max: int = MESSAGE_BYTES_MAX

    @property
    def settings(self) -> dict[str, str]:
        """Topic configuration as Kafka names it. Our topics keep for ever: their tail is the relay's checkpoint."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "message.timestamp.type": "CreateTime",
            "max.message.bytes": str(self.message_bytes_max),
        }


def events_topic(service: str) -> str:
    """Public events of a service; key = contract id; partition = lane."""
    return f"{service}.events.v1"


def dead_letters_topic(service: str) -> str:
    """Messages that a service could not handle, whole."""
    return f"{service}.dead-letters.v1"


def orders_topic(channel: str) -> str:
    """What a channel publishes to us: orders, payments, claim notices; key = the channel's contract number."""
    return f"orders.{channel}.v1"


def notices_topic(channel: str) -> str:
    """What we tell a channel."""
    return f"notices.{channel}.v1"


def is_notices_topic(topic: str) -> bool:
    """Whether it is a topic on which a channel hears from us."""
    return topic.startswith("notices.")


def is_reserved(topic: str, *services: str) -> bool:
    """Whether a topic is the ledger's own, or Kafka's, and so not a consumer's to write to.

    Those of the four services are; `services` names others whose topics are so too.
    """
    owner, _, rest = topic.partition(".")
    if owner in {"orders", "notices"} or topic.startswith("__"):
        return True
    return owner in {*ServiceName, *services} and _OWN.fullmatch(rest) is not None


def channel_of(topic: str) -> str:
    """The channel that owns an orders topic. Its identity is the topic, never a field of the message."""
    found = _ORDERS.match(topic)
    if found is None:
        raise ValueError(f"{topic} is not a channel's orders topic")
    return found[1]


def service_topics() -> tuple[Topic, ...]:
    """The topics that the four services own."""
    return tuple(
        topic
        for service in ServiceName
        for topic in (
            Topic(events_topic(service), owner=service, key="contract_id"),
            # A dead letter may be as large as the broker lets a channel's message be, plus its headers.
            Topic(dead_letters_topic(service), service, "source", message_bytes_max=2 * MESSAGE_BYTES_MAX),
        )
    )


def channel_topics(channel: str) -> tuple[Topic, ...]:
    """The two topics of a channel."""
    return (
        Topic(orders_topic(channel), owner=channel, key="contract_no"),
        Topic(
            notices_topic(channel),
            owner="quote, policy, billing, claims",
            key="contract_id",
            # One, so that a channel hears everything in one order, and so that the relays' transactions, which
            # cost by the partition, stay short.
            partitions=NOTICES_PARTITION + 1,
        ),
    )


def lane_of(key: str, partitions: int) -> int:
    """The partition of a contract id (or other stream key), the same in every service."""
    return zlib.crc32(key.encode()) % partitions


def lanes_of_all(name: str, partitions: int = PARTITIONS_DEFAULT) -> tuple[str, ...]:
    """A lane in each partition, in the order of the partitions: `<name>/<n>`, with the smallest numbers that do."""
    found: dict[int, str] = {}
    for number in itertools.count():
        lane = f"{name}/{number}"
        found.setdefault(lane_of(lane, partitions), lane)
        if len(found) == partitions:
            return tuple(found[partition] for partition in range(partitions))
    raise AssertionError("numbers do not end")
