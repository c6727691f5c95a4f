"""Re-publication: history on a topic of the consumer's own equals the live topic, whoever dies, and disturbs nobody."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from contracts.envelope import REPLAYED, place_of
from contracts.topics import Topic
from services.kernel import kafka
from services.kernel.errors import NotRepublished, WrongTopicSettings
from services.kernel.process.runtime import Kernel
from services.kernel.publishing.republish import Republished, Republisher, Selection
from tests.support.running import PARTITIONS, Home, delete_topics
from tests.support.tally import Close, Count, to

TALLIES = ("t1", "t2", "t3", "t4", "t5", "t6")
CONTRACTS = Path(__file__).resolve().parents[3] / "contracts" / "README.md"


@pytest.fixture
async def topic(home: Home) -> AsyncIterator[str]:
    name = f"analytics-{home.channel}.copy.v1"
    yield name
    await delete_topics(home.servers.kafka, [name])


async def _write(home: Home, kernel: Kernel, counts: int = 20) -> None:
    commands = [to(tally, Count(tally, amount)) for amount in range(counts) for tally in TALLIES]
    commands += [to(f"{tally}-{counts}", Close(f"{tally}-{counts}")) for tally in TALLIES]
    await asyncio.gather(*(home.execute(kernel, command) for command in commands))


async def _republish(home: Home, topic: str, **selection: Any) -> Republished:
    async with home.pool() as pool:
        return await Republisher(pool, home.servers.kafka, home.definition, topic).run(Selection(**selection))


def _content(records: list[ConsumerRecord]) -> list[tuple[Any, ...]]:
    return [
        (r.partition, r.key, r.value, r.timestamp, tuple(h for h in r.headers if h[0] != REPLAYED)) for r in records
    ]


def _positions(records: list[ConsumerRecord]) -> list[int]:
    return [place_of(dict(record.headers)).position for record in records]


async def test_the_copy_is_the_live_topic_record_by_record_but_for_the_marker(home: Home, topic: str) -> None:
    async with home.kernel() as kernel:
        await _write(home, kernel)
        await home.quiet(kernel)
    done = await _republish(home, topic)
    assert (done.sent, done.present) == (120, 0)
    live, copy = await home.read_topic(home.events_topic), await home.read_topic(topic)
    for partition in range(PARTITIONS):
        assert _content(copy[partition]) == _content(live[partition])
        assert {dict(r.headers)[REPLAYED] for r in copy[partition]} <= {done.run.encode()}
        assert all(REPLAYED not in dict(r.headers) for r in live[partition])
    await kafka.check_keeps_for_ever(home.servers.kafka, topic)
    again = await _republish(home, topic)
    assert (again.sent, again.present) == (0, 120)
    assert await home.read_topic(topic) == copy


async def test_a_range_is_one_stretch_whose_chain_is_that_of_the_whole_log(home: Home, topic: str) -> None:
    async with home.kernel() as kernel:
        for _ in range(3):
            await _write(home, kernel, 5)
        await home.quiet(kernel)
    async with home.superuser() as superuser:
        rows = await superuser.fetch("select recorded_at from log.events order by recorded_at")
    since, until = rows[len(rows) // 3]["recorded_at"], rows[2 * len(rows) // 3]["recorded_at"]
    done = await _republish(home, topic, since=since, until=until, partitions=(0, 1), from_position=4)
    live, copy = await home.read_topic(home.events_topic), await home.read_topic(topic)
    for partition in (0, 1):
        asked = [
            recorded.position
            for recorded in (await home.log())[partition]
            if since <= recorded.recorded_at < until and recorded.position >= 4
        ]
        wanted = [r for r in live[partition] if place_of(dict(r.headers)).position in asked]
        assert _content(copy[partition]) == _content(wanted)
    assert done.sent == len(copy[0]) + len(copy[1]) > 0
    assert copy[2] == copy[3] == []


async def test_a_run_that_was_ended_goes_on_where_it_stopped(
    home: Home, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home.kernel() as kernel:
        await _write(home, kernel, 60)
        await home.quiet(kernel)
    monkeypatch.setattr("services.kernel.publishing.republish._PAGE_EVENTS", 10)
    monkeypatch.setattr("services.kernel.publishing.republish._SEND_RECORDS", 20)
    async with home.pool() as pool:
        republisher = Republisher(pool, home.servers.kafka, home.definition, topic)

        def end_halfway(walked: int, total: int) -> None:
            if walked > total / 2:
                running.cancel()

        running = asyncio.ensure_future(republisher.run(Selection(), end_halfway))
        with pytest.raises(asyncio.CancelledError):
            await running
    before = sum(len(records) for records in (await home.read_topic(topic)).values())
    assert 0 < before < 360
    done = await _republish(home, topic)
    assert (done.sent, done.present) == (360 - before, before)
    live, copy = await home.read_topic(home.events_topic), await home.read_topic(topic)
    assert all(_content(copy[partition]) == _content(live[partition]) for partition in range(PARTITIONS))


async def test_two_runs_at_once_double_nothing(home: Home, topic: str) -> None:
    async with home.kernel() as kernel:
        await _write(home, kernel, 60)
        await home.quiet(kernel)
    await kafka.ensure_topics(home.servers.kafka, [Topic(topic, "a consumer", "tally")], PARTITIONS)
    await asyncio.gather(_republish(home, topic), _republish(home, topic), return_exceptions=True)
    await _republish(home, topic)
    copy = await home.read_topic(topic)
    assert all(_positions(own) == sorted(set(_positions(own))) for own in copy.values())
    assert sum(len(own) for own in copy.values()) == 360


async def test_what_would_leave_a_hole_or_come_too_late_is_refused(home: Home, topic: str) -> None:
    async with home.kernel() as kernel:
        for amount in range(12):
            await home.execute(kernel, to("t1", Count("t1", amount)))
        await home.quiet(kernel)
        await _republish(home, topic, from_position=3)
        for amount in range(6):
            await home.execute(kernel, to("t1", Count("t1", amount)))
        with pytest.raises(NotRepublished, match=r"ends with position 12; to go on with 16 would leave out 15"):
            await _republish(home, topic, from_position=16)
        with pytest.raises(NotRepublished, match=r"begins with position 3; 1 cannot be put before it"):
            await _republish(home, topic)
        assert (await _republish(home, topic, from_position=13)).sent == 6
    copy = await home.read_topic(topic)
    assert sorted(position for own in copy.values() for position in _positions(own)) == list(range(3, 19))


@pytest.mark.parametrize(
    "name",
    ["policy.events.v1", "claims.dead-letters.v1", "quote.checkpoints.v1", "orders.river.v1", "notices.x.v1", "__x"],
)
async def test_our_own_topics_are_refused_by_name(home: Home, name: str) -> None:
    with pytest.raises(NotRepublished, match="one of the ledger's own topics"):
        await _republish(home, name)


async def test_the_live_topic_of_the_service_itself_is_refused(home: Home) -> None:
    with pytest.raises(NotRepublished, match="one of the ledger's own topics"):
        await _republish(home, home.events_topic)
    assert not any((await home.read_topic(home.events_topic)).values())


async def test_a_topic_of_another_shape_is_refused(home: Home, topic: str) -> None:
    await kafka.ensure_topics(home.servers.kafka, [Topic(topic, "a consumer", "tally", partitions=2)], PARTITIONS)
    with pytest.raises(NotRepublished, match=f"has 2 partitions, the log has {PARTITIONS}"):
        await _republish(home, topic)


async def test_a_topic_that_holds_something_else_is_refused(home: Home, topic: str) -> None:
    async with home.kernel() as kernel:
        await home.execute(kernel, to("t1", Count("t1", 1)))
        await home.quiet(kernel)
    await kafka.ensure_topics(home.servers.kafka, [Topic(topic, "a consumer", "tally")], PARTITIONS)
    await home.producer.send_and_wait(topic, b"mine", partition=2)
    with pytest.raises(NotRepublished, match="holds records that did not come from republishing"):
        await _republish(home, topic)


async def test_a_topic_that_forgets_is_refused(home: Home, topic: str) -> None:
    own = Topic(topic, "a consumer", "tally", retention_ms=604_800_000)
    await kafka.ensure_topics(home.servers.kafka, [own], PARTITIONS)
    with pytest.raises(WrongTopicSettings, match=r"retention\.ms is 604800000, must be -1"):
        await _republish(home, topic)


async def test_live_consumers_and_the_service_are_undisturbed(home: Home, topic: str) -> None:
    async with home.kernel() as kernel:
        await home.publish(home.ask("count", "t1", amount=5))
        await _write(home, kernel)
        await home.quiet(kernel)
        before, live = await kernel.status(), await home.read_topic(home.events_topic)
        await _republish(home, topic)
        assert await kernel.status() == before
        assert await home.read_topic(home.events_topic) == live
        await home.publish(home.ask("count", "t1", amount=7))
        await _write(home, kernel, 3)
        await home.quiet(kernel)
        assert kernel.relay.working
    assert (await home.totals())["t1"] == sum(range(20)) + sum(range(3)) + 12


async def test_the_readmes_consumer_joins_history_and_live_and_proves_both(home: Home, topic: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", CONTRACTS.read_text(encoding="utf-8"), re.DOTALL)
    (code,) = (block for block in blocks if "history_then_live" in block)
    read: dict[str, Any] = {}
    exec(code, read)  # noqa: S102 - the text of our own document
    async with home.kernel() as kernel:
        await _write(home, kernel, 10)
        await home.quiet(kernel)
        await _republish(home, topic)
        await _write(home, kernel, 11)
        await home.quiet(kernel)
        live = await home.read_topic(home.events_topic)
        total, taken = sum(len(own) for own in live.values()), []
        async with asyncio.timeout(30):
            async for record in read["history_then_live"](home.servers.kafka, topic, home.events_topic, PARTITIONS):
                taken.append(record)
                if len(taken) == total:
                    break
    for partition, own in live.items():
        assert _content([r for r in taken if r.partition == partition]) == _content(own)
    assert {REPLAYED in dict(r.headers) for r in taken} == {True, False}
    first, second, third = next(own for own in live.values() if len(own) >= 3)[:3]
    with pytest.raises(AssertionError, match="a record is missing"):
        _prove(read["proven"], first, third)
    second.value += b" "
    with pytest.raises(AssertionError, match="a record was altered"):
        _prove(read["proven"], first, second)


def _prove(proven: Callable[[ConsumerRecord, dict[int, Any]], bool], *records: ConsumerRecord) -> None:
    seen: dict[int, Any] = {}
    for record in records:
        assert proven(record, seen)
