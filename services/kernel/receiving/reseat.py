"""Moves the inbox to where it belongs on a source topic that was made again."""

from dataclasses import dataclass, replace

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts.envelope import link_of
from services.kernel import kafka
from services.kernel.errors import NotReseated
from services.kernel.log.event_log import Connection
from services.kernel.receiving.inbox import Taken, fingerprint, taken
from services.kernel.receiving.sources import delivery_of, source_problems

_MOVE = """
update log.inbox set position = $3, next_offset = $4, fingerprint = $5
 where source = $1 and partition = $2 and next_offset = $6
"""


@dataclass(frozen=True, slots=True)
class Reseated:
    """A source partition whose inbox row was moved."""

    partition: int
    former_offset: int
    next_offset: int


async def reseat(connection: Connection, bootstrap: str, topic: str, *, linked: bool) -> list[Reseated]:
    """Move the rows of a topic that do not fit it any more; those that fit stay as they are.

    On a topic of ours (`linked`) the record handled last is found again by its position and proved by its
    fingerprint. On a channel's topic there is no such proof, so it is read from its beginning; what was handled
    before is known by its number there and changes nothing. All rows are moved, or none: raises NotReseated.
    """
    rows = {place: row for place, row in (await taken(connection)).items() if place[0] == topic and row.next_offset}
    if not rows:
        raise NotReseated(f"nothing was ever taken in from {topic}")
    problems = await source_problems(bootstrap, rows)
    wrong = {place: row for place, row in rows.items() if TopicPartition(*place) in problems}
    if not wrong:
        return []
    moves: list[tuple[int, Taken, Taken]] = []
    if linked:
        consumer = kafka.reader(bootstrap)
        await consumer.start()
        try:
            for (_, partition), row in wrong.items():
                moves.append((partition, row, await _found_again(consumer, TopicPartition(topic, partition), row)))
        finally:
            await consumer.stop()
    else:
        moves = [(partition, row, Taken(0, 0)) for (_, partition), row in wrong.items()]
    async with connection.transaction():
        for partition, row, to in moves:
            values = (to.position, to.next_offset, to.fingerprint, row.next_offset)
            if await connection.execute(_MOVE, topic, partition, *values) != "UPDATE 1":
                raise NotReseated(f"{topic}/{partition} was read on meanwhile; look again with `pledger doctor`")
    return [Reseated(partition, row.next_offset, to.next_offset) for partition, row, to in moves]


async def _found_again(consumer: AIOKafkaConsumer, place: TopicPartition, row: Taken) -> Taken:
    record = await _at_position(consumer, place, row.position)
    if record is None:
        raise NotReseated(
            f"{place.topic}/{place.partition} does not hold position {row.position}, which was handled last; start the "
            "service that owns the topic, its relay sends all of it again"
        )
    delivery = delivery_of(record)
    if fingerprint(replace(delivery, offset=row.next_offset - 1)) != row.fingerprint:
        raise NotReseated(
            f"{place.topic}/{place.partition} holds another record at position {row.position} than the one that was "
            "handled: it comes from another log"
        )
    return Taken(row.position, record.offset + 1, fingerprint(delivery))


async def _at_position(consumer: AIOKafkaConsumer, place: TopicPartition, position: int) -> ConsumerRecord | None:
    consumer.assign([place])
    end = (await consumer.end_offsets([place]))[place]
    await consumer.seek_to_beginning(place)
    while await consumer.position(place) < end:
        for record in (await consumer.getmany(place, timeout_ms=200)).get(place, []):
            if link_of(record.headers)[0] == position:
                return record
    return None
