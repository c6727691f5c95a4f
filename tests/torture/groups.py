"""Takes away what Kafka remembers of a consumer group, as an operator's mistake or a long holiday would."""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DeleteGroupsRequest

from contracts.topics import PARTITIONS_DEFAULT


async def delete_group(bootstrap: str, group: str) -> int:
    """Delete a group without members; returns Kafka's error code, 0 when it is gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        coordinator = await admin.find_coordinator(group)
        answer = await admin._send_request(DeleteGroupsRequest([group]), coordinator)
    finally:
        await admin.close()
    ((_, code),) = answer.results
    return int(code)


async def reset_group(bootstrap: str, group: str, topics: list[str], *, to_end: bool) -> None:
    """Set the offsets of a group without members to the beginning or to the end of these topics."""
    places = [TopicPartition(topic, partition) for topic in topics for partition in range(PARTITIONS_DEFAULT)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.commit({place: ends[place] if to_end else 0 for place in places})
    finally:
        await consumer.stop()
