"""A product version as the rules of intake need it: its document, its life, and look-ups."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.vocabulary.identifiers import channel_behind
from contracts.vocabulary.products import PaymentFrequency
from services.quote.domain.products.coverage import PlannedCoverage
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.life import Effect, Life, SaleWindow, Stage
from services.quote.domain.products.rating.plan import RatingPlan
from services.quote.domain.products.underwriting import CompiledUnderwriting


@dataclass(frozen=True, slots=True)
class ProductVersion:
    """Made by `of`; carried by every order's command, so that deciding on the order needs nothing else."""

    document: ProductDocument
    life: Life
    plan: Mapping[str, PlannedCoverage]
    frequencies: frozenset[PaymentFrequency]
    channels: frozenset[str] | None
    tells_insured_apart: bool
    """Whether some coverages insure only some of the persons of an order: by class of cover, or by relation."""
    rating: RatingPlan | None
    """The compiled tariff, where the product has one."""
    regions: frozenset[str] | None
    underwriting: CompiledUnderwriting

    @staticmethod
    def of(document: ProductDocument, life: Life | None = None, *, withdrawn: bool = False) -> "ProductVersion":
        """The version of a document; without a life it is on sale on the document's days."""
        if life is None:
            sale = SaleWindow(document.on_sale_from, document.on_sale_until)
            life = Life(approved=True, sale=sale, withdrawn=Effect() if withdrawn else None)
        return ProductVersion(
            document=document,
            life=life,
            plan={coverage.code: coverage for coverage in document.coverages},
            frequencies=frozenset(document.frequencies),
            channels=None if document.channels is None else frozenset(document.channels),
            tells_insured_apart=document.group is not None
            or any(coverage.relations is not None for coverage in document.coverages),
            rating=None if document.tariff is None else RatingPlan.of(document.tariff),
            regions=None if document.regions is None else frozenset(document.regions),
            underwriting=CompiledUnderwriting.of(document.underwriting),
        )

    def on_sale(self, day: date) -> bool:
        """Whether the version is sold to new customers on that day."""
        return self.life.on(day) is Stage.ON_SALE

    def sold_in(self, channel: str, region: str | None) -> bool:
        """Whether this channel may sell it in this region; where regions are named, an order has to name its own."""
        allowed = self.channels is None or channel_behind(channel) in self.channels
        return allowed and (self.regions is None or region in self.regions)
