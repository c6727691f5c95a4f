"""Later messages of a contract wait behind its dead letter, and follow in order once a person has settled it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.kernel.commands.dead_letters import LetterState
from services.kernel.errors import CommandRefused, UnknownEvent
from services.kernel.messages import Delivery, Instruction
from services.kernel.process.runtime import Kernel
from services.kernel.receiving import inbox
from services.kernel.receiving.redrive import Settled, Settlement, UnknownLetter
from services.kernel.routing import route
from tests.support.running import Home, eventually
from tests.support.tally import Asked, Count, Counted, NewerAsked, to
from tests.support.topic_audit import assert_topic_is_the_log


async def _settle(kernel: Kernel, home: Home, state: LetterState, edited: bytes | None = None) -> Settled:
    """Settle the oldest open letter."""
    letter = next(one for one in await home.dead_letters() if one["state"] == "open")
    return await kernel.settle(
        Settlement(letter_id=letter["id"], state=state, by="ann", reason="looked at it", edited=edited)
    )


async def _amounts(kernel: Kernel, tally: str) -> list[int]:
    history = await kernel.history(tally, f"tally-{tally}")
    return [recorded.event.amount for recorded in history if isinstance(recorded.event, Counted)]


async def test_a_contract_waits_behind_its_dead_letter_and_no_other_does(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.publish(home.ask("count", "t1", amount=1), home.ask("explode", "t1"))
        await home.publish(*(home.ask("count", tally, amount=n) for n in (2, 3) for tally in ("t1", "t2")))
        await home.quiet(kernel)
        assert (await _amounts(kernel, "t1"), await _amounts(kernel, "t2")) == ([1], [2, 3])
        status = await kernel.status()
        assert (status["dead_letters_open"], status["parked"]) == (1, 2)


async def test_an_edited_message_is_handled_and_what_waited_follows_in_order(home: Home) -> None:
    bad = home.ask("explode", "t1")
    async with home.kernel() as kernel:
        await home.publish(bad, *(home.ask("count", "t1", amount=amount) for amount in (2, 3)))
        await home.quiet(kernel)
        content = {**json.loads(bad.value), "what": "count", "amount": 1}
        settled = await _settle(kernel, home, LetterState.REDRIVEN, json.dumps(content).encode())
        assert settled == Settled(LetterState.REDRIVEN, None, released=2, still_parked=0)
        await home.publish(home.ask("count", "t1", amount=4))
        await home.quiet(kernel)
        assert await _amounts(kernel, "t1") == [1, 2, 3, 4]
        first = (await kernel.history("t1", "tally-t1"))[0]
    assert first.meta["redriven_by"] == "ann"
    (letter,) = await home.dead_letters()
    assert (letter["id"], letter["value"]) == (first.meta["dead_letter"], bad.value)
    assert json.loads(letter["edited"]) == content
    assert await assert_topic_is_the_log(home) == 4


async def test_a_discarded_message_lets_the_rest_through(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.publish(home.ask("refuse", "t1"), *(home.ask("count", "t1", amount=n) for n in (2, 3)))
        await home.quiet(kernel)
        settled = await _settle(kernel, home, LetterState.DISCARDED)
        assert settled == Settled(LetterState.DISCARDED, None, released=2, still_parked=0)
        assert await _amounts(kernel, "t1") == [2, 3]
    (letter,) = await home.dead_letters()
    assert (letter["state"], letter["settled_by"], letter["settled_reason"]) == ("discarded", "ann", "looked at it")


async def test_a_letter_that_fails_again_stays_open_and_keeps_the_others_waiting(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.publish(home.ask("explode", "t1"), home.ask("count", "t1", amount=2))
        await home.quiet(kernel)
        settled = await _settle(kernel, home, LetterState.REDRIVEN)
        assert settled == Settled(LetterState.OPEN, "RuntimeError: a bug in a rule", released=0, still_parked=1)
        assert await _amounts(kernel, "t1") == []
        (letter,) = await home.dead_letters()
        assert (letter["state"], letter["attempts"]) == ("open", 2)
        await _settle(kernel, home, LetterState.DISCARDED)
        assert await _amounts(kernel, "t1") == [2]


async def test_the_next_failure_among_those_that_waited_is_the_next_letter(home: Home) -> None:
    kinds = [("explode", 1), ("count", 2), ("refuse", 3), ("count", 4), ("explode", 5), ("count", 6)]
    async with home.kernel() as kernel:
        await home.publish(*(home.ask(what, "t1", amount=amount) for what, amount in kinds))
        await home.quiet(kernel)
        for amounts, released, still_parked in (([2], 2, 3), ([2, 4], 2, 1), ([2, 4, 6], 1, 0)):
            settled = await _settle(kernel, home, LetterState.DISCARDED)
            assert (settled.released, settled.still_parked) == (released, still_parked)
            assert await _amounts(kernel, "t1") == amounts
    assert [letter["state"] for letter in await home.dead_letters()] == ["discarded"] * 3


async def test_what_waits_survives_a_restart_and_a_second_delivery(home: Home) -> None:
    records = [home.ask("explode", "t1"), home.ask("count", "t1", amount=2)]
    async with home.kernel() as kernel:
        await home.publish(*records)
        await home.quiet(kernel)
    async with home.kernel() as kernel:
        await home.publish(home.ask("count", "t1", amount=3))
        await home.quiet(kernel)
        (subscriber,) = kernel.broker.subscribers
        await subscriber.consumer.seek_to_beginning()  # type: ignore[attr-defined]
        await home.publish(home.ask("count", "t1", amount=4))
        await home.quiet(kernel)
        assert len(await home.parked()) == 3
        await _settle(kernel, home, LetterState.DISCARDED)
        assert await _amounts(kernel, "t1") == [2, 3, 4]


async def test_settling_while_messages_pour_in_keeps_their_order(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.publish(home.ask("explode", "t1"))
        await home.quiet(kernel)
        records = [home.ask("count", "t1", amount=amount) for amount in range(300)]
        publishing = asyncio.ensure_future(home.publish(*records))
        await eventually(lambda: _some_wait(home), "some messages wait")
        await _settle(kernel, home, LetterState.DISCARDED)
        await publishing
        await home.quiet(kernel)
        assert await _amounts(kernel, "t1") == list(range(300))
    assert await home.parked() == []


async def test_a_message_that_comes_with_the_settlement_does_not_overtake_what_waits(home: Home) -> None:
    records = [home.ask("explode", "t1"), *(home.ask("count", "t1", amount=amount) for amount in (1, 2))]
    deliveries = [
        Delivery(r.topic, r.partition, offset, r.key, r.value, tuple(r.headers), r.timestamp_ms)
        for offset, r in enumerate(records)
    ]

    def batch(*own: Delivery) -> inbox.InboxBatch:
        definition = home.definition
        return inbox.InboxBatch(definition.name, own, definition.react, True, definition)

    async with home.kernel(sources=()) as kernel:
        await kernel.handler.commit(batch(*deliveries[:2]))
        (letter,) = await home.dead_letters()
        settlement = Settlement(letter_id=letter["id"], state=LetterState.DISCARDED, by="ann", reason="none")
        # Both wait before the writer looks, so nothing but the work itself keeps them apart.
        await asyncio.gather(kernel.handler.commit(batch(deliveries[2])), kernel.settle(settlement))
        assert await _amounts(kernel, "t1") == [1, 2]
    assert await home.parked() == []


async def _some_wait(home: Home) -> bool:
    return bool(await home.parked())


async def test_a_version_of_tomorrow_stops_its_contract_until_the_build_knows_it(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.publish(home.ask("count", "t1", kind=NewerAsked, amount=1), home.ask("count", "t1", amount=2))
        await home.publish(home.ask("count", "t2", amount=5))
        await home.quiet(kernel)
        assert (await _amounts(kernel, "t1"), await _amounts(kernel, "t2")) == ([], [5])

    def count(event: Asked) -> Sequence[Instruction]:
        return (to(event.tally, Count(event.tally, event.amount)),)

    async with home.kernel(react=route((Asked, count), (NewerAsked, count))) as kernel:
        await _settle(kernel, home, LetterState.REDRIVEN)
        assert await _amounts(kernel, "t1") == [1, 2]


async def test_an_event_of_a_newer_build_in_the_log_stops_its_contract_alone(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.publish(home.ask("count", "t1", amount=1))
        await home.quiet(kernel)
    # Only what is read matters here, so the chain is left as it was.
    async with home.superuser() as superuser:
        await superuser.execute("update log.events set schema = 9 where stream = 'tally-t1'")
    async with home.kernel() as kernel:
        await home.publish(home.ask("count", "t1", amount=2), home.ask("count", "t2", amount=5))
        await eventually(lambda: _counted(kernel, "t2"), "the other contract goes on")
        (letter,) = await home.dead_letters()
        assert (letter["reason"], letter["lane"]) == ("unknown_version", "t1")
        assert "tally.counted.v9" in letter["error"]
        with pytest.raises(UnknownEvent):
            await kernel.history("t1", "tally-t1")


async def _counted(kernel: Kernel, tally: str) -> bool:
    return bool(await _amounts(kernel, tally))


async def test_a_channels_message_waits_too_where_its_contract_does(channel_home: Home) -> None:
    home = channel_home

    def react_to_channel(delivery: Delivery) -> Sequence[Instruction]:
        amount = json.loads(delivery.value or b"")["amount"]
        return (to("t1", Count("t1", amount)),)

    async with home.kernel(react_to_channel=react_to_channel) as kernel:
        await home.publish(home.ask("explode", "t1"))
        await home.quiet(kernel)
        await home.order(b'{"amount": 2}')
        await home.order(b"not json")
        await home.order(b'{"amount": 3}')
        await home.quiet(kernel)
        assert await _amounts(kernel, "t1") == []
        assert [one["lane"] for one in await home.dead_letters()] == ["t1", None]
        await _settle(kernel, home, LetterState.DISCARDED)
        assert await _amounts(kernel, "t1") == [2, 3]


async def test_the_same_bad_message_of_a_channel_again_is_the_same_dead_letter(channel_home: Home) -> None:
    home = channel_home
    async with home.kernel() as kernel:
        for _ in range(2):
            await home.order(b"not json")
            await home.quiet(kernel)
        assert len(await home.dead_letters()) == 1
        await _settle(kernel, home, LetterState.DISCARDED)
        await home.order(b"not json")
        await home.quiet(kernel)
    assert [one["state"] for one in await home.dead_letters()] == ["discarded"]


async def test_only_an_open_letter_can_be_settled(home: Home) -> None:
    def keep(event: Asked) -> Sequence[Instruction]:
        return (replace(to(event.tally, Count(event.tally, event.amount)), dead_letter="late"),)

    async with home.kernel(react=route((Asked, keep))) as kernel:
        await home.publish(home.ask("count", "t1"))
        await home.quiet(kernel)
        (letter,) = await home.dead_letters()
        wanted = Settlement(letter_id=letter["id"], state=LetterState.DISCARDED, by="ann", reason="none")
        with pytest.raises(CommandRefused, match="was answered"):
            await kernel.settle(wanted)
        with pytest.raises(UnknownLetter):
            await kernel.settle(replace(wanted, letter_id="0" * 32))


async def test_a_build_that_fails_at_everything_stops_instead_of_emptying_the_topic(home: Home) -> None:
    many = inbox.FAILURES_IN_A_ROW_MAX + 50
    async with home.kernel() as kernel:
        await home.publish(*(home.ask("explode", f"t{number}") for number in range(many)))
        await eventually(lambda: _in_trouble(kernel), "the inbox says that it stopped")
        (trouble,) = (await kernel.status())["inbox_stopped"]
        assert "in a row failed" in trouble
        assert "RuntimeError: a bug in a rule" in trouble
    assert len(await home.dead_letters()) <= inbox.FAILURES_IN_A_ROW_MAX

    def count(event: Asked) -> Sequence[Instruction]:
        return (to(event.tally, Count(event.tally, event.amount)),)

    async with home.kernel(react=route((Asked, count))) as kernel:
        await home.quiet(kernel)
    letters = {letter["lane"] for letter in await home.dead_letters()}
    assert len(letters) + len(await home.totals()) == many


async def _in_trouble(kernel: Kernel) -> bool:
    return bool((await kernel.status())["inbox_stopped"])
