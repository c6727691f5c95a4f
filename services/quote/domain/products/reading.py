"""Reads product documents: shape first, then whether their parts fit each other; all faults at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from contracts.vocabulary.faults import Fault, FaultCode
from services.quote.domain.form import faults_of
from services.quote.domain.products import RULES_BY_LINE
from services.quote.domain.products.document import DOCUMENT_CHARACTERS_MAX, ProductDocument, QuotedPricing
from services.quote.domain.products.rules import Fact
from services.quote.domain.products.tariff import BandFactor, RatedBand, Tariff, ValueFactor
from services.quote.domain.products.underwriting_misfits import referral_misfits, underwriting_misfits


class InvalidDocument(ValueError):
    """A product document that cannot be published; `faults` holds everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.path or 'document'}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


def read_document(content: Mapping[str, Any]) -> ProductDocument:
    """The document of parsed YAML or JSON. Raises InvalidDocument with every fault."""
    try:
        document = ProductDocument.model_validate(content)
    except ValidationError as error:
        raise InvalidDocument(faults_of(error, content)) from None
    faults = tuple(_misfits(document))
    if faults:
        raise InvalidDocument(faults)
    return document


def _fault(path: str, message: str) -> Fault:
    return Fault(code=FaultCode.INVALID_FIELD, path=path, message=message)


def _misfits(document: ProductDocument) -> Iterator[Fault]:
    length = len(document.canonical())
    if length > DOCUMENT_CHARACTERS_MAX:
        yield _fault("", f"the document has {length} characters; at most {DOCUMENT_CHARACTERS_MAX} are published")
    if document.on_sale_until is not None and document.on_sale_until < document.on_sale_from:
        yield _fault("on_sale_until", "the last day of sale lies before the first; put it on or after on_sale_from")
    codes: set[str] = set()
    for place, coverage in enumerate(document.coverages):
        if coverage.code in codes:
            yield _fault(f"coverages.{place}.code", f"coverage {coverage.code} is in the plan twice; keep one")
        codes.add(coverage.code)
    facts = RULES_BY_LINE[document.line].facts
    yield from underwriting_misfits(document.underwriting, facts, frozenset(codes))
    yield from referral_misfits(document.referrals)
    if isinstance(document.pricing, QuotedPricing):
        for code in document.pricing.limits.keys() - codes:
            yield _fault(f"pricing.limits.{code}", f"coverage {code} is not in the plan; add it there or remove this")
    if document.tariff is not None:
        path = "pricing.reference.tariff" if isinstance(document.pricing, QuotedPricing) else "pricing.tariff"
        yield from _tariff_misfits(document.tariff, path, document, facts)


def _tariff_misfits(tariff: Tariff, path: str, document: ProductDocument, facts: Mapping[str, Fact]) -> Iterator[Fault]:
    plan = {coverage.code: coverage for coverage in document.coverages}
    for code in plan.keys() - tariff.rates.keys():
        yield _fault(f"{path}.rates", f"coverage {code} has no rate; every coverage of the plan needs one")
    for code, coverage_rate in tariff.rates.items():
        where = f"{path}.rates.{code}"
        yield from _fact_misfits(f"{where}.fact", coverage_rate.fact, facts, numeric=True)
        yield from _band_misfits(f"{where}.bands", coverage_rate.bands)
        if code not in plan:
            yield _fault(where, f"coverage {code} is not in the plan; add it there or remove its rate")
        elif coverage_rate.basis == "per-mille" and not plan[code].sums_insured_minor:
            yield _fault(f"{where}.basis", f"coverage {code} has no sum insured that a per-mille rate could apply to")
    for place, factor in enumerate(tariff.factors):
        where = f"{path}.factors.{place}"
        yield from _fact_misfits(f"{where}.fact", factor.fact, facts, numeric=not isinstance(factor, ValueFactor))
        for code in set(factor.coverages) - plan.keys():
            yield _fault(f"{where}.coverages", f"coverage {code} is not in the plan")
        if isinstance(factor, BandFactor):
            yield from _band_misfits(f"{where}.bands", factor.bands)


def _fact_misfits(path: str, name: str, facts: Mapping[str, Fact], *, numeric: bool) -> Iterator[Fault]:
    known = facts.get(name)
    if known is None:
        yield _fault(path, f"{name} is no fact of this line; its facts are {', '.join(facts)}")
    elif numeric and not known.numeric:
        yield _fault(path, f"{name} is no number; use it in a factor of kind value")


def _band_misfits(path: str, bands: Sequence[RatedBand]) -> Iterator[Fault]:
    for place, band in enumerate(bands):
        if band.at_most < band.at_least:
            yield _fault(f"{path}.{place}", "at_most lies below at_least")
        if place and band.at_least <= bands[place - 1].at_most:
            yield _fault(f"{path}.{place}", "the band begins inside the one before it; order bands without overlap")
