"""Steps that a person orders for a product version; `by` says who, `why` says why."""

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.outlets import Outlet, OutletMove


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftProduct:
    """Put a document down as a draft, or replace the draft of that version; `cloned_from` names its model."""

    document: ProductDocument
    by: str
    why: str
    cloned_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveProduct:
    """Release a draft for the sandbox and for sale. `document_digest`, or its beginning, says which draft was read."""

    product_code: str
    product_version: int
    by: str
    why: str
    document_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSandbox:
    """Let channels try an approved version, from a day on or at once."""

    product_code: str
    product_version: int
    channels: tuple[str, ...]
    from_day: date | None
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishProduct:
    """Put an approved version on sale, from a day on or from the document's own first day of sale."""

    product_code: str
    product_version: int
    from_day: date | None
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseProduct:
    """Take no new business under a version, from a day on or at once; contracts sold under it are renewed."""

    product_code: str
    product_version: int
    from_day: date | None
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawProduct:
    """Sell a version no longer, from a day on or at once; policies sold under it keep it."""

    product_code: str
    product_version: int
    from_day: date | None
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOutlet:
    """Open, close or withdraw a version that is on sale for one channel or one region alone."""

    product_code: str
    product_version: int
    outlet: Outlet
    move: OutletMove
    from_day: date | None
    by: str
    why: str


CatalogueCommand: TypeAlias = (
    DraftProduct | ApproveProduct | OpenSandbox | PublishProduct | CloseProduct | WithdrawProduct | MoveOutlet
)
