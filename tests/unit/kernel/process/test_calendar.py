"""The calendar: pages of what is due, one after the other, the rules having the last word."""

from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace
from typing import Any

from services.kernel.commands.execution import Executed
from services.kernel.errors import CommandRefused
from services.kernel.messages import Instruction
from services.kernel.process.calendar import Calendar, DuePage

DAY = date(2026, 11, 23)


@dataclass
class Handler:
    """Carries out what it can: a command's number is its stream's; refuses negative ones."""

    done: list[int] = field(default_factory=list)

    async def commit(self, work: Any) -> None:
        executed = []
        for instruction in await work.prepare(None):
            number = instruction.command
            refusal = CommandRefused("settled", "settled meanwhile") if number < 0 else None
            events: list[Any] = [] if refusal else ["done"]
            executed.append(Executed(instruction, 1, None, events, refusal=refusal))
            self.done.append(number)
        await work.finish(None, executed)


def calendar(numbers: list[int], page: int) -> tuple[Calendar, Handler, list[Any]]:
    asked: list[Any] = []

    async def due(read: Any, day: date, after: Any, limit: int) -> DuePage:
        asked.append((day, after, limit))
        start = after or 0
        own = numbers[start : start + limit]
        instructions = [Instruction(lane="x", stream=f"s{number}", command=number) for number in own]
        return DuePage(instructions, start + limit if len(own) == limit else None)

    handler = Handler()
    kernel: Any = SimpleNamespace(read=None, handler=handler, calendar_status="")
    return Calendar(kernel, due, 1.0, page), handler, asked


async def test_what_is_due_is_done_page_by_page() -> None:
    kept, handler, asked = calendar([1, 2, 3, 4, 5], page=2)
    assert [await kept.keep(DAY) for _ in range(3)] == [2, 2, 1]
    assert handler.done == [1, 2, 3, 4, 5]
    assert asked == [(DAY, None, 2), (DAY, 2, 2), (DAY, 4, 2)]


async def test_what_cannot_be_done_does_not_keep_the_rest_waiting() -> None:
    kept, handler, _ = calendar([-1, -2, 3], page=2)
    assert [await kept.keep(DAY) for _ in range(3)] == [0, 1, 0]
    # After the last page it begins again.
    assert handler.done == [-1, -2, 3, -1, -2]


async def test_nothing_due_is_no_commit() -> None:
    kept, handler, _ = calendar([], page=2)
    assert await kept.keep(DAY) == 0
    assert handler.done == []
