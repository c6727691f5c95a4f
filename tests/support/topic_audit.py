"""Compares an events topic with the log that it was made from: the same records, in order, each exactly once."""

from collections.abc import AsyncIterator, Sequence

from aiokafka import ConsumerRecord

from contracts.envelope import CHAIN_START, next_chain, place_of
from services.kernel.proof.topic_mirror import TopicMirror
from services.kernel.proof.verify import log_sizes
from tests.support.running import Home


async def assert_topic_is_the_log(home: Home) -> int:
    """The topic equals `to_wire` of the log, byte for byte, and proves its own completeness. Returns its length."""
    topic = await home.read_topic(home.events_topic)
    async with home.superuser() as connection:
        for partition, until in (await log_sizes(connection)).items():
            mirror = TopicMirror(connection, home.definition, partition, until)
            found = await mirror.compare(_each(topic[partition]), until, lambda more: None)
            assert found.finding is None, f"{home.events_topic}/{partition}: {found.finding}"
            assert found.records == len(topic[partition])
    for records in topic.values():
        # As a consumer does it who has nothing but the topic.
        position, chain = 0, CHAIN_START
        for record in records:
            headers = dict(record.headers)
            place = place_of(headers)
            assert place.previous == position
            chain = next_chain(chain, place.position, headers["ce_type"].decode(), record.key, record.value)
            assert place.chain == chain
            position = place.position
    return sum(len(records) for records in topic.values())


async def _each(records: Sequence[ConsumerRecord]) -> AsyncIterator[ConsumerRecord]:
    for record in records:
        yield record
