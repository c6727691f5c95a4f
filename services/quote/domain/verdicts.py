"""What becomes of an application that the checks let through: accepted, referred, offered otherwise, or declined."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.products import CoverageTerms, CoverTerms
from services.quote.domain.commands import SubmitApplication
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined, ApplicationEvent
from services.quote.domain.form import at_most
from services.quote.domain.order import Order
from services.quote.domain.pricing import Price, price
from services.quote.domain.products.document import TariffPricing
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.underwriting import FiredRule
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.underwriting.assessment import Assessment
from services.quote.domain.underwriting.events import ApplicationReferred, CounterOffered
from services.quote.domain.underwriting.offers import Alteration, open_until, with_coverages

_IN_CHINESE = {
    FaultCode.NO_RATE: "费率表中没有适用于该风险的费率",
    FaultCode.PRICE_OUTSIDE_TOLERANCE: "订单保费与费率表的差异超出允许范围",
}


def decline_faults(assessment: Assessment) -> Iterator[Fault]:
    """The faults of the rules that decline."""
    for rule in assessment.of("decline"):
        yield Fault(code=FaultCode.RISK_NOT_ACCEPTED, path=rule.path, message=f"{rule.reason_en} ({rule.code})")


def declined(command: SubmitApplication, faults: tuple[Fault, ...]) -> ApplicationDeclined:
    """The order is declined by the rules."""
    return ApplicationDeclined(
        channel=command.channel,
        contract_id=command.contract_id,
        order_no=command.order.order_no,
        product_code=command.order.product,
        faults=at_most(faults),
    )


def only_rates_missing(priced: Price) -> bool:
    """Whether the tariff's gaps are all that is wrong with the price, so that a person may set it."""
    return bool(priced.faults) and all(fault.code is FaultCode.NO_RATE for fault in priced.faults)


def unpriced(product: ProductVersion, priced: Price, assessment: Assessment, terms: CoverTerms) -> ApplicationReferred:
    """The order is referred because the tariff has no rate for it; `terms` say what is to be covered."""
    return _referred(product, terms, (*_of_faults(priced.faults), *assessment.of("refer")), priced=False)


@dataclass(frozen=True, slots=True)
class OtherTerms:
    """What the rules make of a price: `loaded` is that of the order with the loadings, `offered` without exclusions.

    Without loadings and exclusions all prices are the same; where nothing may be left, there is no `offered`.
    """

    alterations: tuple[Alteration, ...]
    excluded: tuple[str, ...]
    loaded: Price
    offered: Price | None

    @property
    def differ(self) -> bool:
        """Whether they are other terms than were ordered."""
        return bool(self.alterations or self.excluded)


def other_terms(
    order: Order, product: ProductVersion, subjects: tuple[Subject, ...], assessment: Assessment, priced: Price
) -> OtherTerms:
    """The terms that the rules lead to, priced by the same rating as the order was."""
    alterations = tuple(_alterations(assessment))
    imposed = [one.imposed(one.code or "", "underwriting rule") for one in alterations]
    loaded = price(order, product, subjects, imposed) if imposed else priced
    excluded = _excluded(assessment, priced.rated or ())
    if not excluded:
        return OtherTerms(alterations, excluded, loaded, loaded)
    nothing_left = {*excluded} >= {one.code for one in priced.rated or ()}
    if nothing_left or set(_mandatory(product)) & set(excluded):
        return OtherTerms(alterations, excluded, loaded, None)
    return OtherTerms(alterations, excluded, loaded, price(order.without(excluded), product, subjects, imposed))


def verdict(
    command: SubmitApplication,
    product: ProductVersion,
    priced: Price,
    other: OtherTerms,
    assessment: Assessment,
    terms: CoverTerms,
) -> ApplicationEvent:
    """What becomes of a priced order; `terms` are those of the price before it was held against the order's."""
    if other.offered is None:
        return declined(command, tuple(_nothing_left(assessment)))
    offered = other.offered.rated
    if offered is None:
        return declined(command, other.offered.faults)
    seen = _saw_price(product, other)
    reasons = assessment.of("refer")
    if priced.faults and not seen:
        differs = all(fault.code is FaultCode.PRICE_OUTSIDE_TOLERANCE for fault in priced.faults)
        if not differs or product.document.referrals.price_differences == "decline":
            return declined(command, priced.faults)
        reasons = (*_of_faults(priced.faults), *reasons)
    if reasons:
        # The person who decides is told of loadings and exclusions too: accepting as ordered is without them.
        ordered = other.loaded.agreed if seen else priced.rated or ()
        others = () if seen else (*assessment.of("load"), *assessment.of("exclude"))
        return _referred(product, with_coverages(terms, ordered), (*reasons, *others), priced=True)
    if seen:
        return _accepted(command, with_coverages(terms, other.loaded.agreed))
    if other.differ:
        rated_minor = sum(coverage.premium_minor for coverage in priced.rated or ())
        return _offered(command, product, with_coverages(terms, offered), other, assessment, rated_minor)
    return _accepted(command, with_coverages(terms, priced.agreed))


def _accepted(command: SubmitApplication, terms: CoverTerms) -> ApplicationAccepted:
    order = command.order
    return ApplicationAccepted(terms=terms, customer=order.policyholder_id, placed_on=order.placed_at.date())


def _saw_price(product: ProductVersion, other: OtherTerms) -> bool:
    """Whether the order's own premium is the one with the loadings, so that there is nothing left to ask."""
    if other.excluded or not other.alterations or not isinstance(product.document.pricing, TariffPricing):
        return False
    return not other.loaded.faults and any(one.premium_minor for one in other.loaded.agreed)


def _alterations(assessment: Assessment) -> Iterator[Alteration]:
    for rule in assessment.of("load"):
        yield Alteration(rule.percent, rule.amount_minor, rule.coverages, None, rule.path or None, rule.code)


def _excluded(assessment: Assessment, rated: Sequence[CoverageTerms]) -> tuple[str, ...]:
    codes = {code for rule in assessment.of("exclude") for code in rule.coverages}
    return tuple(coverage.code for coverage in rated if coverage.code in codes)


def _nothing_left(assessment: Assessment) -> Iterator[Fault]:
    for rule in assessment.of("exclude"):
        message = f"{rule.reason_en} ({rule.code}); without {', '.join(rule.coverages)} the product is not sold"
        yield Fault(code=FaultCode.RISK_NOT_ACCEPTED, path=rule.path, message=message)


def _mandatory(product: ProductVersion) -> tuple[str, ...]:
    return tuple(coverage.code for coverage in product.document.coverages if coverage.mandatory)


def _of_faults(faults: Iterable[Fault]) -> tuple[FiredRule, ...]:
    return tuple(
        FiredRule(
            code=fault.code.value.replace("_", "-"),
            outcome="refer",
            reason_en=fault.message,
            reason_zh=_IN_CHINESE[fault.code],
            path=fault.path,
            facts={},
        )
        for fault in faults
    )


def _referred(
    product: ProductVersion, terms: CoverTerms, reasons: tuple[FiredRule, ...], *, priced: bool
) -> ApplicationReferred:
    referrals = product.document.referrals
    return ApplicationReferred(
        terms=terms,
        priced=priced,
        reasons=reasons,
        mandatory=_mandatory(product),
        authority=referrals.authority,
        answer_within_days=referrals.answer_within_days,
        offer_valid_days=referrals.offer_valid_days,
    )


def _offered(
    command: SubmitApplication,
    product: ProductVersion,
    terms: CoverTerms,
    other: OtherTerms,
    assessment: Assessment,
    rated_minor: int,
) -> CounterOffered:
    reasons = tuple(rule for rule in assessment.fired if rule.outcome in ("load", "exclude"))
    days = product.document.referrals.offer_valid_days
    return CounterOffered(
        terms=terms,
        rated_minor=rated_minor,
        alterations=other.alterations,
        excluded=other.excluded,
        reasons=reasons,
        valid_until=open_until(command.order.placed_at.date(), days, command.order.effective),
        offered_by=None,
        reason=None,
        referred_for=reasons[0].code,
        working=() if other.offered is None else other.offered.working,
    )
