"""The checks on an order before it is priced: sale, plan, underwriting; every check reports all that it finds."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import assert_never

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.products import PaymentFrequency
from contracts.vocabulary.time import LATEST_DATE, add_months
from services.quote.domain.order import ChosenCoverage, Order
from services.quote.domain.outlet_checks import outlet_faults
from services.quote.domain.plan_checks import choice_faults
from services.quote.domain.products.coverage import PlannedCoverage
from services.quote.domain.products.document import ProductDocument, QuotedPricing, TariffPricing
from services.quote.domain.products.life import Stage
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.version import ProductVersion


def unknown_product(order: Order) -> Fault:
    """The catalogue has no product of this code."""
    return _fault(
        FaultCode.UNKNOWN_PRODUCT,
        "product",
        f"there is no product {order.product}; see GET /products for those on sale",
    )


def sale_faults(order: Order, channel: str, product: ProductVersion, *, renewal: bool = False) -> Iterator[Fault]:
    """Whether this product may be sold to this order, by this channel, in this region, on that day."""
    document = product.document
    yield from _stage_faults(order, channel, product, renewal=renewal)
    yield from outlet_faults(order, channel, product, renewal=renewal)
    if order.risk.line != document.line:
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
    if order.expiry is not None:
        yield from _short_term_faults(order, order.expiry, document)


def _stage_faults(order: Order, channel: str, product: ProductVersion, *, renewal: bool) -> Iterator[Fault]:
    document, life, day = product.document, product.life, order.placed_at.date()
    name = f"version {document.version} of {document.code}"
    stage = life.on(day)
    if stage is Stage.WITHDRAWN:
        yield _fault(FaultCode.PRODUCT_WITHDRAWN, "product", f"{name} has been withdrawn from sale")
    elif stage is Stage.ON_SALE or (stage is Stage.CLOSED and renewal) or life.is_tried_by(channel, day):
        return
    elif life.closed is not None and life.closed.reached(day):
        message = f"{name} is closed to new business; only contracts that were sold under it are renewed"
        yield _fault(FaultCode.PRODUCT_CLOSED, "product", message)
    elif life.sale is not None:
        until = "without end" if life.sale.last is None else f"to {life.sale.last}"
        message = f"{name} is on sale from {life.sale.first} {until}, not on {day}"
        yield _fault(FaultCode.NOT_ON_SALE, "placed_at", message)
    else:
        yield _fault(FaultCode.NOT_ON_SALE, "product", f"{name} is in the sandbox and not on sale yet")


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
        elif planned.has_sum_insured or chosen.sum_insured_minor is not None:
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
    yield from choice_faults(order, bought, product)


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
    if not planned.has_sum_insured:
        message = f"coverage {chosen.code} has no sum insured; leave it out"
    elif not planned.offers(sum_insured(chosen, planned)):
        message = f"coverage {chosen.code} is offered with a sum insured, in minor units, of {planned.offered()}"
    else:
        return
    yield _fault(FaultCode.SUM_INSURED_NOT_OFFERED, f"{path}.sum_insured_minor", message)


def _short_term_faults(order: Order, expiry: date, document: ProductDocument) -> Iterator[Fault]:
    code, path = FaultCode.TERM_NOT_OFFERED, "expiry"
    full_expiry = add_months(order.effective, document.term_months)
    if expiry == full_expiry:
        return
    if document.tariff is None or document.tariff.short_period is None:
        yield _fault(code, path, f"{document.code} is sold for {document.term_months} months only; leave expiry out")
    elif not order.effective < expiry < full_expiry:
        message = f"cover from {order.effective} may end after that day and at the latest on {full_expiry}"
        yield _fault(code, path, message)
    elif order.frequency is not PaymentFrequency.ANNUAL:
        yield _fault(code, "frequency", f"a term to {expiry} is paid at once; order it with frequency annual")


def _fault(code: FaultCode, path: str, message: str) -> Fault:
    return Fault(code=code, path=path, message=message)
