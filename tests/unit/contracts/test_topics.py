"""Topics: their names, their owners, settings that never forget, and the lane of a contract."""

import zlib
from collections import Counter

import pytest

from contracts.topics import (
    MESSAGE_BYTES_MAX,
    ORDER_BYTES_MAX,
    PARTITIONS_DEFAULT,
    ServiceName,
    channel_of,
    channel_topics,
    dead_letters_topic,
    events_topic,
    lane_of,
    lanes_of_all,
    notices_topic,
    orders_topic,
    service_topics,
)
from contracts.vocabulary.identifiers import contract_id_of

CONTRACTS = [contract_id_of("channel:shop", f"C-{number}") for number in range(8_000)]


def test_topics_are_named_by_owner_and_kind() -> None:
    assert events_topic("quote") == "quote.events.v1"
    assert dead_letters_topic("quote") == "quote.dead-letters.v1"
    assert orders_topic("river") == "orders.river.v1"
    assert notices_topic("river") == "notices.river.v1"


@pytest.mark.parametrize("partitions", [1, 4, PARTITIONS_DEFAULT])
def test_there_is_a_lane_for_each_partition(partitions: int) -> None:
    lanes = lanes_of_all("river-sandbox", partitions)
    assert [lane_of(lane, partitions) for lane in lanes] == list(range(partitions))


def test_every_service_owns_its_events_and_its_dead_letters() -> None:
    owned = {(topic.name, topic.owner) for topic in service_topics()}
    assert owned == {
        pair
        for service in ServiceName
        for pair in ((f"{service}.events.v1", service), (f"{service}.dead-letters.v1", service))
    }


def test_a_channel_writes_orders_and_reads_notices() -> None:
    orders, notices = channel_topics("river")
    assert (orders.name, orders.owner, orders.key) == ("orders.river.v1", "river", "contract_no")
    assert (notices.name, notices.key) == ("notices.river.v1", "contract_id")


@pytest.mark.parametrize("topic", [*service_topics(), *channel_topics("river")], ids=lambda topic: topic.name)
def test_no_topic_ever_forgets(topic: object) -> None:
    settings = topic.settings  # type: ignore[attr-defined]
    assert settings["cleanup.policy"] == "delete"
    assert settings["retention.ms"] == settings["retention.bytes"] == "-1"


def test_a_dead_letter_has_room_for_the_largest_message_and_its_headers() -> None:
    sizes = {topic.name: topic.message_bytes_max for topic in (*service_topics(), *channel_topics("river"))}
    assert sizes["quote.dead-letters.v1"] > sizes["orders.river.v1"] == MESSAGE_BYTES_MAX
    # A message too large for us must still reach us, or nobody could be told that it was refused.
    assert ORDER_BYTES_MAX < MESSAGE_BYTES_MAX


@pytest.mark.parametrize("channel", ["river", "claims-desk", "A1", "x"])
def test_the_channel_of_its_topic_is_the_channel(channel: str) -> None:
    assert channel_of(orders_topic(channel)) == channel


@pytest.mark.parametrize(
    "topic", ["notices.river.v1", "orders.river.v2", "orders..v1", "orders.a.b.v1", "xorders.river.v1", "orders.río.v1"]
)
def test_another_topic_has_no_channel(topic: str) -> None:
    with pytest.raises(ValueError, match="is not a channel's orders topic"):
        channel_of(topic)


def test_the_lane_is_the_checksum_of_the_key_so_any_language_can_find_it() -> None:
    assert lane_of("123456789", 8) == 0xCBF43926 % 8
    assert all(lane_of(contract, 8) == zlib.crc32(contract.encode()) % 8 for contract in CONTRACTS[:100])


def test_a_contract_keeps_its_lane() -> None:
    assert contract_id_of("channel:shop", "C-1") == "MSZNYSQATGT5MYTK"
    assert lane_of("MSZNYSQATGT5MYTK", PARTITIONS_DEFAULT) == 1


@pytest.mark.parametrize("partitions", [1, 3, 8, 64])
def test_contracts_spread_evenly_over_the_lanes(partitions: int) -> None:
    counted = Counter(lane_of(contract, partitions) for contract in CONTRACTS)
    assert set(counted) == set(range(partitions))
    fair = len(CONTRACTS) // partitions
    assert all(fair * 2 // 3 <= count <= fair * 4 // 3 for count in counted.values())
