"""Read model `application`: one row for each order that became an application, with how it ended."""

from contracts.vocabulary.faults import Fault
from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationIssued,
    ApplicationNotIssued,
    ApplicationSubmitted,
    PremiumRated,
    QuoteEvent,
    SandboxCleared,
)
from services.quote.domain.underwriting.events import (
    ApplicationExpired,
    ApplicationReferred,
    ApplicationWithdrawn,
    CounterOffered,
)

application = Projection(
    name="application",
    version=2,
    columns={
        "channel": "text",
        "order_no": "text",
        "contract_id": "text",
        "contract_no": "text",
        "book": "text",
        "product_code": "text",
        "product_version": "integer",
        "status": "text",
        "order_premium_minor": "bigint",
        "premium_minor": "bigint",
        "currency": "text",
        "effective": "date",
        "campaign": "text",
        "sale_source": "text",
        "page_path": "text",
        "faults": "jsonb",
        "policy_no": "text",
        "placed_at": "timestamptz",
        "submitted_at": "timestamptz",
        "decided_at": "timestamptz",
    },
    key=("channel", "order_no"),
    indexes=(("contract_id",),),
)


@application.on(ApplicationSubmitted)
def add_application(event: ApplicationSubmitted, recorded: Recorded[QuoteEvent]) -> Put:
    """The order as it came; its premium is the channel's until ours is known."""
    order, evidence = event.order, event.order.evidence
    return Put(
        {
            "channel": event.channel,
            "order_no": order.order_no,
            "contract_id": event.contract_id,
            "contract_no": order.contract_no,
            "book": order.book,
            "product_code": order.product,
            "product_version": event.product_version,
            "status": "submitted",
            "order_premium_minor": order.premium_minor,
            "premium_minor": 0,
            "currency": order.currency,
            "effective": order.effective,
            "campaign": order.campaign,
            "sale_source": None if evidence is None else evidence.source,
            "page_path": None if evidence is None else evidence.page_path,
            "faults": [],
            "placed_at": order.placed_at,
            "submitted_at": recorded.recorded_at,
        }
    )


@application.on(PremiumRated)
def set_price(event: PremiumRated, recorded: Recorded[QuoteEvent]) -> Change:
    """Our price."""
    return Change({"channel": event.channel, "order_no": event.order_no, "premium_minor": event.premium_minor})


@application.on(ApplicationAccepted)
def mark_accepted(event: ApplicationAccepted, recorded: Recorded[QuoteEvent]) -> Change:
    """Accepted at the agreed premium."""
    terms = event.terms
    return Change(
        {
            "channel": terms.channel,
            "order_no": terms.order_no,
            "status": "accepted",
            "premium_minor": terms.premium_minor,
            "decided_at": recorded.recorded_at,
        }
    )


@application.on(ApplicationDeclined)
def mark_declined(event: ApplicationDeclined, recorded: Recorded[QuoteEvent]) -> Change:
    """Declined, with everything that was found."""
    return Change(
        {
            "channel": event.channel,
            "order_no": event.order_no,
            "status": "declined",
            "faults": _listed(event.faults),
            "decided_at": recorded.recorded_at,
        }
    )


@application.on(ApplicationReferred)
def mark_referred(event: ApplicationReferred, recorded: Recorded[QuoteEvent]) -> Change:
    """A person decides; read model `referral` has the rest."""
    return Change({"channel": event.terms.channel, "order_no": event.terms.order_no, "status": "referred"})


@application.on(CounterOffered)
def mark_offered(event: CounterOffered, recorded: Recorded[QuoteEvent]) -> Change:
    """Other terms wait for the customer."""
    return Change({"channel": event.terms.channel, "order_no": event.terms.order_no, "status": "offered"})


@application.on(ApplicationWithdrawn)
def mark_withdrawn(event: ApplicationWithdrawn, recorded: Recorded[QuoteEvent]) -> Change:
    """The customer did not want it any more."""
    return Change(
        {
            "channel": event.channel,
            "order_no": event.order_no,
            "status": "withdrawn",
            "decided_at": recorded.recorded_at,
        }
    )


@application.on(ApplicationExpired)
def mark_expired(event: ApplicationExpired, recorded: Recorded[QuoteEvent]) -> Change:
    """Nobody answered in time."""
    return Change(
        {
            "channel": event.channel,
            "order_no": event.order_no,
            "status": "expired",
            "decided_at": recorded.recorded_at,
        }
    )


@application.on(ApplicationIssued)
def mark_issued(event: ApplicationIssued, recorded: Recorded[QuoteEvent]) -> Change:
    """In force as a policy term."""
    return Change(
        {
            "channel": event.channel,
            "order_no": event.order_no,
            "status": "issued",
            "policy_no": event.policy_no,
        }
    )


@application.on(ApplicationNotIssued)
def mark_failed(event: ApplicationNotIssued, recorded: Recorded[QuoteEvent]) -> Change:
    """Accepted here, but not put in force."""
    return Change(
        {
            "channel": event.channel,
            "order_no": event.order_no,
            "status": "failed",
            "faults": _listed(event.faults),
        }
    )


def _listed(faults: tuple[Fault, ...]) -> list[dict[str, str]]:
    return [{"code": fault.code, "path": fault.path, "message": fault.message} for fault in faults]


@application.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
