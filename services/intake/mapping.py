"""The mapping file: a declared way from the columns of a file to one kind of channel message.

    message: order.placed                      # or payment.reported, loss.reported
    channel: {column: Channel}                 # or {value: shop}
    key: {column: IDpol}                       # Kafka key; the contract's number unless given
    fields:
      order_no: {template: "{IDpol}/{Year}"}   # a dotted path reaches inside, such as risk.driver_age
      frequency: {column: PayFreq, map: {Annual: annual, Half-yearly: half-yearly}}
      campaign: {column: Marketing, optional: true}
    column_lists:                              # one entry for each of several columns
      coverages: {name_field: code, value_field: premium_minor, skip_zero: true, columns: {Fire: PremFire}}
    group_by: [IDclaim]                        # rows that make one message together
    row_lists:                                 # one entry for each row of the group
      lines: {number_field: line_no, per_row: {coverage: {column: Guarantee}}}

A cell is text; `map` replaces it, and then the field's own type in the contract decides how it is read:
amounts are decimals in the message's currency (`decimal_mark` says whether with a point or a comma), dates
are ISO unless `date_format` says otherwise. `as` overrides the choice, such as integer for an amount that is
in minor units already. An empty cell is a fault unless `optional` leaves the field out.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.intake.contract_fields import (
    SET_BY_INTAKE,
    Conversion,
    conversion_of,
    is_list,
    required_fields,
)

MAPPING_BYTES_MAX = 1024 * 1024
SHIPPED = Path(__file__).parent / "mappings"
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class MappingError(Exception):
    """The mapping cannot be used; the message lists every fault with its path."""


class Document(BaseModel):
    """A part of the mapping file; a word that is not known is a typing error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Scalar(Document):
    """One value: from a column, fixed, or put together from columns."""

    column: ColumnName | None = None
    value: str | None = None
    template: str | None = None
    replacements: dict[str, str] | None = Field(default=None, alias="map")
    conversion: Conversion | None = Field(default=None, alias="as")
    date_format: str | None = None
    """strptime form of a date that is not ISO, such as %d/%m/%Y."""
    optional: bool = False

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if sum(source is not None for source in (self.column, self.value, self.template)) != 1:
            raise ValueError("give exactly one of column, value, template")
        if self.template is not None and not PLACEHOLDER.search(self.template):
            raise ValueError("the template names no column; write {Column}, or use value")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the value is read from."""
        if self.column is not None:
            return (self.column,)
        return tuple(PLACEHOLDER.findall(self.template or ""))


class ColumnList(Document):
    """A list with one entry for each named column: `name_field` is the name, `value_field` the cell."""

    name_field: str
    value_field: str
    columns: Annotated[dict[str, ColumnName], Field(min_length=1)]
    conversion: Conversion | None = Field(default=None, alias="as")
    skip_zero: bool = False
    """Whether a zero, like an empty cell, means that there is no such entry."""


class RowList(Document):
    """A list with one entry for each row of the group; `number_field` counts them from 1."""

    per_row: Annotated[dict[str, Scalar], Field(min_length=1)]
    number_field: str | None = None


class Mapping(Document):
    """A whole mapping file, checked against the contract of its message."""

    message: Literal["order.placed", "payment.reported", "loss.reported"]
    channel: Scalar
    key: Scalar | None = None
    decimal_mark: Literal[".", ","] = "."
    fields: Annotated[dict[str, Scalar], Field(min_length=1)]
    column_lists: dict[str, ColumnList] = {}
    group_by: tuple[ColumnName, ...] = ()
    row_lists: dict[str, RowList] = {}

    @model_validator(mode="after")
    def _fits_the_contract(self) -> Self:
        faults = [*self._unknown_fields(), *self._unset_fields()]
        if self.group_by and not self.row_lists:
            faults.append("group_by: needs row_lists, which say what the rows of a group become")
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, each once, in order of first use."""
        scalars = [self.channel, *([self.key] if self.key else []), *self.fields.values()]
        scalars += [scalar for rows in self.row_lists.values() for scalar in rows.per_row.values()]
        names = [name for scalar in scalars for name in scalar.columns]
        names += [name for entries in self.column_lists.values() for name in entries.columns.values()]
        return tuple(dict.fromkeys([*self.group_by, *names]))

    def conversion(self, path: str, chosen: Conversion | None) -> Conversion:
        """How the field at `path` is read."""
        return chosen or conversion_of(self.message, path)

    def _targets(self) -> Iterator[tuple[str, str]]:
        for path in self.fields:
            yield f"fields.{path}", path
        for name, columns in self.column_lists.items():
            for inner in (columns.name_field, columns.value_field):
                yield f"column_lists.{name}", f"{name}.{inner}"
        for name, rows in self.row_lists.items():
            for inner in [*rows.per_row, *([rows.number_field] if rows.number_field else [])]:
                yield f"row_lists.{name}", f"{name}.{inner}"

    def _unknown_fields(self) -> Iterator[str]:
        for name in (*self.column_lists, *self.row_lists):
            if not is_list(self.message, name):
                yield f"{name}: {self.message} has no such list"
        for place, path in self._targets():
            if path in SET_BY_INTAKE:
                yield f"{place}: is set for you"
                continue
            try:
                conversion_of(self.message, path)
            except KeyError:
                yield f"{place}: {self.message} has no field {path}"

    def _unset_fields(self) -> Iterator[str]:
        given = {path.split(".")[0] for path in self.fields} | {*self.column_lists, *self.row_lists}
        for name in required_fields(self.message):
            if name not in given:
                yield f"fields.{name}: {self.message} needs it"


def load_mapping(source: str | Path) -> Mapping:
    """A mapping from a file, or from those shipped here by name. Raises MappingError with all faults."""
    path = find_mapping(source)
    try:
        with path.open("rb") as file:
            content = file.read(MAPPING_BYTES_MAX + 1)
    except OSError as error:
        raise MappingError(f"{path}: {error.strerror}") from error
    if len(content) > MAPPING_BYTES_MAX:
        raise MappingError(f"{path}: a mapping of more than {MAPPING_BYTES_MAX} bytes is surely a mistake")
    return parse_mapping(content, str(path))


def find_mapping(source: str | Path) -> Path:
    """The file itself or, where there is none, the shipped mapping of that name."""
    path = Path(source)
    shipped = SHIPPED / f"{path.name.removesuffix('.yaml')}.yaml"
    return shipped if not path.exists() and shipped.exists() else path


def shipped_mappings() -> list[str]:
    """Names of the mappings that come with the project."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def parse_mapping(content: bytes, name: str) -> Mapping:
    """A mapping from its YAML text; `name` stands in error messages."""
    try:
        # _TextLoader is a BaseLoader: it makes text, lists and mappings only.
        document = yaml.load(content.decode("utf-8-sig"), Loader=_TextLoader)  # noqa: S506
    except UnicodeDecodeError as error:
        raise MappingError(f"{name}: is not UTF-8 text") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise MappingError(f"{name}: is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise MappingError(f"{name}: must be a YAML mapping that begins with `message:`")
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        raise MappingError("\n".join(f"{name}: {fault}" for fault in _faults(error))) from error


def _faults(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False):
        path = ".".join(str(part) for part in detail["loc"])
        for words in detail["msg"].removeprefix("Value error, ").splitlines():
            known = {"missing": "is missing", "extra_forbidden": "is not known here"}
            sentence = known.get(detail["type"], words.replace("Input should be", "must be", 1))
            yield f"{path}: {sentence}" if path else sentence


class _TextLoader(yaml.BaseLoader):
    """Leaves every scalar as text, so that `No`, `007` and `2003-01-01` stay what they look like."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise yaml.constructor.ConstructorError(None, None, f"{name} stands twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)
