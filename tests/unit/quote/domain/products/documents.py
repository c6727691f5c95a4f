"""Shipped documents as an author would edit them, and what is wrong with an edited one."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from services.quote.domain.products.reading import InvalidDocument, read_document
from services.quote.product_files import shipped_products

PRODUCTS = {document.code: document for document in shipped_products()}
Edit = Callable[[dict[str, Any]], Any]


def content(code: str) -> dict[str, Any]:
    """A shipped document as parsed JSON, to be edited."""
    found: dict[str, Any] = json.loads(PRODUCTS[code].canonical())
    return found


def misfits(changed: dict[str, Any]) -> list[tuple[str, str]]:
    """Path and sentence of every fault of an edited document, which must have some."""
    with pytest.raises(InvalidDocument) as error:
        read_document(changed)
    return [(fault.path, fault.message) for fault in error.value.faults]


def edited(code: str, edit: Edit) -> dict[str, Any]:
    """A shipped document after an edit."""
    changed = content(code)
    edit(changed)
    return changed
