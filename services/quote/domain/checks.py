"""The checks on an order before it is priced: sale, plan, underwriting; every check reports all that it finds."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.time import LATEST_DATE, add_months
from services.quote.domain.order import ChosenCoverage, Order
from services.quote.domain.products.document import (
    PlannedCoverage,
    ProductDocument,
    QuotedPricing,
    TariffPricing,
)
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.version import ProductVersion


def unknown_product(order: Order) -> Fault:
    """The catalogue has no product of this code."""
    return _fault(
        FaultCode.UNKNOWN_PRODUCT,
        "product",
        f"there is no product {order.product}; see GET /products for those on sale",
    )


def sale_faults(order: Order, channel: str, product: ProductVersion) -> Iterator[Fault]:
    """Whether this product may be sold to this order, by this channel, on that day."""
    document = product.document
    name = f"version {document.version} of {document.code}"
    placed_on = order.placed_at.date()
    if product.withdrawn:
        yield _fault(FaultCode.PRODUCT_WITHDRAWN, "product", f"{name} has been withdrawn from sale")
    elif not product.on_sale(placed_on):
        until = "without end" if document.on_sale_until is None else f"to {document.on_sale_until}"
        message = f"{name} is on sale from {document.on_sale_from} {until}, not on {placed_on}"
        yield _fault(FaultCode.NOT_ON_SALE, "placed_at", message)
    if product.channels is not None and channel not in product.channels:
        yield _fault(FaultCode.CHANNEL_NOT_ALLOWED, "product", f"channel {channel} may not sell {document.code}")
    if order.risk.line is not document.line:
        message = f"{document.code} insures {document.line} risks; the order describes a {order.risk.line} risk"
        yield _fault(FaultCode.WRONG_LINE, "risk.line", message)
    if order.currency != document.currency:
        message = f"{document.code} is sold in {document.currency}, not in {order.currency}"
        yield _fault(FaultCode.WRONG_CURRENCY, "currency", message)
    if order.book != document.book:
        wanted = f"book {document.book}" if document.book else "no shared book; leave the field out"
        yield _fault(FaultCode.WRONG_BOOK, "book", f"{document.code} belongs to {wanted}")
    if order.frequency not in product.frequencies:
        offered = ", ".join(document.frequencies)
        message = f"{document.code} is paid {offered}; {order.frequency} is not offered"
        yield _fault(FaultCode.FREQUENCY_NOT_OFFERED, "frequency", message)
    if add_months(order.effective, document.term_months) > LATEST_DATE:
        yield _fault(FaultCode.INVALID_FIELD, "effective", f"cover would end after {LATEST_DATE}; start it earlier")


def plan_faults(order: Order, product: ProductVersion) -> Iterator[Fault]:
    """Whether the chosen coverages are those of the plan, each once, with sums insured that are offered."""
    quoted = isinstance(product.document.pricing, QuotedPricing)
    seen: set[str] = set()
    for place, chosen in enumerate(order.coverages):
        path = f"coverages.{place}"
        planned = product.plan.get(chosen.code)
        if planned is None:
            message = f"coverage {chosen.code} is not in the plan; it has {', '.join(product.plan)}"
            yield _fault(FaultCode.COVERAGE_NOT_IN_PLAN, f"{path}.code", message)
        elif planned.sums_insured_minor or chosen.sum_insured_minor is not None:
            yield from _sum_insured_faults(path, chosen, planned)
        if chosen.code in seen:
            message = f"coverage {chosen.code} is ordered twice; order it once"
            yield _fault(FaultCode.COVERAGE_TWICE, f"{path}.code", message)
        seen.add(chosen.code)
        if quoted and chosen.premium_minor is None:
            message = f"{product.document.code} is sold as quoted; give the premium of coverage {chosen.code}"
            yield _fault(FaultCode.MISSING_FIELD, f"{path}.premium_minor", message)
    bought = {chosen.code for chosen in coverages_bought(order, product.document)}
    for planned in product.document.coverages:
        if planned.mandatory and planned.code not in bought:
            message = f"{product.document.code} is not sold without coverage {planned.code}; add it"
            yield _fault(FaultCode.COVERAGE_MISSING, "coverages", message)
    if not bought:
        message = "no coverage has a premium, so nothing is bought; give the premium of at least one"
        yield _fault(FaultCode.COVERAGE_MISSING, "coverages", message)


def coverages_bought(order: Order, document: ProductDocument) -> Sequence[ChosenCoverage]:
    """The coverages of an order; where prices are quoted, a premium of zero means not bought."""
    match document.pricing:
        case QuotedPricing():
            return tuple(chosen for chosen in order.coverages if chosen.premium_minor != 0)
        case TariffPricing():
            return order.coverages
        case _:
            assert_never(document.pricing)


def sum_insured(chosen: ChosenCoverage, planned: PlannedCoverage) -> int | None:
    """The sum insured of a coverage: the chosen one, or the only one that there is."""
    if chosen.sum_insured_minor is None and len(planned.sums_insured_minor) == 1:
        return planned.sums_insured_minor[0]
    return chosen.sum_insured_minor


def underwriting_faults(subjects: Sequence[Subject], product: ProductVersion) -> Iterator[Fault]:
    """Which subjects lie outside the ranges that the product accepts."""
    for rule in product.underwriting.ranges:
        for subject in subjects:
            value = subject.facts.get(rule.fact or "")
            if not rule.allows(value):
                limits = (
                    ("at least ", rule.at_least),
                    ("at most ", rule.at_most),
                )
                accepted = " and ".join(f"{words}{limit}" for words, limit in limits if limit is not None)
                stated = "is not told" if value is None else f"is {value}"
                message = f"{rule.fact} {stated}; {product.document.code} accepts {accepted}"
                yield _fault(FaultCode.RISK_NOT_ACCEPTED, subject.path, message)


def _sum_insured_faults(path: str, chosen: ChosenCoverage, planned: PlannedCoverage) -> Iterator[Fault]:
    if not planned.sums_insured_minor:
        message = f"coverage {chosen.code} has no sum insured; leave it out"
    elif sum_insured(chosen, planned) not in planned.sums_insured_minor:
        offered = ", ".join(map(str, planned.sums_insured_minor))
        message = f"coverage {chosen.code} is offered with a sum insured, in minor units, of {offered}"
    else:
        return
    yield _fault(FaultCode.SUM_INSURED_NOT_OFFERED, f"{path}.sum_insured_minor", message)


def _fault(code: FaultCode, path: str, message: str) -> Fault:
    return Fault(code=code, path=path, message=message)
