"""Read model `product_version`: the catalogue, one row for each version."""

import json

from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put
from services.quote.domain.events import ProductPublished, ProductWithdrawn, QuoteEvent

product_version = Projection(
    name="product_version",
    version=1,
    columns={
        "code": "text",
        "version": "integer",
        "line": "text",
        "on_sale_from": "date",
        "on_sale_until": "date",
        "withdrawn": "boolean",
        "withdrawal_reason": "text",
        "document": "jsonb",
        "published_at": "timestamptz",
        "revision": "integer",
    },
    key=("code", "version"),
)
"""`revision` rises with each change, so that count and sum over all rows tell whether any row changed."""


@product_version.on(ProductPublished)
def add_version(event: ProductPublished, recorded: Recorded[QuoteEvent]) -> Put:
    """A version with its whole document."""
    return Put(
        {
            "code": event.product_code,
            "version": event.product_version,
            "line": event.line,
            "on_sale_from": event.on_sale_from,
            "on_sale_until": event.on_sale_until,
            "withdrawn": False,
            "document": json.loads(event.document),
            "published_at": recorded.recorded_at,
            "revision": 1,
        }
    )


@product_version.on(ProductWithdrawn)
def mark_withdrawn(event: ProductWithdrawn, recorded: Recorded[QuoteEvent]) -> Change:
    """The version is off sale."""
    return Change(
        {
            "code": event.product_code,
            "version": event.product_version,
            "withdrawn": True,
            "withdrawal_reason": event.reason,
            "revision": 2,
        }
    )
