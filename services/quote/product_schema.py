"""The JSON Schema of product documents: editors complete and check them by it."""

import json
from typing import Any

from contracts.schema_files import DIALECT
from services.quote.domain.products.document import ProductDocument
from services.quote.product_files import SHIPPED

SCHEMA_FILE = SHIPPED / "product.schema.json"


def product_schema() -> dict[str, Any]:
    """The schema of the model. It says what a document may hold; `pledger product validate` checks more."""
    body = ProductDocument.model_json_schema(mode="validation")
    return {"$schema": DIALECT, "$id": SCHEMA_FILE.name, **body}


def schema_text() -> str:
    """The schema as it is committed beside the shipped products."""
    return json.dumps(product_schema(), indent=2, ensure_ascii=False) + "\n"
