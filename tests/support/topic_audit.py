"""Compares an events topic with the log that it was made from: the same records, in order, each exactly once."""

from collections.abc import Sequence
from typing import Any

from contracts.envelope import CHAIN_START, next_chain, place_of
from services.kernel.wire import Tail, public_record
from tests.support.running import Home


async def assert_topic_is_the_log(home: Home) -> int:
    """The topic equals `to_wire` of the log, byte for byte, and proves its own completeness. Returns its length."""
    topic = await home.read_topic(home.events_topic)
    for partition, events in (await home.log()).items():
        tail, expected = Tail(0, CHAIN_START), []
        for recorded in events:
            outgoing = home.definition.to_wire(recorded)
            if outgoing is not None:
                record, tail = public_record(home.definition.name, home.events_topic, recorded, outgoing, tail)
                expected.append((record.key, record.value, tuple(record.headers), record.timestamp_ms))
        published = [(r.key, r.value, tuple(r.headers), r.timestamp) for r in topic[partition]]
        sent, wanted = _positions(published), _positions(expected)
        assert sent == wanted, (
            f"{home.events_topic}/{partition}: missing {sorted(set(wanted) - set(sent))}, foreign "
            f"{sorted(set(sent) - set(wanted))}, doubled {sorted({p for p in sent if sent.count(p) > 1})}, sent {sent}"
        )
        assert published == expected, f"partition {partition} of {home.events_topic} is not what the log says"
        position, chain = 0, CHAIN_START
        for found in topic[partition]:
            headers = dict(found.headers)
            place = place_of(headers)
            assert place.previous == position
            chain = next_chain(chain, place.position, headers["ce_type"].decode(), found.key, found.value)
            assert place.chain == chain
            position = place.position
    return sum(len(records) for records in topic.values())


def _positions(records: Sequence[Any]) -> list[int]:
    return [place_of(dict(headers)).position for _, _, headers, _ in records]
