"""An order as quote keeps it: what the channel said, once its form has been found good."""

import hashlib
from collections.abc import Collection
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from contracts.vocabulary.evidence import SaleEvidence
from contracts.vocabulary.lines import InsuredRisk
from contracts.vocabulary.persons import Disclosures
from contracts.vocabulary.products import PaymentFrequency


class ChosenCoverage(BaseModel):
    """A coverage that the buyer chose; amounts in minor units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    premium_minor: int | None = None
    sum_insured_minor: int | None = None


class Order(BaseModel):
    """The content of an order. Its form was checked where it came in, so types alone are declared here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order_no: str
    contract_no: str
    book: str | None
    product: str
    placed_at: datetime
    effective: date
    currency: str
    premium_minor: int
    coverages: tuple[ChosenCoverage, ...]
    frequency: PaymentFrequency
    risk: InsuredRisk
    policyholder_name: str | None = None
    policyholder_id: str | None = None
    campaign: str | None = None
    disclosures: Disclosures | None = None
    evidence: SaleEvidence | None = None
    expiry: date | None = None
    """The first day without cover, where the buyer wants a shorter term than the product's."""
    region: str | None = None

    def digest(self) -> str:
        """Identifies the content. Absent fields are left out, so that a field added later changes no digest."""
        return hashlib.sha256(self.model_dump_json(exclude_none=True).encode()).hexdigest()[:32]

    def without(self, excluded: Collection[str]) -> "Order":
        """The same order without these coverages; its premium stays what the channel said."""
        left = tuple(chosen for chosen in self.coverages if chosen.code not in excluded)
        return self.model_copy(update={"coverages": left})

    def differences(self, other: "Order") -> list[str]:
        """The names of the fields that `other` says otherwise."""
        return [name for name in type(self).model_fields if getattr(self, name) != getattr(other, name)]
