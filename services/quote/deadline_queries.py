"""Reads of the last days of what waits for customers."""

from datetime import date

from pydantic import BaseModel

from services.kernel.read_models import ReadModels

Place = tuple[date, str, str]
"""Where a deadline stands in the order of all: its last day, the channel, the order number."""

_START: Place = (date.min, "", "")


class Deadline(BaseModel):
    """What an order waits for (`offer`, `information` or `payment`), and up to and including which day."""

    channel: str
    order_no: str
    contract_id: str
    waits_for: str
    until: date

    @property
    def place(self) -> Place:
        """Its place in the order of all."""
        return (self.until, self.channel, self.order_no)


_DEADLINES = """
select * from deadline
 where until < $1 and (until, channel, order_no) > ($2, $3, $4)
 order by until, channel, order_no limit $5
"""


async def deadlines(read: ReadModels, before: date, after: Place | None, limit: int) -> list[Deadline]:
    """Those whose last day lies before a day, earliest first, behind a place."""
    return await read.many(Deadline, _DEADLINES, before, *(after or _START), limit)
