"""What becomes of an application that the checks let through: accepted, referred, offered otherwise, or declined."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.money import split
from contracts.vocabulary.products import CoverageTerms, CoverTerms
from services.quote.domain.commands import SubmitApplication
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined, ApplicationEvent
from services.quote.domain.form import at_most
from services.quote.domain.pricing import Price, price
from services.quote.domain.products.document import TariffPricing
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.underwriting import FiredRule
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.underwriting.assessment import Assessment
from services.quote.domain.underwriting.events import ApplicationReferred, CounterOffered
from services.quote.domain.underwriting.offers import Alteration, altered, with_coverages

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


def verdict(
    command: SubmitApplication,
    product: ProductVersion,
    priced: Price,
    subjects: tuple[Subject, ...],
    assessment: Assessment,
    terms: CoverTerms,
) -> ApplicationEvent:
    """What becomes of a priced order; `terms` are those of the price before it was held against the order's."""
    rated = priced.rated or ()
    alterations = tuple(_alterations(command, product, subjects, assessment))
    excluded = _excluded(assessment, rated)
    coverages = altered(rated, alterations, excluded) if alterations or excluded else rated
    if not coverages or set(_mandatory(product)) & set(excluded):
        return declined(command, tuple(_nothing_left(assessment)))
    seen = not excluded and bool(alterations) and _saw_price(command, product, coverages)
    reasons = assessment.of("refer")
    if priced.faults and not seen:
        differs = all(fault.code is FaultCode.PRICE_OUTSIDE_TOLERANCE for fault in priced.faults)
        if not differs or product.document.referrals.price_differences == "decline":
            return declined(command, priced.faults)
        reasons = (*_of_faults(priced.faults), *reasons)
    if reasons:
        return _referred(product, with_coverages(terms, rated), reasons, priced=True)
    if seen:
        agreed = split(command.order.premium_minor, {one.code: one.premium_minor for one in coverages})
        return _accepted(command, with_coverages(terms, _at(coverages, agreed)))
    if alterations or excluded:
        offered = with_coverages(terms, coverages)
        rated_minor = sum(coverage.premium_minor for coverage in rated)
        return _offered(command, product, offered, alterations, excluded, assessment, rated_minor)
    return _accepted(command, with_coverages(terms, priced.agreed))


def _accepted(command: SubmitApplication, terms: CoverTerms) -> ApplicationAccepted:
    return ApplicationAccepted(terms=terms, customer=command.order.policyholder_id)


def _at(coverages: Sequence[CoverageTerms], premiums: dict[str, int]) -> tuple[CoverageTerms, ...]:
    return tuple(one.model_copy(update={"premium_minor": premiums[one.code]}) for one in coverages)


def _saw_price(command: SubmitApplication, product: ProductVersion, coverages: Sequence[CoverageTerms]) -> bool:
    """Whether the order's own premium is the one with the loadings, so that there is nothing left to ask."""
    pricing = product.document.pricing
    if not isinstance(pricing, TariffPricing):
        return False
    ours = sum(coverage.premium_minor for coverage in coverages)
    return ours > 0 and abs(command.order.premium_minor - ours) <= pricing.tolerance_minor


def _alterations(
    command: SubmitApplication, product: ProductVersion, subjects: tuple[Subject, ...], assessment: Assessment
) -> Iterator[Alteration]:
    for rule in assessment.of("load"):
        basis = _basis(command, product, subjects, rule) if rule.percent is not None else None
        yield Alteration(rule.percent, rule.amount_minor, rule.coverages, basis)


def _basis(
    command: SubmitApplication, product: ProductVersion, subjects: tuple[Subject, ...], rule: FiredRule
) -> dict[str, int] | None:
    """The premiums of the one person that a loading is for; None where it is for the whole order, or there is one."""
    own = tuple(subject for subject in subjects if subject.path == rule.path)
    if not own or len(subjects) == 1 or not isinstance(product.document.pricing, TariffPricing):
        return None
    alone = price(command.order, product, own)
    return {coverage.code: coverage.premium_minor for coverage in alone.rated or ()}


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
    alterations: tuple[Alteration, ...],
    excluded: tuple[str, ...],
    assessment: Assessment,
    rated_minor: int,
) -> CounterOffered:
    reasons = tuple(rule for rule in assessment.fired if rule.outcome in ("load", "exclude"))
    return CounterOffered(
        terms=terms,
        rated_minor=rated_minor,
        alterations=alterations,
        excluded=excluded,
        reasons=reasons,
        valid_until=command.order.placed_at.date() + timedelta(days=product.document.referrals.offer_valid_days),
        offered_by=None,
        reason=None,
        referred_for=reasons[0].code,
    )
