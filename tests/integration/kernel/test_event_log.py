"""The log in PostgreSQL: gapless, chained, insert-only, and a group survives its worst member."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import pytest

from contracts.topics import lane_of
from services.kernel.codec import EVENT_BYTES_MAX
from services.kernel.commands.execution import Executed
from services.kernel.commands.idempotent import CommandResult
from services.kernel.log.event_log import Connection
from services.kernel.messages import Instruction
from services.kernel.proof.verify import verify_log
from tests.support.running import PARTITIONS, Home
from tests.support.tally import Count, Counted, Explode, Refuse, opening, to
from tests.support.topic_audit import assert_topic_is_the_log

TALLIES = [f"t{number}" for number in range(20)]


async def test_two_hundred_commands_at_once_leave_no_gap_and_an_unbroken_chain(home: Home) -> None:
    async with home.kernel() as kernel:
        commands = [to(TALLIES[number % 20], Count(TALLIES[number % 20], number)) for number in range(200)]
        await asyncio.gather(*(home.execute(kernel, command) for command in commands))
    log = await home.log()
    assert sum(len(events) for events in log.values()) == 200
    versions: dict[str, list[int]] = {}
    for partition, events in log.items():
        assert [recorded.position for recorded in events] == list(range(1, len(events) + 1))
        for recorded in events:
            assert lane_of(recorded.event.tally, PARTITIONS) == partition
            versions.setdefault(recorded.stream, []).append(recorded.version)
    assert versions == {f"tally-{tally}": list(range(1, 11)) for tally in TALLIES}
    checked = 0

    def count(more: int) -> None:
        nonlocal checked
        checked += more

    async with home.superuser() as connection:
        verified = await verify_log(connection, count)
    assert (verified.events, verified.findings, checked) == (200, (), 200)


async def test_the_service_itself_can_neither_change_nor_remove_events(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.execute(kernel, to("t1", Count("t1", 5)))
    async with home.pool() as pool:
        for statement in (
            "update log.events set data = data",
            "delete from log.events",
            "truncate log.events",
            "update log.genesis set document = document",
            "delete from log.log_head",
            "update log.unique_keys set stream = 'other'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(statement)
    assert await home.totals() == {"t1": 5}


async def test_an_oversized_event_a_refusal_and_a_bug_cost_the_rest_of_the_group_nothing(home: Home) -> None:
    commands = [
        to("t1", Count("t1", 1)),
        to("t1", Count("t1", 10, note="n" * EVENT_BYTES_MAX)),
        to("t1", Refuse("t1")),
        to("t1", Explode("t1")),
        to("t1", Count("t1", 100)),
        to("t2", Count("t2", 1_000)),
    ]
    async with home.kernel() as kernel:
        outcomes = await asyncio.gather(
            *(home.execute(kernel, command) for command in commands), return_exceptions=True
        )
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "CommandResult",
        "ValueError",
        "CommandRefused",
        "RuntimeError",
        "CommandResult",
        "CommandResult",
    ]
    assert outcomes[4] == CommandResult(stream="tally-t1", version=2, events=["tally.counted"])
    assert await home.totals() == {"t1": 101, "t2": 1_000}


async def test_a_stream_is_read_back_as_it_was_written(home: Home) -> None:
    async with home.kernel() as kernel:
        for amount in (3, 4):
            await home.execute(kernel, to("t1", Count("t1", amount)))
        history = await kernel.history("t1", "tally-t1")
    assert [(recorded.version, recorded.event.amount) for recorded in history] == [(1, 3), (2, 4)]
    assert history[-1].digest == (await home.heads())[lane_of("t1", PARTITIONS)].digest


async def test_two_processes_that_write_the_same_streams_in_turn_never_decide_on_old_state(home: Home) -> None:
    async with home.kernel(sources=()) as kernel, home.kernel(sources=()) as replica:
        for turn in range(6):
            process = (kernel, kernel, replica)[turn % 3]
            result = await home.execute(process, opening(f"t{turn % 2}", "shop", f"O-{turn % 2}"))
            assert result.events == (["tally.opened"] if turn < 2 else [])
        await asyncio.gather(
            *(home.execute(process, to("t1", Count("t1", 1))) for process in (kernel, replica) for _ in range(50))
        )
        history = await kernel.history("t1", "tally-t1")
    assert [recorded.version for recorded in history] == list(range(1, 102))
    assert await home.totals() == {"t0": 0, "t1": 100}


async def test_a_rolled_back_commit_leaves_no_state_behind(home: Home) -> None:
    async with home.kernel(sources=()) as kernel, home.superuser() as superuser:
        await home.execute(kernel, to("t1", Count("t1", 1)))
        # The insert of the events fails after they were decided and folded.
        await superuser.execute("alter table log.events add constraint no_more check (version < 2) not valid")
        with pytest.raises(asyncpg.CheckViolationError):
            await home.execute(kernel, opening("t1", "shop", "O-1"))
        await superuser.execute("alter table log.events drop constraint no_more")
        opened = await home.execute(kernel, opening("t1", "shop", "O-1"))
    assert (opened.version, opened.events) == (2, ["tally.opened"])


@dataclass
class _ManyCommands:
    """A work of many commands at once, as a batch of the inbox is."""

    instructions: Sequence[Instruction]
    executed: Sequence[Executed] = ()
    key: str | None = None
    alone: bool = False

    async def prepare(self, connection: Connection) -> Sequence[Instruction]:
        return self.instructions

    async def finish(self, connection: Connection, executed: Sequence[Executed]) -> None:
        self.executed = executed


def _many(count: int) -> list[Instruction]:
    """So many that they are decided and inserted slice by slice; every tenth one is refused."""
    names = [TALLIES[number % 20] for number in range(count)]
    return [to(t, Refuse(t) if number % 10 == 7 else Count(t, number)) for number, t in enumerate(names)]


async def test_a_group_of_several_slices_is_one_unbroken_chain_in_the_order_of_its_commands(home: Home) -> None:
    instructions = _many(730)
    async with home.kernel() as kernel:
        work = _ManyCommands(instructions)
        await kernel.handler.commit(work)
        await home.quiet(kernel)
    counts = [i.command.amount for i in instructions if isinstance(i.command, Count)]
    log = await home.log()
    stored = sorted(
        event.event.amount for events in log.values() for event in events if isinstance(event.event, Counted)
    )
    assert stored == counts
    for events in log.values():
        amounts = [event.event.amount for event in events if isinstance(event.event, Counted)]
        assert amounts == sorted(amounts)
    assert [len(e.events) for e in work.executed] == [0 if number % 10 == 7 else 1 for number in range(730)]
    async with home.superuser() as connection:
        verified = await verify_log(connection)
    assert (verified.events, verified.findings) == (len(counts), ())
    assert await assert_topic_is_the_log(home) == len(counts)


async def test_an_insert_that_fails_while_more_is_decided_fails_the_group_and_nothing_else(home: Home) -> None:
    first = to("t1", Count("t1", 1))
    partition = lane_of("t1", PARTITIONS)
    occupied = (partition, 1, "foreign", 1, "foreign", 1, b"{}", b"{}", bytes(32))
    async with home.kernel() as kernel:
        async with home.superuser() as connection:
            await connection.execute(
                "insert into log.events values ($1, $2, $3, $4, $5, $6, $7, $8, now(), $9)", *occupied
            )
        with pytest.raises(asyncpg.UniqueViolationError):
            await kernel.handler.commit(_ManyCommands([first, *_many(500)]))
        assert all(head.position == 0 for head in (await home.heads()).values())
        async with home.superuser() as connection:
            await connection.execute("delete from log.events where stream = 'foreign'")
        await kernel.handler.commit(_ManyCommands([first]))
    assert await home.totals() == {"t1": 1}
