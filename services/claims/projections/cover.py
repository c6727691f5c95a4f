"""Read model `cover`: one row for each term that claims knows of."""

from services.claims.domain.events import ClaimsEvent, CoverRegistered, SandboxCleared
from services.kernel.messages import Recorded
from services.kernel.projection import Projection, Put

cover = Projection(
    name="cover",
    version=1,
    columns={
        "contract_id": "text",
        "term_no": "integer",
        "policy_no": "text",
        "channel": "text",
        "product_code": "text",
        "effective": "date",
        "expiry": "date",
        "currency": "text",
        "sums_insured_minor": "jsonb",
        # Not "bigint", which the kernel takes for a counter that is never null: null is "no limit" here.
        "straight_through_claim_minor": "int8",
        "registered_at": "timestamptz",
    },
    key=("contract_id", "term_no"),
)


@cover.on(CoverRegistered)
def add_term(event: CoverRegistered, recorded: Recorded[ClaimsEvent]) -> Put:
    """The term with its coverages and their sums insured (null: no limit)."""
    return Put(
        {
            "contract_id": event.contract_id,
            "term_no": event.term_no,
            "policy_no": event.policy_no,
            "channel": event.channel,
            "product_code": event.product_code,
            "effective": event.period.effective,
            "expiry": event.period.expiry,
            "currency": event.currency,
            "sums_insured_minor": event.sums_insured_minor,
            "straight_through_claim_minor": event.straight_through_claim_minor,
            "registered_at": recorded.recorded_at,
        }
    )


@cover.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
