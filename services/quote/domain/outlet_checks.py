"""Whether a product version is sold by the order's channel and in its region on the order's day."""

from collections.abc import Iterator

from contracts.vocabulary.faults import Fault, FaultCode
from services.quote.domain.order import Order
from services.quote.domain.products.outlets import OutletMove, OutletStage
from services.quote.domain.products.version import ProductVersion

_SOLD = OutletStage.ON_SALE


def outlet_faults(order: Order, channel: str, product: ProductVersion, *, renewal: bool) -> Iterator[Fault]:
    """Why this channel may not sell the version, or not in this region."""
    day, code = order.placed_at.date(), product.document.code
    stage = product.channel_stage(channel, day)
    if stage is OutletStage.NOT_OFFERED:
        message = f"channel {channel} may not sell {code}"
        yield Fault(code=FaultCode.CHANNEL_NOT_ALLOWED, path="product", message=message)
    elif stage is not _SOLD:
        yield from _ended("product", f"channel {channel}", product, stage, renewal=renewal)
    stage = product.region_stage(order.region, day)
    if stage is OutletStage.NOT_OFFERED:
        message = f"{code} is {_regions(product)}; {_stated(order)}"
        yield Fault(code=FaultCode.REGION_NOT_ALLOWED, path="region", message=message)
    elif stage is not _SOLD:
        yield from _ended("region", f"region {order.region}", product, stage, renewal=renewal)


def _ended(path: str, outlet: str, product: ProductVersion, stage: OutletStage, *, renewal: bool) -> Iterator[Fault]:
    document = product.document
    name = f"version {document.version} of {document.code}"
    if stage is OutletStage.WITHDRAWN:
        message = f"{name} has been withdrawn from {outlet}; it may still be sold elsewhere"
        yield Fault(code=FaultCode.PRODUCT_WITHDRAWN, path=path, message=message)
    elif not renewal:
        message = f"{name} is closed to new business of {outlet}; only contracts that were sold under it are renewed"
        yield Fault(code=FaultCode.PRODUCT_CLOSED, path=path, message=message)


def _regions(product: ProductVersion) -> str:
    if product.regions is None:
        ended = {step.outlet.region for step in product.life.outlets if step.outlet.region is not None}
        return f"not sold in all regions ({', '.join(sorted(ended))} ended), so an order names its region"
    opened = {step.outlet.region for step in product.life.outlets if step.move is OutletMove.OPEN} - {None}
    return f"sold in {', '.join(sorted(product.regions | {region for region in opened if region is not None}))}"


def _stated(order: Order) -> str:
    return "the order names no region" if order.region is None else f"not in {order.region}"
