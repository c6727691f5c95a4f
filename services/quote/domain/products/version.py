"""A product version as the rules of intake need it: its document, whether it is withdrawn, and look-ups."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.vocabulary.products import PaymentFrequency
from services.quote.domain.products.document import PlannedCoverage, ProductDocument
from services.quote.domain.products.underwriting import CompiledUnderwriting


@dataclass(frozen=True, slots=True)
class ProductVersion:
    """Made by `of`; carried by every order's command, so that deciding on the order needs nothing else."""

    document: ProductDocument
    withdrawn: bool
    plan: Mapping[str, PlannedCoverage]
    frequencies: frozenset[PaymentFrequency]
    channels: frozenset[str] | None
    underwriting: CompiledUnderwriting

    @staticmethod
    def of(document: ProductDocument, *, withdrawn: bool = False) -> "ProductVersion":
        """The version of a document."""
        return ProductVersion(
            document=document,
            withdrawn=withdrawn,
            plan={coverage.code: coverage for coverage in document.coverages},
            frequencies=frozenset(document.frequencies),
            channels=None if document.channels is None else frozenset(document.channels),
            underwriting=CompiledUnderwriting.of(document.underwriting),
        )

    def on_sale(self, day: date) -> bool:
        """Whether the day lies in the sale window; a withdrawn version keeps its window."""
        until = self.document.on_sale_until
        return self.document.on_sale_from <= day and (until is None or day <= until)
