"""A product version as the rules of intake need it: its document, whether it is withdrawn, and look-ups."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.vocabulary.products import PaymentFrequency
from services.quote.domain.products.coverage import PlannedCoverage
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.rating.plan import RatingPlan


@dataclass(frozen=True, slots=True)
class ProductVersion:
    """Made by `of`; carried by every order's command, so that deciding on the order needs nothing else."""

    document: ProductDocument
    withdrawn: bool
    plan: Mapping[str, PlannedCoverage]
    frequencies: frozenset[PaymentFrequency]
    channels: frozenset[str] | None
    tells_insured_apart: bool
    """Whether some coverages insure only some of the persons of an order: by class of cover, or by relation."""
    rating: RatingPlan | None
    """The compiled tariff, where the product has one."""

    @staticmethod
    def of(document: ProductDocument, *, withdrawn: bool = False) -> "ProductVersion":
        """The version of a document."""
        return ProductVersion(
            document=document,
            withdrawn=withdrawn,
            plan={coverage.code: coverage for coverage in document.coverages},
            frequencies=frozenset(document.frequencies),
            channels=None if document.channels is None else frozenset(document.channels),
            tells_insured_apart=document.group is not None
            or any(coverage.relations is not None for coverage in document.coverages),
            rating=None if document.tariff is None else RatingPlan.of(document.tariff),
        )

    def on_sale(self, day: date) -> bool:
        """Whether the day lies in the sale window; a withdrawn version keeps its window."""
        until = self.document.on_sale_until
        return self.document.on_sale_from <= day and (until is None or day <= until)
