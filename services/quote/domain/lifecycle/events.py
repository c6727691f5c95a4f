"""What has happened to product versions. These shapes are stored for ever: add optional fields only.

`by` and `why` are absent in what was recorded before steps named a person.
"""

from datetime import date
from typing import ClassVar, TypeAlias

from contracts.vocabulary.lines import ProductLine
from services.kernel.messages import DomainEvent


class ProductDrafted(DomainEvent):
    """A version was put down, or its draft replaced; `document` is the whole of it as canonical JSON text."""

    event_type: ClassVar[str] = "quote.product_drafted"
    product_code: str
    product_version: int
    line: ProductLine
    document: str
    by: str
    why: str
    cloned_from: str | None = None


class ProductApproved(DomainEvent):
    """A second person approved the draft with this digest."""

    event_type: ClassVar[str] = "quote.product_approved"
    product_code: str
    product_version: int
    document_digest: str
    by: str
    why: str


class SandboxOpened(DomainEvent):
    """Channels may try the version, from a day on; no day means at once."""

    event_type: ClassVar[str] = "quote.sandbox_opened"
    product_code: str
    product_version: int
    channels: tuple[str, ...]
    from_day: date | None
    by: str
    why: str


class ProductPublished(DomainEvent):
    """A version of a product is on sale; `document` is the whole of it as canonical JSON text."""

    event_type: ClassVar[str] = "quote.product_published"
    product_code: str
    product_version: int
    line: ProductLine
    on_sale_from: date
    on_sale_until: date | None
    document: str
    by: str | None = None
    why: str | None = None


class ProductClosed(DomainEvent):
    """A version takes no new business, from a day on; no day means at once."""

    event_type: ClassVar[str] = "quote.product_closed"
    product_code: str
    product_version: int
    from_day: date | None
    by: str
    why: str


class ProductWithdrawn(DomainEvent):
    """A version is no longer sold, from a day on; no day means at once. `reason` is the why of this step."""

    event_type: ClassVar[str] = "quote.product_withdrawn"
    product_code: str
    product_version: int
    reason: str
    from_day: date | None = None
    by: str | None = None


class OutletOpened(DomainEvent):
    """A channel, or a region, may sell the version too, from a day on; no day means at once."""

    event_type: ClassVar[str] = "quote.outlet_opened"
    product_code: str
    product_version: int
    channel: str | None
    region: str | None
    from_day: date | None
    by: str
    why: str


class OutletClosed(DomainEvent):
    """A channel, or a region, takes no new business under the version; contracts sold under it are renewed."""

    event_type: ClassVar[str] = "quote.outlet_closed"
    product_code: str
    product_version: int
    channel: str | None
    region: str | None
    from_day: date | None
    by: str
    why: str


class OutletWithdrawn(DomainEvent):
    """A channel, or a region, sells the version no longer; the others go on."""

    event_type: ClassVar[str] = "quote.outlet_withdrawn"
    product_code: str
    product_version: int
    channel: str | None
    region: str | None
    from_day: date | None
    by: str
    why: str


OutletEvent: TypeAlias = OutletOpened | OutletClosed | OutletWithdrawn
CatalogueEvent: TypeAlias = (
    ProductDrafted | ProductApproved | SandboxOpened | ProductPublished | ProductClosed | ProductWithdrawn | OutletEvent
)
