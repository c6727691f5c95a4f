"""Read model `channel_sale`: what each channel has sold of each product, by the day on which orders were placed."""

from services.kernel.messages import Recorded
from services.kernel.projection import Add, Projection
from services.quote.domain.events import ApplicationAccepted, ApplicationNotIssued, QuoteEvent, SandboxCleared
from services.quote.domain.underwriting.offers import sum_insured_minor

channel_sale = Projection(
    name="channel_sale",
    version=1,
    columns={
        "channel": "text",
        "product_code": "text",
        "day": "date",
        "orders": "bigint",
        "premium_minor": "bigint",
        "sum_insured_minor": "bigint",
    },
    key=("channel", "product_code", "day"),
)
"""Accepted orders that did not fail. Older events do not have the order's day: that of the decision counts."""


@channel_sale.on(ApplicationAccepted, ApplicationNotIssued)
def count(event: ApplicationAccepted | ApplicationNotIssued, recorded: Recorded[QuoteEvent]) -> Add | None:
    """One order more, or one less where it could not be put in force; older failures do not say what failed."""
    terms, sign = (event.terms, 1) if isinstance(event, ApplicationAccepted) else (event.accepted, -1)
    if terms is None:
        return None
    day = event.placed_on or recorded.recorded_at.date()
    return Add(
        {"channel": terms.channel, "product_code": terms.product_code, "day": day},
        {
            "orders": sign,
            "premium_minor": sign * terms.premium_minor,
            "sum_insured_minor": sign * sum_insured_minor(terms),
        },
    )


@channel_sale.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
