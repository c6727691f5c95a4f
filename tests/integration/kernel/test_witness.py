"""A witness completes each command with what was decided before it, in the order of the log and nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.kernel.messages import DomainEvent, Recorded
from tests.support.running import Home
from tests.support.tally import Count, Explode, to


class Adding:
    """Adds to each count what was counted before, over all streams."""

    def __init__(self) -> None:
        self.begun = self.committed_amount = self.decided_amount = 0

    def begin(self) -> None:
        self.begun += 1
        self.decided_amount = 0

    def complete(self, command: Any) -> Any:
        before = self.committed_amount + self.decided_amount
        return replace(command, amount=command.amount + before) if isinstance(command, Count) else command

    def decided(self, events: Sequence[DomainEvent]) -> None:
        self.decided_amount += sum(getattr(event, "amount", 0) for event in events)

    def committed(self, recorded: Sequence[Recorded[Any]]) -> None:
        self.committed_amount += sum(getattr(one.event, "amount", 0) for one in recorded)
        self.decided_amount = 0


async def test_a_command_is_completed_with_what_was_decided_before_it(home: Home) -> None:
    witness = Adding()
    async with home.kernel(witness=witness) as kernel:
        await kernel.execute(to("t1", Count("t1", 5)), "c-1")
        await kernel.execute(to("t2", Count("t2", 1)), "c-2")
        # The same again is answered by the first outcome, and counts once.
        await kernel.execute(to("t1", Count("t1", 5)), "c-1")
    assert await home.totals() == {"t1": 5, "t2": 6}
    assert witness.committed_amount == 11


async def test_a_bug_in_a_rule_leaves_nothing_with_the_witness(home: Home) -> None:
    witness = Adding()
    async with home.kernel(witness=witness) as kernel:
        with pytest.raises(RuntimeError, match="a bug in a rule"):
            await kernel.execute(to("t1", Explode("t1")), "c-1")
        await kernel.execute(to("t1", Count("t1", 5)), "c-2")
    assert (witness.begun, witness.committed_amount) == (2, 5)
