"""Read model `written_premium`: premium and policy years by product, channel, coverage and currency."""

from services.kernel.messages import Recorded
from services.kernel.projection import Add, Projection
from services.policy.domain.events import PolicyEvent, PolicyIssued, PolicyRenewed, SandboxCleared

TOTAL = "*"
"""The row of a product and channel over all coverages; it alone counts terms."""

written_premium = Projection(
    name="written_premium",
    version=1,
    columns={
        "product_code": "text",
        "channel": "text",
        "coverage": "text",
        "currency": "text",
        "premium_minor": "bigint",
        "terms": "bigint",
        "renewals": "bigint",
    },
    key=("product_code", "channel", "coverage", "currency"),
)


@written_premium.on(PolicyIssued, PolicyRenewed)
def count_premium(event: PolicyIssued | PolicyRenewed, recorded: Recorded[PolicyEvent]) -> list[Add]:
    """Premium is written when the term is put in force, whole, whatever the instalments."""
    terms = event.terms
    key = {"product_code": terms.product_code, "channel": terms.channel, "currency": terms.currency}
    renewal = int(isinstance(event, PolicyRenewed))
    counted = Add(
        {**key, "coverage": TOTAL},
        {"premium_minor": terms.premium_minor, "terms": 1, "renewals": renewal},
    )
    by_coverage = [
        Add(
            {**key, "coverage": coverage.code},
            {"premium_minor": coverage.premium_minor, "terms": 1, "renewals": renewal},
        )
        for coverage in terms.coverages
    ]
    return [counted, *by_coverage]


@written_premium.removes_on(SandboxCleared)
def put_away(event: SandboxCleared) -> dict[str, str]:
    """What the sandbox did before."""
    return {"channel": event.channel}
