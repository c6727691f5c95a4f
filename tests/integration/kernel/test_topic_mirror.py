"""The topic against the log: what is missing, foreign, doubled, out of order or altered is named."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from contracts.topics import Topic, lane_of
from infra.servers import Servers
from services.kernel import kafka
from services.kernel.proof.finding import Wrong
from services.kernel.proof.topic_mirror import Mirrored, TopicMirror, records_of
from services.kernel.proof.verify import log_sizes
from services.kernel.publishing.topic_ends import committed_ends
from services.kernel.wire import Record
from tests.support.running import PARTITIONS, Home, end_relay, eventually, home_of_a_tally
from tests.support.tally import Close, Count, to

PARTITION = lane_of("t1", PARTITIONS)
POSITIONS = [1, 2, 4, 5, 7]
"""Of the public events: each third one is private."""


@dataclass(frozen=True)
class Published:
    """A log of seven events, the last of them public, and the records on its topic."""

    home: Home
    records: tuple[ConsumerRecord, ...]

    async def compare(self, records: Sequence[ConsumerRecord], relayed: int | None = 7) -> Mirrored:
        """Compare these records with the log."""

        async def each() -> AsyncIterator[ConsumerRecord]:
            for record in records:
                yield record

        async with self.home.superuser() as connection:
            until = (await log_sizes(connection))[PARTITION]
            mirror = TopicMirror(connection, self.home.definition, PARTITION, until)
            return await mirror.compare(each(), relayed, lambda more: None)


@pytest_asyncio.fixture(scope="module")
async def published(servers: Servers) -> AsyncIterator[Published]:
    async with home_of_a_tally(servers) as home:
        async with home.kernel() as kernel:
            for command in (Count("t1", 1), Count("t1", 2), Close("t1"), Count("t1", 4), Count("t1", 5)):
                await home.execute(kernel, to("t1", command))
            other = next(f"t{n}" for n in range(2, 99) if lane_of(f"t{n}", PARTITIONS) == PARTITION)
            await home.execute(kernel, to(other, Close(other)))
            await home.execute(kernel, to("t1", Count("t1", 7)))
            await home.quiet(kernel)
        records = (await home.read_topic(home.events_topic))[PARTITION]
        yield Published(home, tuple(records))


def _with_header(record: ConsumerRecord, name: str, value: bytes) -> ConsumerRecord:
    return replace(record, headers=tuple((n, value if n == name else v) for n, v in record.headers))


async def test_a_topic_that_is_what_the_log_gives_has_no_finding(published: Published) -> None:
    assert [int(dict(record.headers)["position"]) for record in published.records] == POSITIONS
    assert await published.compare(published.records) == Mirrored(5, 0, None)


@pytest.mark.parametrize(
    ("change", "what", "position"),
    [
        (lambda r: r[1:], Wrong.TOPIC_MISSING, 1),
        (lambda r: [*r[:2], *r[3:]], Wrong.TOPIC_MISSING, 4),
        (lambda r: r[:-1], Wrong.TOPIC_MISSING, 7),
        (lambda r: [], Wrong.TOPIC_MISSING, 1),
        (lambda r: [*r[:3], r[2], *r[3:]], Wrong.TOPIC_DOUBLED, 4),
        (lambda r: [*r, r[0]], Wrong.TOPIC_DOUBLED, 1),
        (lambda r: [*r, r[4]], Wrong.TOPIC_DOUBLED, 7),
        (lambda r: [r[0], r[2], r[1], *r[3:]], Wrong.TOPIC_REORDERED, 2),
        (lambda r: [*r[1:], r[0]], Wrong.TOPIC_REORDERED, 1),
        (lambda r: [*r, _with_header(r[4], "position", b"9")], Wrong.TOPIC_FOREIGN, 9),
        (lambda r: [*r[:2], _with_header(r[2], "position", b"3"), *r[3:]], Wrong.TOPIC_FOREIGN, 3),
        (lambda r: [r[0], replace(r[1], headers=()), *r[2:]], Wrong.TOPIC_FOREIGN, 2),
    ],
)
async def test_a_record_that_is_not_in_its_place_is_found(
    published: Published,
    change: Callable[[Sequence[ConsumerRecord]], Sequence[ConsumerRecord]],
    what: Wrong,
    position: int,
) -> None:
    found = (await published.compare(change(published.records))).finding
    assert found is not None
    assert (found.what, found.position) == (what, position)


@pytest.mark.parametrize(
    ("change", "expected", "found"),
    [
        (lambda r: replace(r, value=r.value.replace(b'"amount":4', b'"amount":5')), '"amount":4', '"amount":5'),
        (lambda r: replace(r, key=b"t2"), "key t1", "key t2"),
        (lambda r: replace(r, timestamp=1), "timestamp", "timestamp 1"),
        (lambda r: replace(r, value=None), "value", "value absent"),
        (
            lambda r: _with_header(r, "ce_subject", b"tally-t2"),
            "header ce_subject tally-t1",
            "header ce_subject tally-t2",
        ),
        (lambda r: _with_header(r, "previous", b"1"), "header previous 2", "header previous 1"),
        (lambda r: replace(r, headers=(*r.headers, ("more", b"x"))), "header more absent", "header more x"),
        (lambda r: replace(r, headers=(*r.headers[1:], r.headers[0])), "headers, each once and in order", "headers"),
    ],
)
async def test_an_altered_record_is_found_with_what_was_altered(
    published: Published, change: Callable[[ConsumerRecord], ConsumerRecord], expected: str, found: str
) -> None:
    records = list(published.records)
    records[2] = change(records[2])
    finding = (await published.compare(records)).finding
    assert finding is not None
    assert (finding.what, finding.position, finding.stream) == (Wrong.TOPIC_ALTERED, 4, "tally-t1")
    assert expected in finding.expected
    assert found in finding.found


@pytest.mark.parametrize(("relayed", "waiting"), [(3, 3), (None, 3), (2, 3)])
async def test_what_the_relay_has_not_passed_yet_is_no_fault(
    published: Published, relayed: int | None, waiting: int
) -> None:
    assert await published.compare(published.records[:2], relayed) == Mirrored(2, waiting, None)


async def test_what_the_relay_has_passed_must_be_there(published: Published) -> None:
    found = (await published.compare(published.records[:2], relayed=4)).finding
    assert found is not None
    assert (found.what, found.position) == (Wrong.TOPIC_MISSING, 4)


async def _on_the_broker(home: Home, partition: int, relayed: int) -> Mirrored:
    ends = await committed_ends(home.servers.kafka, home.events_topic)
    consumer = kafka.reader(home.servers.kafka)
    await consumer.start()
    try:
        async with home.superuser() as connection:
            until = (await log_sizes(connection))[partition]
            mirror = TopicMirror(connection, home.definition, partition, until)
            place = TopicPartition(home.events_topic, partition)
            return await mirror.compare(records_of(consumer, place, ends[partition]), relayed, lambda more: None)
    finally:
        await consumer.stop()


async def test_records_that_were_deleted_from_the_topic_are_missing(home: Home) -> None:
    async with home.kernel() as kernel:
        for amount in range(6):
            await home.execute(kernel, to("t1", Count("t1", amount)))
        await home.quiet(kernel)
        assert await _on_the_broker(home, PARTITION, 6) == Mirrored(6, 0, None)
    third = (await home.read_topic(home.events_topic))[PARTITION][2]
    admin = AIOKafkaAdminClient(bootstrap_servers=home.servers.kafka)
    await admin.start()
    try:
        await admin.delete_records(
            {TopicPartition(home.events_topic, PARTITION): RecordsToDelete(before_offset=third.offset)}
        )
    finally:
        await admin.close()
    found = (await _on_the_broker(home, PARTITION, 6)).finding
    assert found is not None
    assert (found.what, found.position) == (Wrong.TOPIC_MISSING, 1)
    assert found.found.endswith("position 3")


async def test_a_topic_made_again_with_a_record_left_out_is_found(home: Home) -> None:
    async with home.kernel() as kernel:
        for amount in range(6):
            await home.execute(kernel, to("t1", Count("t1", amount)))
        await home.quiet(kernel)
        await end_relay(kernel)
    records = (await home.read_topic(home.events_topic))[PARTITION]
    admin = AIOKafkaAdminClient(bootstrap_servers=home.servers.kafka)
    await admin.start()
    try:
        await admin.delete_topics([home.events_topic])

        async def gone() -> bool:
            return home.events_topic not in await admin.list_topics()

        await eventually(gone, "the topic is gone")
    finally:
        await admin.close()
    await kafka.ensure_topics(home.servers.kafka, [Topic(home.events_topic, home.definition.name, "tally")], PARTITIONS)
    await home.publish(
        *(
            Record(r.topic, r.partition, r.key, r.value, list(r.headers), r.timestamp)
            for r in [*records[:3], *records[4:]]
        )
    )
    found = (await _on_the_broker(home, PARTITION, 6)).finding
    assert found is not None
    assert (found.what, found.position) == (Wrong.TOPIC_MISSING, 4)


async def test_a_topic_that_is_not_there_has_no_ends(home: Home) -> None:
    assert await committed_ends(home.servers.kafka, "nobody.events.v1") == {}
