"""The products on sale, held in memory for a batch of orders and refreshed from the read model when it changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from services.kernel.read_models import ReadModels
from services.quote import product_queries
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.life import Life, Stage
from services.quote.domain.products.outlets import OutletMove, OutletStage
from services.quote.domain.products.version import ProductVersion

_NOTHING_SOLD: Mapping[tuple[str, int], frozenset[str]] = {}

_TELLING = (Stage.WITHDRAWN, Stage.CLOSED, Stage.SANDBOX)
"""Of versions that are not on sale, the stages that explain best why an order cannot have the product."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The version that an order would be sold under, if any; `renewal`: its contract was sold under it before."""

    product: ProductVersion | None
    renewal: bool = False


class Catalogue:
    """Product versions by code, newest first. Finding needs no I/O; `refresh` costs one small query.

    `sold` holds, for versions that are or will be closed to new business, the contracts sold under them.
    """

    def __init__(
        self,
        versions: Iterable[ProductVersion] = (),
        sold: Mapping[tuple[str, int], frozenset[str]] = _NOTHING_SOLD,
    ) -> None:
        self._seen: product_queries.CatalogueMark | None = None
        self._versions: dict[str, tuple[ProductVersion, ...]] = {}
        self._limited: frozenset[str] = frozenset()
        self._sold = sold
        self._take(versions)

    def find(self, code: str, on_date: date, channel: str, region: str | None, contract_id: str) -> Offer:
        """The version that an order of that day, channel and region would be sold under.

        In a sandbox, the newest one that may be tried there. Otherwise the newest one on sale there; or else the
        closed one that the contract was sold under, which it may renew. Where there is neither, the one that was
        sold there before or is sold elsewhere, or the one whose end, sandbox or future tells why the order cannot
        have it. None for a product that is unknown or has only drafts.
        """
        versions = self._versions.get(code, ())
        for version in versions:
            if version.life.is_tried_by(channel, on_date):
                return Offer(version)
        on_sale = [version for version in versions if version.on_sale(on_date)]
        for version in on_sale:
            if version.sold_in(channel, region, on_date):
                return Offer(version)
        for version in versions:
            if _is_closed(version, channel, region, on_date) and self._was_sold(version, contract_id):
                return Offer(version, renewal=True)
        ended = [version for version in on_sale if version.ended_in(channel, region, on_date) is not None]
        return Offer(next(iter(ended or on_sale), None) or _telling(versions, on_date))

    @property
    def limited(self) -> frozenset[str]:
        """The products with a version whose rules look at what channels have sold."""
        return self._limited

    async def refresh(self, read: ReadModels) -> None:
        """Load the catalogue again where the read model has changed since the last time."""
        mark = await product_queries.catalogue_mark(read)
        if mark == self._seen:
            return
        rows = await product_queries.catalogue_rows(read)
        versions = [ProductVersion.of(ProductDocument.model_validate(row.document), row.life()) for row in rows]
        self._sold = await product_queries.contracts_sold(
            read, [_key(version) for version in versions if _ends(version.life)]
        )
        self._take(versions)
        self._seen = mark

    def _was_sold(self, version: ProductVersion, contract_id: str) -> bool:
        return contract_id in self._sold.get(_key(version), ())

    def _take(self, versions: Iterable[ProductVersion]) -> None:
        newest_first = sorted(versions, key=lambda version: version.document.version, reverse=True)
        by_code: dict[str, tuple[ProductVersion, ...]] = {}
        for version in newest_first:
            if version.life.published:
                code = version.document.code
                by_code[code] = (*by_code.get(code, ()), version)
        self._versions = by_code
        self._limited = frozenset(
            code for code, own in by_code.items() if any(one.underwriting.asks_about_channel for one in own)
        )


def _is_closed(version: ProductVersion, channel: str, region: str | None, day: date) -> bool:
    """Whether the version takes no new business there, and still renews what was sold under it."""
    stage = version.life.on(day)
    here = version.ended_in(channel, region, day)
    return here is not OutletStage.WITHDRAWN and (
        stage is Stage.CLOSED or (stage is Stage.ON_SALE and here is OutletStage.CLOSED)
    )


def _telling(versions: tuple[ProductVersion, ...], day: date) -> ProductVersion | None:
    for stage in _TELLING:
        for version in versions:
            if version.life.on(day) is stage:
                return version
    return versions[0] if versions else None


def _key(version: ProductVersion) -> tuple[str, int]:
    return version.document.code, version.document.version


def _ends(life: Life) -> bool:
    closed_somewhere = any(step.move is OutletMove.CLOSE for step in life.outlets)
    return life.closed is not None or (life.sale is not None and life.sale.last is not None) or closed_somewhere
