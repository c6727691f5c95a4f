"""The products on sale, held in memory for a batch of orders and refreshed from the read model when it changed."""

from collections.abc import Iterable
from datetime import date

from services.kernel.read_models import ReadModels
from services.quote import queries
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.version import ProductVersion


class Catalogue:
    """Product versions by code, newest first. Finding needs no I/O; `refresh` costs one small query."""

    def __init__(self, versions: Iterable[ProductVersion] = ()) -> None:
        self._seen: queries.CatalogueMark | None = None
        self._versions: dict[str, tuple[ProductVersion, ...]] = {}
        self._take(versions)

    def find(self, code: str, on_date: date) -> ProductVersion | None:
        """The version that an order of that day would be sold under.

        The newest one on sale; where none is, the newest withdrawn one of that day, and then the newest at
        all, so that the order can be told why it cannot have it. None for an unknown product.
        """
        versions = self._versions.get(code, ())
        withdrawn: ProductVersion | None = None
        for version in versions:
            if version.on_sale(on_date):
                if not version.withdrawn:
                    return version
                withdrawn = withdrawn or version
        return withdrawn or (versions[0] if versions else None)

    async def refresh(self, read: ReadModels) -> None:
        """Load the catalogue again where the read model has changed since the last time."""
        mark = await queries.catalogue_mark(read)
        if mark == self._seen:
            return
        rows = await queries.product_versions(read)
        self._take(
            ProductVersion.of(ProductDocument.model_validate(row.document), withdrawn=row.withdrawn) for row in rows
        )
        self._seen = mark

    def _take(self, versions: Iterable[ProductVersion]) -> None:
        newest_first = sorted(versions, key=lambda version: version.document.version, reverse=True)
        by_code: dict[str, tuple[ProductVersion, ...]] = {}
        for version in newest_first:
            code = version.document.code
            by_code[code] = (*by_code.get(code, ()), version)
        self._versions = by_code
