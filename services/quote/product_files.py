"""Reads product documents from YAML files, and knows those that are shipped with the service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from contracts.vocabulary.faults import Fault, FaultCode
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.reading import InvalidDocument, read_document

SHIPPED = Path(__file__).parent / "products"


class _NamedOnce(yaml.SafeLoader):
    """YAML in which a name given twice is a mistake, not the later one's victory."""


def _mapping(loader: _NamedOnce, node: yaml.MappingNode) -> dict[Any, Any]:
    names = [loader.construct_object(key) for key, _ in node.value]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"{twice.pop()} is given twice", node.start_mark)
    return loader.construct_mapping(node, deep=True)


_NamedOnce.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_product_file(path: Path) -> ProductDocument:
    """The document in a YAML or JSON file. Raises InvalidDocument with every fault, OSError for no file."""
    try:
        content = yaml.load(path.read_text("utf-8"), _NamedOnce)  # noqa: S506  a safe loader by inheritance
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        fault = Fault(code=FaultCode.INVALID_FIELD, message=f"{path.name} cannot be read: {error}")
        raise InvalidDocument((fault,)) from None
    if not isinstance(content, Mapping):
        fault = Fault(code=FaultCode.INVALID_FIELD, message=f"{path.name} holds no document with named fields")
        raise InvalidDocument((fault,))
    return read_document(content)


def shipped_products() -> list[ProductDocument]:
    """The documents that come with the service, by file name."""
    return [read_product_file(path) for path in sorted(SHIPPED.glob("*.yaml"))]
