"""A product version as the rules of intake need it: its document, its life, and look-ups."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.vocabulary.identifiers import channel_behind
from contracts.vocabulary.products import PaymentFrequency
from services.quote.domain.products.coverage import PlannedCoverage
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.life import Effect, Life, SaleWindow, Stage
from services.quote.domain.products.outlets import Outlet, OutletStage, stage_on
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

    def sold_in(self, channel: str, region: str | None, day: date) -> bool:
        """Whether this channel may sell it in this region on that day.

        Where regions are named, or one has been closed, an order has to name its own.
        """
        if not self.life.outlets:
            allowed = self.channels is None or channel_behind(channel) in self.channels
            return allowed and (self.regions is None or region in self.regions)
        if self.channel_stage(channel, day) is not OutletStage.ON_SALE:
            return False
        return self.region_stage(region, day) is OutletStage.ON_SALE

    def ended_in(self, channel: str, region: str | None, day: date) -> OutletStage | None:
        """The furthest end, closed or withdrawn, of this channel or region alone by that day; None for no end."""
        ends = (self.channel_stage(channel, day), self.region_stage(region, day))
        return next((end for end in (OutletStage.WITHDRAWN, OutletStage.CLOSED) if end in ends), None)

    def channel_stage(self, channel: str, day: date) -> OutletStage:
        """Whether the channel, or that behind a sandbox, sells the version on a day."""
        behind = channel_behind(channel)
        offered = self.channels is None or behind in self.channels
        return stage_on(self.life.outlets, Outlet(channel=behind), day, offered=offered)

    def region_stage(self, region: str | None, day: date) -> OutletStage:
        """Whether the version is sold in the region on a day; None for an order that names no region."""
        if region is not None:
            offered = self.regions is None or region in self.regions
            return stage_on(self.life.outlets, Outlet(region=region), day, offered=offered)
        named = {step.outlet for step in self.life.outlets if step.outlet.region is not None}
        everywhere = self.regions is None and all(
            stage_on(self.life.outlets, outlet, day, offered=True) is OutletStage.ON_SALE for outlet in named
        )
        return OutletStage.ON_SALE if everywhere else OutletStage.NOT_OFFERED
