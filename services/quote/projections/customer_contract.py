"""Read model `customer_contract`: contracts of each customer who can be told apart, to add up and compare."""

from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationNotIssued,
    QuoteEvent,
    SandboxCleared,
)
from services.quote.domain.underwriting.events import ApplicationExpired, ApplicationWithdrawn

customer_contract = Projection(
    name="customer_contract",
    version=2,
    columns={
        "channel": "text",
        "order_no": "text",
        "customer": "text",
        "contract_id": "text",
        "product_code": "text",
        "currency": "text",
        "in_force": "boolean",
        "effective": "date",
        "expiry": "date",
        "premium_minor": "bigint",
        "sums_insured_minor": "jsonb",
        "product_version": "integer",
        "by_rules": "boolean",
        "accepted_at": "timestamptz",
    },
    key=("channel", "order_no"),
    indexes=(("customer",),),
)
"""`customer` is the digest of the policyholder's document. What is accepted counts until it fails or ends."""


@customer_contract.on(ApplicationAccepted)
def add_contract(event: ApplicationAccepted, recorded: Recorded[QuoteEvent]) -> Put | None:
    """The agreed sums count from now on, where it was told whose they are."""
    if event.customer is None:
        return None
    terms = event.terms
    insured = {one.code: one.sum_insured_minor for one in terms.coverages if one.sum_insured_minor is not None}
    return Put(
        {
            "channel": terms.channel,
            "order_no": terms.order_no,
            "customer": event.customer,
            "contract_id": terms.contract_id,
            "product_code": terms.product_code,
            "currency": terms.currency,
            "in_force": True,
            "effective": terms.period.effective,
            "expiry": terms.period.expiry,
            "premium_minor": terms.premium_minor,
            "sums_insured_minor": insured,
            "product_version": terms.product_version,
            "by_rules": event.decided_by is None,
            "accepted_at": recorded.recorded_at,
        }
    )


@customer_contract.on(ApplicationNotIssued, ApplicationWithdrawn, ApplicationExpired)
def mark_ended(
    event: ApplicationNotIssued | ApplicationWithdrawn | ApplicationExpired, recorded: Recorded[QuoteEvent]
) -> Change:
    """Not in force, so it does not count."""
    return Change({"channel": event.channel, "order_no": event.order_no, "in_force": False})


@customer_contract.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
