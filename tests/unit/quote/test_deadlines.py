"""What is due by the calendar in quote: one command for each passed deadline, and the place to go on from."""

from datetime import date
from typing import Any

from services.quote.deadline_queries import Deadline
from services.quote.deadlines import due
from services.quote.domain.underwriting.commands import ExpireApplication
from services.quote.inbound import application_stream

TODAY = date(2026, 11, 23)
ROWS = [
    Deadline(channel="shop", order_no=number, contract_id=f"K-{number}", waits_for="payment", until=date(2026, 11, day))
    for number, day in (("O-2", 1), ("O-1", 22))
]


class Rows:
    """Answers the query with what it has, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def many(self, model: type[Deadline], sql: str, *arguments: Any) -> list[Deadline]:
        assert model is Deadline
        self.asked.append(arguments)
        return ROWS[: arguments[-1]]


async def test_each_passed_deadline_is_a_command_with_the_business_date() -> None:
    rows: Any = Rows()
    page = await due(rows, TODAY, None, 5)
    assert [(one.lane, one.stream, one.command) for one in page.instructions] == [
        (
            f"K-{number}",
            application_stream("shop", number, f"K-{number}"),
            ExpireApplication(order_no=number, expired_on=TODAY),
        )
        for number in ("O-2", "O-1")
    ]
    assert page.next_after is None
    # It must not hold up, nor wait behind, what channels have sent.
    assert not any(one.in_order for one in page.instructions)


async def test_a_full_page_says_where_the_next_one_begins() -> None:
    rows: Any = Rows()
    page = await due(rows, TODAY, None, 2)
    assert page.next_after == (date(2026, 11, 22), "shop", "O-1")
    await due(rows, TODAY, page.next_after, 2)
    assert rows.asked == [(TODAY, date.min, "", "", 2), (TODAY, date(2026, 11, 22), "shop", "O-1", 2)]
