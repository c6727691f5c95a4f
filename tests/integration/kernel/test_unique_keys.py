"""Business numbers: one stream alone has each, whichever partition or process asks first."""

import asyncio

from tests.support.running import Home
from tests.support.tally import opening


async def test_of_two_streams_with_one_number_the_second_takes_the_other_way(home: Home) -> None:
    async with home.kernel() as kernel:
        first = await home.execute(kernel, opening("t1", "shop", "O-1"))
        second = await home.execute(kernel, opening("t2", "shop", "O-1"))
        other_number = await home.execute(kernel, opening("t3", "shop", "O-2"))
    assert (first.stream, first.events) == ("tally-t1", ["tally.opened"])
    assert (second.stream, second.events) == ("tally-taken", ["tally.counted"])
    assert (other_number.stream, other_number.events) == ("tally-t3", ["tally.opened"])


async def test_the_owner_of_a_number_may_use_it_again(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.execute(kernel, opening("t1", "shop", "O-1"))
        again = await home.execute(kernel, opening("t1", "shop", "O-1"))
    assert (again.stream, again.version, again.events) == ("tally-t1", 1, [])


async def test_of_many_at_once_in_two_processes_exactly_one_gets_the_number(home: Home) -> None:
    async with home.kernel(sources=()) as kernel, home.kernel(sources=()) as replica:
        outcomes = await asyncio.gather(
            *(
                home.execute(kernel if number % 2 else replica, opening(f"t{number}", "shop", f"O-{number % 3}"))
                for number in range(30)
            )
        )
    assert sum(outcome.events == ["tally.opened"] for outcome in outcomes) == 3
    assert await home.totals() == {
        **{outcome.stream.removeprefix("tally-"): 0 for outcome in outcomes if outcome.stream != "tally-taken"},
        "taken": 27,
    }


async def test_two_records_of_one_batch_cannot_share_a_number(home: Home) -> None:
    records = [home.ask("open", tally, order_no="O-7") for tally in ("t1", "t2", "t3")]
    async with home.kernel() as kernel:
        await home.publish(*records)
        await home.quiet(kernel)
    totals = await home.totals()
    assert totals.pop("taken") == 2
    assert len(totals) == 1


async def test_what_is_done_instead_names_the_same_cause(home: Home) -> None:
    first, second = (home.ask("open", tally, order_no="O-7") for tally in ("t1", "t2"))
    async with home.kernel() as kernel:
        for record in (first, second):
            await home.publish(record)
            await home.quiet(kernel)
        (instead,) = await kernel.history("taken", "tally-taken")
    assert instead.meta == {"cause": dict(second.headers)["ce_id"].decode()}
