"""Read model `policy_term`: one row for each term that was put in force."""

from services.kernel.messages import Recorded
from services.kernel.projection import Projection, Put
from services.policy.domain.events import PolicyEvent, PolicyIssued, PolicyRenewed, SandboxCleared

policy_term = Projection(
    name="policy_term",
    version=1,
    columns={
        "contract_id": "text",
        "term_no": "integer",
        "policy_no": "text",
        "channel": "text",
        "order_no": "text",
        "contract_no": "text",
        "book": "text",
        "product_code": "text",
        "product_version": "integer",
        "line": "text",
        "effective": "date",
        "expiry": "date",
        "currency": "text",
        "premium_minor": "bigint",
        "settlement": "text",
        "frequency": "text",
        "coverages": "jsonb",
        "issued_at": "timestamptz",
    },
    key=("contract_id", "term_no"),
    indexes=(("policy_no",), ("channel", "order_no")),
)


@policy_term.on(PolicyIssued, PolicyRenewed)
def add_term(event: PolicyIssued | PolicyRenewed, recorded: Recorded[PolicyEvent]) -> Put:
    """The term with its agreed conditions."""
    terms = event.terms
    return Put(
        {
            "contract_id": terms.contract_id,
            "term_no": event.term_no,
            "policy_no": event.policy_no,
            "channel": terms.channel,
            "order_no": terms.order_no,
            "contract_no": terms.contract_no,
            "book": terms.book,
            "product_code": terms.product_code,
            "product_version": terms.product_version,
            "line": terms.line,
            "effective": terms.period.effective,
            "expiry": terms.period.expiry,
            "currency": terms.currency,
            "premium_minor": terms.premium_minor,
            "settlement": terms.settlement,
            "frequency": terms.frequency,
            "coverages": [
                {"code": c.code, "premium_minor": c.premium_minor, "sum_insured_minor": c.sum_insured_minor}
                for c in terms.coverages
            ],
            "issued_at": recorded.recorded_at,
        }
    )


@policy_term.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
