"""What is due by the calendar: applications whose offer, question or payment has waited beyond its last day."""

from datetime import date
from typing import Any

from services.kernel.messages import Instruction
from services.kernel.process.calendar import DuePage
from services.kernel.read_models import ReadModels
from services.quote import deadline_queries
from services.quote.domain.underwriting.commands import ExpireApplication
from services.quote.inbound import application_stream


async def due(read: ReadModels, business_date: date, after: Any | None, limit: int) -> DuePage:
    """The applications whose last day lies before a date, earliest first, behind a place of this order."""
    passed = await deadline_queries.deadlines(read, business_date, after, limit)
    instructions = [
        Instruction(
            lane=one.contract_id,
            stream=application_stream(one.channel, one.order_no, one.contract_id),
            command=ExpireApplication(order_no=one.order_no, expired_on=business_date),
        )
        for one in passed
    ]
    return DuePage(instructions, passed[-1].place if len(passed) == limit else None)
