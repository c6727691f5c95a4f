"""A product version as the rules of intake need it: its document, its life, and look-ups."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.vocabulary.products import PaymentFrequency
from services.quote.domain.products.document import PlannedCoverage, ProductDocument
from services.quote.domain.products.life import Effect, Life, SaleWindow, Stage


@dataclass(frozen=True, slots=True)
class ProductVersion:
    """Made by `of`; carried by every order's command, so that deciding on the order needs nothing else."""

    document: ProductDocument
    life: Life
    plan: Mapping[str, PlannedCoverage]
    frequencies: frozenset[PaymentFrequency]
    channels: frozenset[str] | None
    regions: frozenset[str] | None

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
            regions=None if document.regions is None else frozenset(document.regions),
        )

    def on_sale(self, day: date) -> bool:
        """Whether the version is sold to new customers on that day."""
        return self.life.on(day) is Stage.ON_SALE

    def sold_in(self, channel: str, region: str | None) -> bool:
        """Whether this channel may sell it in this region; where regions are named, an order has to name its own."""
        return (self.channels is None or channel in self.channels) and (self.regions is None or region in self.regions)
