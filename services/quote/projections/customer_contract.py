"""Read model `customer_contract`: what each customer who can be told apart has applied for, to add up and compare."""

from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationIssued,
    ApplicationNotIssued,
    ApplicationSubmitted,
    QuoteEvent,
)

customer_contract = Projection(
    name="customer_contract",
    version=1,
    columns={
        "channel": "text",
        "order_no": "text",
        "customer": "text",
        "contract_id": "text",
        "product_code": "text",
        "currency": "text",
        "standing": "text",
        "effective": "date",
        "expiry": "date",
        "premium_minor": "bigint",
        "sums_insured_minor": "jsonb",
    },
    key=("channel", "order_no"),
    indexes=(("customer",),),
)
"""`customer` is the digest of the policyholder's document; `standing` is applied, accepted, issued or failed."""


@customer_contract.on(ApplicationSubmitted)
def add_contract(event: ApplicationSubmitted, recorded: Recorded[QuoteEvent]) -> Put | None:
    """An application, where the order says whose it is."""
    order = event.order
    if order.policyholder_id is None:
        return None
    return Put(
        {
            "channel": event.channel,
            "order_no": order.order_no,
            "customer": order.policyholder_id,
            "contract_id": event.contract_id,
            "product_code": order.product,
            "currency": order.currency,
            "standing": "applied",
            "effective": order.effective,
        }
    )


@customer_contract.on(ApplicationAccepted)
def mark_accepted(event: ApplicationAccepted, recorded: Recorded[QuoteEvent]) -> Change:
    """The agreed sums count from now on."""
    terms = event.terms
    insured = {one.code: one.sum_insured_minor for one in terms.coverages if one.sum_insured_minor is not None}
    return Change(
        {
            "channel": terms.channel,
            "order_no": terms.order_no,
            "standing": "accepted",
            "effective": terms.period.effective,
            "expiry": terms.period.expiry,
            "premium_minor": terms.premium_minor,
            "sums_insured_minor": insured,
        }
    )


@customer_contract.on(ApplicationIssued)
def mark_issued(event: ApplicationIssued, recorded: Recorded[QuoteEvent]) -> Change:
    """In force."""
    return Change({"channel": event.channel, "order_no": event.order_no, "standing": "issued"})


@customer_contract.on(ApplicationNotIssued)
def mark_failed(event: ApplicationNotIssued, recorded: Recorded[QuoteEvent]) -> Change:
    """Not in force, so it does not count."""
    return Change({"channel": event.channel, "order_no": event.order_no, "standing": "failed"})
