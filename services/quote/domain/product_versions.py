"""The rules of the catalogue: a published version never changes and is withdrawn at most once."""

from typing import assert_never

from services.kernel.errors import CommandRefused, CorruptHistory
from services.quote.domain.commands import CatalogueCommand, PublishProduct, WithdrawProduct
from services.quote.domain.events import CatalogueEvent, ProductPublished, ProductWithdrawn
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.state import NothingYet, Product


def decide(command: CatalogueCommand, state: NothingYet | Product) -> list[CatalogueEvent]:
    """What happens on a command about a product."""
    product = state if isinstance(state, Product) else Product(documents={})
    match command:
        case PublishProduct():
            return _publish(command.document, product)
        case WithdrawProduct():
            return _withdraw(command, product)
        case _:
            assert_never(command)


def _publish(document: ProductDocument, product: Product) -> list[CatalogueEvent]:
    published = product.documents.get(document.version)
    text = document.canonical()
    if published == text:
        return []
    if published is not None:
        raise CommandRefused(
            "product_version_published",
            f"version {document.version} of {document.code} is published with other content; "
            "policies refer to it, so publish the change as a new version",
        )
    return [
        ProductPublished(
            product_code=document.code,
            product_version=document.version,
            line=document.line,
            on_sale_from=document.on_sale_from,
            on_sale_until=document.on_sale_until,
            document=text,
        )
    ]


def _withdraw(command: WithdrawProduct, product: Product) -> list[CatalogueEvent]:
    if command.product_version not in product.documents:
        raise CommandRefused(
            "product_version_unknown", f"{command.product_code} has no version {command.product_version}"
        )
    if command.product_version in product.withdrawn:
        return []
    return [
        ProductWithdrawn(
            product_code=command.product_code, product_version=command.product_version, reason=command.reason
        )
    ]


def evolve(state: NothingYet | Product, event: CatalogueEvent) -> Product:
    """What is true of a product after an event."""
    product = state if isinstance(state, Product) else Product(documents={})
    match event:
        case ProductPublished():
            return Product({**product.documents, event.product_version: event.document}, product.withdrawn)
        case ProductWithdrawn():
            if event.product_version not in product.documents:
                raise CorruptHistory(f"{event.product_code} v{event.product_version} withdrawn before published")
            return Product(product.documents, product.withdrawn | {event.product_version})
        case _:
            assert_never(event)
