"""The published JSON Schema of product documents: current, and in agreement with what is read."""

import json

import jsonschema
import yaml

from services.quote.product_files import SHIPPED
from services.quote.product_schema import SCHEMA_FILE, schema_text

SCHEMA = json.loads(schema_text())


def test_the_committed_schema_is_that_of_the_model() -> None:
    how = f"run `pledger product schema --output {SCHEMA_FILE.relative_to(SHIPPED.parents[2])}` and commit it"
    assert SCHEMA_FILE.read_text("utf-8") == schema_text(), how


def test_the_schema_is_valid_and_fits_the_shipped_products() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for path in SHIPPED.glob("*.yaml"):
        content = json.loads(json.dumps(yaml.safe_load(path.read_text("utf-8")), default=str))
        jsonschema.Draft202012Validator(SCHEMA).validate(content)
        assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(content | {"colour": "red"})


def test_editors_find_the_schema_beside_each_shipped_product() -> None:
    for path in SHIPPED.glob("*.yaml"):
        first = path.read_text("utf-8").splitlines()[0]
        assert first == f"# yaml-language-server: $schema={SCHEMA_FILE.name}", path.name
