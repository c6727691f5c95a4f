"""Read model `product_version`: the catalogue, one row for each version with the steps that it has taken."""

import json
from datetime import date
from typing import Any

from services.kernel.messages import Recorded
from services.kernel.projection import Change, Projection, Put
from services.quote.domain.events import QuoteEvent
from services.quote.domain.lifecycle.events import (
    CatalogueEvent,
    ProductApproved,
    ProductClosed,
    ProductDrafted,
    ProductPublished,
    ProductWithdrawn,
    SandboxOpened,
)
from services.quote.domain.product_versions import digest_of

product_version = Projection(
    name="product_version",
    version=2,
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
        "author": "text",
        "drafted_at": "timestamptz",
        "cloned_from": "text",
        "document_digest": "text",
        "approval": "jsonb",
        "sandbox": "jsonb",
        "sale": "jsonb",
        "closing": "jsonb",
        "withdrawal": "jsonb",
        "revision": "integer",
    },
    key=("code", "version"),
)
"""`revision` rises with each step of the product, so that count and sum over all rows tell whether any row changed.

A stage on a day follows from the days of the steps; `withdrawn` says that the version was withdrawn at once.
The columns of the first shape keep their meaning, as a build may read either while the table is filled anew.
"""


@product_version.on(ProductDrafted)
def add_draft(event: ProductDrafted, recorded: Recorded[QuoteEvent]) -> Put:
    """A draft with its whole document; another draft of the same version needs another approval."""
    return Put(
        {
            **_key(event, recorded),
            "line": event.line,
            "withdrawn": False,
            "document": json.loads(event.document),
            "author": event.by,
            "drafted_at": recorded.recorded_at,
            "cloned_from": event.cloned_from,
            "document_digest": digest_of(event.document),
            "approval": None,
        }
    )


@product_version.on(ProductApproved)
def mark_approved(event: ProductApproved, recorded: Recorded[QuoteEvent]) -> Change:
    """The draft is approved by a second person."""
    return Change({**_key(event, recorded), "approval": _step(recorded, event.by, event.why)})


@product_version.on(SandboxOpened)
def open_sandbox(event: SandboxOpened, recorded: Recorded[QuoteEvent]) -> Change:
    """Channels may try the version."""
    step = _step(recorded, event.by, event.why, event.from_day) | {"channels": list(event.channels)}
    return Change({**_key(event, recorded), "sandbox": step})


@product_version.on(ProductPublished)
def put_on_sale(event: ProductPublished, recorded: Recorded[QuoteEvent]) -> Put:
    """The version is on sale on its days; before steps named persons, this was its first event."""
    until = None if event.on_sale_until is None else event.on_sale_until.isoformat()
    return Put(
        {
            **_key(event, recorded),
            "line": event.line,
            "on_sale_from": event.on_sale_from,
            "on_sale_until": event.on_sale_until,
            "withdrawn": False,
            "document": json.loads(event.document),
            "document_digest": digest_of(event.document),
            "published_at": recorded.recorded_at,
            "sale": _step(recorded, event.by, event.why, event.on_sale_from) | {"until": until},
        }
    )


@product_version.on(ProductClosed)
def close_version(event: ProductClosed, recorded: Recorded[QuoteEvent]) -> Change:
    """The version takes no new business."""
    return Change({**_key(event, recorded), "closing": _step(recorded, event.by, event.why, event.from_day)})


@product_version.on(ProductWithdrawn)
def mark_withdrawn(event: ProductWithdrawn, recorded: Recorded[QuoteEvent]) -> Change:
    """The version is off sale, now or from a day on."""
    return Change(
        {
            **_key(event, recorded),
            "withdrawn": event.from_day is None,
            "withdrawal_reason": event.reason,
            "withdrawal": _step(recorded, event.by, event.reason, event.from_day),
        }
    )


def _key(event: CatalogueEvent, recorded: Recorded[QuoteEvent]) -> dict[str, Any]:
    return {"code": event.product_code, "version": event.product_version, "revision": recorded.version}


def _step(
    recorded: Recorded[QuoteEvent], by: str | None, why: str | None, from_day: date | None = None
) -> dict[str, Any]:
    day = None if from_day is None else from_day.isoformat()
    return {"by": by, "why": why, "at": recorded.recorded_at.isoformat(), "from_day": day}
