"""The relay: the topic is the log, record for record, whoever writes, dies or is fenced meanwhile."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from contracts.topics import lane_of
from infra.servers import Servers
from services.kernel import kafka
from services.kernel.process.runtime import Kernel
from services.kernel.publishing.relay import Relay
from tests.support.running import PARTITIONS, Home, end_relay, eventually, home_of_a_tally
from tests.support.tally import Close, Count, opening, to
from tests.support.topic_audit import assert_topic_is_the_log

TALLIES = ("t1", "t2", "t3", "t4", "t5", "t6")


async def _write(home: Home, kernel: Kernel, tag: str, rounds: int = 5) -> None:
    """Public and private events, mixed on every partition."""
    commands = [
        command
        for turn in range(rounds)
        for tally in TALLIES
        for command in (
            opening(f"{tally}-{tag}-{turn}", home.channel, f"O-{tally}-{tag}-{turn}"),
            to(f"{tally}-{tag}-{turn}", Close(f"{tally}-{tag}-{turn}")),
            to(tally, Count(tally, turn)),
        )
    ]
    await asyncio.gather(*(home.execute(kernel, command) for command in commands))


async def test_the_topic_is_the_log_with_private_events_left_out(home: Home) -> None:
    async with home.kernel() as kernel:
        await _write(home, kernel, "a")
        await home.quiet(kernel)
        assert await assert_topic_is_the_log(home) == 60
        assert len(await home.notices()) == 30


async def test_the_relay_begins_at_the_tail_of_the_topic(home: Home) -> None:
    for run, tag in enumerate("abc", 1):
        async with home.kernel() as kernel:
            await _write(home, kernel, tag)
            await home.quiet(kernel)
        assert await assert_topic_is_the_log(home) == 60 * run
    assert len(await home.notices()) == 90


async def test_what_was_written_while_the_relay_was_away_is_sent_from_the_log(home: Home) -> None:
    async with home.kernel() as kernel:
        await _write(home, kernel, "a")
        await end_relay(kernel)
        await _write(home, kernel, "b")
    async with home.kernel() as kernel:
        await home.quiet(kernel)
    assert await assert_topic_is_the_log(home) == 120


async def test_a_backlog_goes_out_flight_by_flight_while_the_next_one_is_made_ready(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home.kernel() as kernel:
        await end_relay(kernel)
        await _write(home, kernel, "a", rounds=10)
    in_the_air, most, flights, made_ready = 0, 0, 0, 0
    send, collect = Relay._send, Relay._collect

    async def sending(relay: Relay, *arguments: Any) -> None:
        nonlocal in_the_air, most, flights
        in_the_air += 1
        most, flights = max(most, in_the_air), flights + 1
        await send(relay, *arguments)
        in_the_air -= 1

    async def collecting(relay: Relay, passed: Sequence[int], tails: Any) -> Any:
        nonlocal made_ready
        # Collected from beyond what has landed.
        made_ready += list(passed) != relay.passed
        return await collect(relay, passed, tails)

    monkeypatch.setattr(Relay, "_send", sending)
    monkeypatch.setattr(Relay, "_collect", collecting)
    few = home.settings().model_copy(update={"relay_events": 4})
    monkeypatch.setattr(home, "settings", lambda: few)
    async with home.kernel() as kernel:
        await home.quiet(kernel)
    assert await assert_topic_is_the_log(home) == 120
    assert len(await home.notices()) == 60
    assert most == 1
    assert flights >= 180 / PARTITIONS / 4
    assert made_ready > 0


async def test_what_another_process_appends_is_relayed_and_projected_too(home: Home) -> None:
    async with home.kernel(sources=()) as kernel, home.kernel(sources=()) as replica:
        for process in (kernel, replica, kernel, replica):
            await home.execute(process, to("t1", Count("t1", 1)))
        await home.quiet(kernel, replica)
        history = await kernel.history("t1", "tally-t1")
    assert [recorded.version for recorded in history] == [1, 2, 3, 4]
    assert await assert_topic_is_the_log(home) == 4


async def test_a_second_producer_with_its_id_fences_the_relay_and_the_topic_stays_exact(home: Home) -> None:
    async with home.kernel() as kernel:
        await _write(home, kernel, "a")
        second = kafka.relay_producer(home.servers.kafka, f"{home.definition.name}-relay")
        await second.start()
        try:
            await _write(home, kernel, "b")
            await home.quiet(kernel)
        finally:
            await second.stop()
    assert await assert_topic_is_the_log(home) == 120


async def test_a_relay_that_lost_its_lock_hands_over_and_the_topic_stays_exact(home: Home) -> None:
    async with home.kernel(sources=()) as kernel, home.kernel(sources=()) as standby:
        await eventually(lambda: _one_works(kernel, standby), "one of the two relays works")
        writing = asyncio.ensure_future(_write(home, kernel, "a", rounds=20))
        async with home.superuser() as superuser:
            await superuser.execute(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
                " and database = (select oid from pg_database where datname = current_database()) and objid = 1"
            )
        await writing
        await eventually(lambda: _one_works(kernel, standby), "one of the two relays works again")
        await home.quiet(kernel, standby)
    assert await assert_topic_is_the_log(home) == 240


async def _one_works(*kernels: Kernel) -> bool:
    return any(kernel.relay.working for kernel in kernels)


async def _cut_the_log(home: Home, tally: str) -> None:
    """Put the tally's partition back by one event, as a database that was restored to an older state."""
    async with home.superuser() as superuser, superuser.transaction():
        partition = lane_of(tally, PARTITIONS)
        await superuser.execute(
            "delete from log.events e using log.log_head h"
            " where h.partition = $1 and e.partition = h.partition and e.position = h.position",
            partition,
        )
        await superuser.execute(
            "update log.log_head h set position = e.position, digest = e.digest"
            " from log.events e where e.partition = $1 and h.partition = $1 and e.position = h.position - 1",
            partition,
        )


async def test_a_topic_ahead_of_the_log_stops_the_relay_for_good(home: Home) -> None:
    async with home.kernel() as kernel:
        for amount in (1, 2, 3):
            await home.execute(kernel, to("t1", Count("t1", amount)))
        await home.quiet(kernel)
    before = await home.read_topic(home.events_topic)
    await _cut_the_log(home, "t1")
    async with home.kernel() as kernel:
        await eventually(lambda: _stopped(kernel), "the relay stopped")
        reason = kernel.relay.stopped_because or ""
        # Positions grow past the tail of the topic again: still nothing may be sent.
        for amount in (4, 5):
            await home.execute(kernel, to("t1", Count("t1", amount)))
        status = await kernel.status()
    assert f"{home.events_topic}/{lane_of('t1', PARTITIONS)} ends with position 3" in reason
    assert "the log has no such position there" in reason
    assert "restored to an older state" in reason
    assert (status["ready"], status["relay"]) == (False, reason)
    assert await home.read_topic(home.events_topic) == before


async def test_a_log_that_grew_differently_after_a_restore_is_found_out_by_its_digest(home: Home) -> None:
    async with home.kernel() as kernel:
        for amount in (1, 2):
            await home.execute(kernel, to("t1", Count("t1", amount)))
        await home.quiet(kernel)
    before = await home.read_topic(home.events_topic)
    await _cut_the_log(home, "t1")
    async with home.kernel(to_wire=lambda recorded: None) as elsewhere:
        await eventually(lambda: _stopped(elsewhere), "the relay stopped")
        for amount in (7, 8):
            await home.execute(elsewhere, to("t1", Count("t1", amount)))
    async with home.kernel() as kernel:
        await eventually(lambda: _stopped(kernel), "the relay stopped")
        assert "digest" in (kernel.relay.stopped_because or "").partition("; the log has ")[2]
    assert await home.read_topic(home.events_topic) == before


async def _stopped(kernel: Kernel) -> bool:
    return kernel.relay.stopped_because is not None


@pytest.mark.parametrize("retention_ms", [604_800_000])
async def test_a_topic_that_forgets_is_refused(servers: Servers, retention_ms: int) -> None:
    async with home_of_a_tally(servers, events_retention_ms=retention_ms) as home, home.kernel() as kernel:
        await home.execute(kernel, to("t1", Count("t1", 1)))
        await eventually(lambda: _stopped(kernel), "the relay stopped")
        assert kernel.relay.stopped_because == f"{home.events_topic}: retention.ms is {retention_ms}, must be -1"
        assert not any((await home.read_topic(home.events_topic)).values())
