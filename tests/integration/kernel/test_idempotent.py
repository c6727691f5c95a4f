"""Commands with an id of their own: the first outcome again, refusals included, and never two outcomes."""

import asyncio
from dataclasses import replace

import pytest

from services.kernel.commands.idempotent import CommandResult, IdempotentCommand, fingerprint
from services.kernel.errors import CommandConflict, CommandRefused
from tests.support.running import Home
from tests.support.tally import DECIDER, Count, Explode, Refuse, to

count_five = to("t1", Count("t1", 5))
counted_once = CommandResult(stream="tally-t1", version=1, events=["tally.counted"])


async def test_the_same_command_id_gives_the_first_outcome_again(home: Home) -> None:
    async with home.kernel() as kernel:
        assert await kernel.execute(count_five, "c-1") == counted_once
        await kernel.execute(to("t1", Count("t1", 7)), "c-2")
        assert await kernel.execute(count_five, "c-1") == counted_once
    assert await home.totals() == {"t1": 12}


async def test_the_outcome_outlives_the_process(home: Home) -> None:
    for _ in range(2):
        async with home.kernel() as kernel:
            assert await kernel.execute(count_five, "c-1") == counted_once
    assert await home.totals() == {"t1": 5}


async def test_two_at_the_same_instant_are_carried_out_once(home: Home) -> None:
    async with home.kernel(sources=()) as kernel, home.kernel(sources=()) as replica:
        outcomes = await asyncio.gather(
            *(process.execute(count_five, "c-1") for process in (kernel, kernel, replica, replica))
        )
    assert outcomes == [counted_once] * 4
    assert await home.totals() == {"t1": 5}


async def test_a_refusal_is_remembered_even_when_the_rule_would_now_say_something_else(home: Home) -> None:
    async with home.kernel() as kernel:
        for _ in range(2):
            with pytest.raises(CommandRefused, match="refused at a total of 0") as refused:
                await kernel.execute(to("t1", Refuse("t1")), "c-1")
            assert refused.value.code == "not_today"
            await home.execute(kernel, count_five)


async def test_the_same_id_with_other_content_is_a_conflict(home: Home) -> None:
    async with home.kernel() as kernel:
        await kernel.execute(count_five, "c-1")
        for other in (to("t1", Count("t1", 6)), to("t2", Count("t1", 5)), to("t1", Refuse("t1"))):
            with pytest.raises(CommandConflict, match="c-1"):
                await kernel.execute(other, "c-1")
    assert await home.totals() == {"t1": 5}


async def test_a_bug_is_not_remembered(home: Home) -> None:
    async with home.kernel() as broken:
        with pytest.raises(RuntimeError, match="a bug in a rule"):
            await broken.execute(to("t1", Explode("t1")), "c-1")
    mended = replace(DECIDER, decide=lambda command, state: ())
    async with home.kernel(decider=mended) as kernel:
        assert (await kernel.execute(to("t1", Explode("t1")), "c-1")).events == []


async def test_an_attempt_that_was_rolled_back_leaves_no_outcome_behind(home: Home) -> None:
    refused_first = to("t1", Refuse("t1"))
    work = IdempotentCommand(refused_first, "c-1", fingerprint(refused_first))
    work.failure, work.refusal = RuntimeError("of the first attempt"), CommandRefused("old", "of the first attempt")
    async with home.kernel() as kernel:
        work.instruction = count_five
        await kernel.handler.commit(work)
    assert [work.result, work.failure, work.refusal] == [counted_once, None, None]
