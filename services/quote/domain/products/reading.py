"""Reads product documents: shape first, then whether their parts fit each other; all faults at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from contracts.vocabulary.faults import Fault, FaultCode
from services.quote.domain.form import faults_of
from services.quote.domain.products import RULES_BY_LINE
from services.quote.domain.products.coverage_misfits import coverage_misfits
from services.quote.domain.products.disclosures import disclosure_facts, disclosure_misfits
from services.quote.domain.products.document import DOCUMENT_CHARACTERS_MAX, ProductDocument, QuotedPricing
from services.quote.domain.products.group_misfits import group_misfits
from services.quote.domain.products.launch_misfits import launch_misfits
from services.quote.domain.products.tariff_misfits import tariff_misfits
from services.quote.domain.products.underwriting_misfits import referral_misfits, underwriting_misfits
from services.quote.domain.products.vehicle_terms import vehicle_misfits


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
    yield from launch_misfits(document)
    codes: set[str] = set()
    for place, coverage in enumerate(document.coverages):
        if coverage.code in codes:
            yield _fault(f"coverages.{place}.code", f"coverage {coverage.code} is in the plan twice; keep one")
        codes.add(coverage.code)
    rules = RULES_BY_LINE[document.line]
    facts = {**rules.facts, **disclosure_facts(document.disclosures)}
    yield from coverage_misfits(document)
    yield from disclosure_misfits(document.disclosures, asks_persons=rules.asks_persons)
    yield from group_misfits(document, rules)
    yield from vehicle_misfits(document.vehicle, document.coverages, document.tariff, facts)
    yield from underwriting_misfits(document.underwriting, facts, frozenset(codes))
    yield from referral_misfits(document.referrals)
    if isinstance(document.pricing, QuotedPricing):
        for code in document.pricing.limits.keys() - codes:
            yield _fault(f"pricing.limits.{code}", f"coverage {code} is not in the plan; add it there or remove this")
    if document.tariff is not None:
        path = "pricing.reference.tariff" if isinstance(document.pricing, QuotedPricing) else "pricing.tariff"
        yield from tariff_misfits(document.tariff, path, document, facts)
