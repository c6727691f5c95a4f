"""Read model `product_outlet`: the steps that product versions have taken for one channel or region alone."""

from services.kernel.messages import Recorded
from services.kernel.projection import Projection, Put
from services.quote.domain.events import QuoteEvent
from services.quote.domain.lifecycle.events import OutletClosed, OutletEvent, OutletOpened, OutletWithdrawn
from services.quote.domain.products.outlets import OutletMove

product_outlet = Projection(
    name="product_outlet",
    version=1,
    columns={
        "code": "text",
        "revision": "integer",
        "version": "integer",
        "channel": "text",
        "region": "text",
        "move": "text",
        "from_day": "date",
        "by": "text",
        "why": "text",
        "at": "timestamptz",
    },
    key=("code", "revision"),
)
"""One row for each step, in the order of `revision`, the version of the product's stream; a null day means at once."""


@product_outlet.on(OutletOpened)
def open_outlet(event: OutletOpened, recorded: Recorded[QuoteEvent]) -> Put:
    """A channel or region may sell the version too."""
    return _step(event, recorded, OutletMove.OPEN)


@product_outlet.on(OutletClosed)
def close_outlet(event: OutletClosed, recorded: Recorded[QuoteEvent]) -> Put:
    """A channel or region takes no new business."""
    return _step(event, recorded, OutletMove.CLOSE)


@product_outlet.on(OutletWithdrawn)
def withdraw_outlet(event: OutletWithdrawn, recorded: Recorded[QuoteEvent]) -> Put:
    """A channel or region sells nothing more."""
    return _step(event, recorded, OutletMove.WITHDRAW)


def _step(event: OutletEvent, recorded: Recorded[QuoteEvent], move: OutletMove) -> Put:
    return Put(
        {
            "code": event.product_code,
            "revision": recorded.version,
            "version": event.product_version,
            "channel": event.channel,
            "region": event.region,
            "move": move.value,
            "from_day": event.from_day,
            "by": event.by,
            "why": event.why,
            "at": recorded.recorded_at,
        }
    )
