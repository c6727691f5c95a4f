"""Events outlive the build that wrote them: a newer build reads them all, an older one leaves alone what it cannot."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from services.kernel.decider import Decider
from services.kernel.errors import UnknownEvent
from services.kernel.messages import DomainEvent, Outgoing, Recorded, Upcaster
from services.kernel.process.runtime import Kernel
from services.kernel.projection import Add, Projection
from tests.support.running import Home, end_relay, eventually
from tests.support.tally import AmountCounted, Count, State, TallyClosed, TallyOpened, evolve, to


def _with_pence(content: dict[str, Any]) -> dict[str, Any]:
    return {"tally": content["tally"], "pence": content["amount"] * 100, "note": content["note"]}


class CountedInPence(DomainEvent):
    """The count of tomorrow's build: whole pounds in version 1, pence in version 2."""

    event_type: ClassVar[str] = "tally.counted"
    schema_version: ClassVar[int] = 2
    upcasters: ClassVar[Mapping[int, Upcaster]] = {1: _with_pence}
    tally: str
    pence: int
    note: str = ""


def _decide(command: Any, state: State) -> Sequence[DomainEvent]:
    assert isinstance(command, Count)
    return (CountedInPence(tally=command.tally, pence=command.amount),)


def _evolve(state: State, event: Any) -> State:
    if isinstance(event, CountedInPence):
        return State(state.total + event.pence, state.opened, state.closed)
    return evolve(state, event)


def _to_wire(recorded: Recorded[Any]) -> Outgoing | None:
    event = recorded.event
    assert isinstance(event, CountedInPence)
    return Outgoing(event.tally, AmountCounted(tally=event.tally, amount=event.pence // 100, note=event.note))


def _total(version: int) -> Projection:
    projection = Projection(
        name="tally_total", version=version, columns={"tally": "text", "pence": "bigint"}, key=("tally",)
    )

    @projection.on(CountedInPence)
    def count(event: CountedInPence, recorded: Recorded[Any]) -> Add:
        return Add({"tally": event.tally}, {"pence": event.pence})

    return projection


TOMORROW: dict[str, Any] = {
    "events": (TallyOpened, CountedInPence, TallyClosed),
    "decider": Decider(initial_state=State(), decide=_decide, evolve=_evolve),
    "to_wire": _to_wire,
    "projections": (_total(2),),
}


async def _rows(kernel: Kernel) -> dict[str, int]:
    async with kernel._read_pool.acquire() as connection:
        rows = await connection.fetch("select tally, pence from read.tally_total")
    return {row["tally"]: row["pence"] for row in rows}


async def test_a_newer_build_reads_what_the_older_one_wrote(home: Home) -> None:
    async with home.kernel() as kernel:
        await home.execute(kernel, to("t1", Count("t1", 3)))
        await home.quiet(kernel)
    async with home.kernel(**TOMORROW) as kernel:
        await home.execute(kernel, to("t1", Count("t1", 250)))
        await home.quiet(kernel)
        history = await kernel.history("t1", "tally-t1")
        assert await _rows(kernel) == {"t1": 550}
    assert [recorded.event.pence for recorded in history] == [300, 250]
    topic = await home.read_topic(home.events_topic)
    assert [record.value for own in topic.values() for record in own] == [
        b'{"tally":"t1","amount":3,"note":""}',
        b'{"tally":"t1","amount":2,"note":""}',
    ]


async def test_an_older_build_leaves_a_contract_alone_that_a_newer_one_has_written_to(home: Home) -> None:
    async with home.kernel(**TOMORROW) as kernel:
        await home.execute(kernel, to("t1", Count("t1", 250)))
        await home.quiet(kernel)
    async with home.kernel() as kernel:
        with pytest.raises(UnknownEvent, match=r"tally\.counted\.v2 is newer than this build"):
            await home.execute(kernel, to("t1", Count("t1", 1)))
        await home.execute(kernel, to("t2", Count("t2", 7)))
        await eventually(lambda: _relayed(home, b"t2"), "the other contract is relayed")
    async with home.kernel(**TOMORROW) as kernel:
        await home.execute(kernel, to("t1", Count("t1", 100)))
        await home.quiet(kernel)
        assert len(await kernel.history("t1", "tally-t1")) == 2


async def test_an_older_build_relays_everything_but_the_partition_with_the_newer_event(home: Home) -> None:
    async with home.kernel(**TOMORROW) as kernel:
        await end_relay(kernel)
        await home.execute(kernel, to("t1", Count("t1", 250)))
    async with home.kernel() as kernel:
        await home.execute(kernel, to("t2", Count("t2", 7)))
        await eventually(lambda: _relayed(home, b"t2"), "the other contract is relayed")
        (reason,) = kernel.stopped_because
        assert "is not relayed beyond 0: tally.counted.v2 is newer than this build" in reason
        assert not await _relayed(home, b"t1")
    async with home.kernel(**TOMORROW) as kernel:
        await home.quiet(kernel)
        assert await _relayed(home, b"t1")


async def _relayed(home: Home, key: bytes) -> bool:
    topic = await home.read_topic(home.events_topic)
    return any(record.key == key for own in topic.values() for record in own)
