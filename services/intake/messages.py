"""From rows to channel messages: builds each as its mapping says and checks it against its contract."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson
from pydantic import TypeAdapter, ValidationError

from contracts.topics import ORDER_BYTES_MAX
from contracts.vocabulary.identifiers import ChannelCode
from services.intake.cells import CellFault, Read, converter, digits_reader, reader
from services.intake.contract_fields import MODELS, Conversion
from services.intake.faults import RowFault, contract_faults, shown
from services.intake.mapping import ColumnList, Mapping, Scalar
from services.intake.rows import BadRow, Row

SCHEMA_VERSION = 1
KEY_BYTES_MAX = 200
_KEY_FIELDS = ("contract_no", "policy_no", "order_no", "notice_no", "payment_no")
_CHANNEL = TypeAdapter(ChannelCode)

Fields: TypeAlias = list[tuple[str, Read]]
Faults: TypeAlias = list[RowFault]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message ready for its channel's topic; `lines` are the first and last lines of its rows."""

    channel: str
    key: str
    value: bytes
    lines: tuple[tuple[int, int], ...] = ((0, 0),)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rows that make no message, with everything that is wrong with them."""

    faults: tuple[RowFault, ...]
    lines: tuple[tuple[int, int], ...]


def prepare(mapping: Mapping, rows: Iterable[Row | BadRow]) -> Iterator[Prepared | Rejected]:
    """The message of every row or, with `group_by`, of every group once the whole file is read.

    A row that cannot be read at all belongs to no group: it is rejected alone. A fault in one row of a
    group rejects the group, because half a message would take the number that the whole one needs.
    """
    builder = MessageBuilder(mapping)
    groups: dict[tuple[str, ...], list[Row]] = {}
    grouped = len(mapping.group_by)
    for row in rows:
        if isinstance(row, BadRow):
            yield Rejected((RowFault(row.line, "", row.reason),), ((row.line, row.last_line),))
        elif grouped:
            # The columns of group_by come first among the wanted ones.
            groups.setdefault(tuple(row.cells[:grouped]), []).append(row)
        else:
            yield builder.message((row,))
    while groups:
        yield builder.message(groups.pop(next(iter(groups))))


class MessageBuilder:
    """A mapping made ready to run over rows whose cells are in the order of `mapping.columns`."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._model = MODELS[mapping.message]
        self._places = {name: place for place, name in enumerate(mapping.columns)}
        self._digits = digits_reader(mapping.fields.get("currency"), self._places)
        self._channel = self._reader(mapping.channel, Conversion.TEXT)
        self._key = self._reader(mapping.key, Conversion.TEXT) if mapping.key else None
        self._fields = self._read_from_rows(mapping.fields)
        self._columns = [
            (name, entries, self._column_readers(name, entries)) for name, entries in mapping.column_lists.items()
        ]
        self._rows = [
            (name, entries.number_field, self._list_readers(name, entries.per_row))
            for name, entries in mapping.row_lists.items()
        ]

    def message(self, rows: Sequence[Row]) -> Prepared | Rejected:
        """The message of these rows, or all their faults."""
        faults: Faults = []
        message = self._head(rows[0], faults)
        for row in rows[1:]:
            self._demand_same_head(message, rows[0], row, faults)
        for name, entries, readers in self._columns:
            message[name] = _column_entries(name, entries, readers, rows[0], faults)
        for name, number_field, fields in self._rows:
            message[name] = _row_entries(name, number_field, fields, rows, faults)
        channel = self._channel_of(rows[0], faults)
        value = orjson.dumps(message)
        self._check(value, message, rows[0], faults)
        key = self._key_of(message, rows[0], faults)
        lines = tuple((row.line, row.last_line) for row in rows)
        return Rejected(tuple(faults), lines) if faults else Prepared(channel, key, value, lines)

    def _reader(self, scalar: Scalar, conversion: Conversion) -> Read:
        convert = converter(conversion, self._digits, self._mapping.decimal_mark, scalar.date_format)
        return reader(scalar, convert, self._places)

    def _read_from_rows(self, fields: dict[str, Scalar]) -> list[tuple[tuple[str, ...], str, Fields]]:
        """Readers by the object that they fill, so that each inner object is made once a row."""
        inside: dict[tuple[str, ...], Fields] = {(): []}
        for path, scalar in fields.items():
            *parents, name = path.split(".")
            conversion = self._mapping.conversion(path, scalar.conversion)
            inside.setdefault(tuple(parents), []).append((name, self._reader(scalar, conversion)))
        return [(parents, "".join(f"{part}." for part in parents), readers) for parents, readers in inside.items()]

    def _list_readers(self, name: str, fields: dict[str, Scalar]) -> Fields:
        return [
            (inner, self._reader(scalar, self._mapping.conversion(f"{name}.{inner}", scalar.conversion)))
            for inner, scalar in fields.items()
        ]

    def _column_readers(self, name: str, entries: ColumnList) -> Fields:
        conversion = self._mapping.conversion(f"{name}.{entries.value_field}", entries.conversion)
        return [
            (label, self._reader(Scalar(column=column, optional=True), conversion))
            for label, column in entries.columns.items()
        ]

    def _head(self, row: Row, faults: Faults) -> dict[str, Any]:
        message: dict[str, Any] = {"type": self._mapping.message, "schema_version": SCHEMA_VERSION}
        cells = row.cells
        for parents, prefix, readers in self._fields:
            place = message
            for parent in parents:
                place = place.setdefault(parent, {})
            for name, read in readers:
                try:
                    value = read(cells)
                except CellFault as fault:
                    faults.append(RowFault(row.line, prefix + name, str(fault)))
                    continue
                if value is not None:
                    place[name] = value
        return message

    def _demand_same_head(self, head: dict[str, Any], first: Row, row: Row, faults: Faults) -> None:
        own: Faults = []
        other = self._head(row, own)
        for name in head.keys() | other.keys():
            if head.get(name) != other.get(name) and name not in self._mapping.column_lists:
                own.append(RowFault(row.line, name, f"differs from line {first.line} of the same group"))
        faults.extend(own)

    def _channel_of(self, row: Row, faults: Faults) -> str:
        try:
            channel: str = self._channel(row.cells) or ""
        except CellFault as fault:
            faults.append(RowFault(row.line, "channel", str(fault)))
            return ""
        try:
            _CHANNEL.validate_python(channel)
        except ValidationError:
            faults.append(RowFault(row.line, "channel", f"{shown(channel)} is not a channel code"))
        return channel

    def _key_of(self, message: dict[str, Any], row: Row, faults: Faults) -> str:
        # Messages of one contract share a key, and so a partition, in which they keep their order.
        if self._key is None:
            return next((str(message[name]) for name in _KEY_FIELDS if name in message), "")
        try:
            key: str = self._key(row.cells) or ""
        except CellFault as fault:
            faults.append(RowFault(row.line, "key", str(fault)))
            return ""
        if len(key.encode()) > KEY_BYTES_MAX:
            faults.append(RowFault(row.line, "key", f"has more than {KEY_BYTES_MAX} bytes"))
        return key

    def _check(self, value: bytes, message: dict[str, Any], row: Row, faults: Faults) -> None:
        """Hold the very bytes that will be sent against the contract."""
        if len(value) > ORDER_BYTES_MAX:
            faults.append(RowFault(row.line, "", f"makes a message of more than {ORDER_BYTES_MAX} bytes"))
        try:
            # As strictly as the gate of orders: a number in quotes is no number.
            self._model.model_validate_json(value, strict=True)
        except ValidationError as error:
            said = {fault.field for fault in faults}
            for path, reason in contract_faults(error, message):
                # What a cell's fault left out of the message is not missing besides.
                if not any(path == field or field.startswith(f"{path}.") for field in said):
                    faults.append(RowFault(row.line, path, reason))


def _column_entries(name: str, entries: ColumnList, readers: Fields, row: Row, faults: Faults) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for label, read in readers:
        try:
            value = read(row.cells)
        except CellFault as fault:
            faults.append(RowFault(row.line, f"{name}.{len(found)}.{entries.value_field}", str(fault)))
            found.append({entries.name_field: label})
            continue
        if value is not None and not (entries.skip_zero and value == 0):
            found.append({entries.name_field: label, entries.value_field: value})
    return found


def _row_entries(
    name: str, number_field: str | None, fields: Fields, rows: Sequence[Row], faults: Faults
) -> list[dict[str, Any]]:
    found = []
    for place, row in enumerate(rows):
        entry: dict[str, Any] = {} if number_field is None else {number_field: place + 1}
        for inner, read in fields:
            try:
                value = read(row.cells)
            except CellFault as fault:
                faults.append(RowFault(row.line, f"{name}.{place}.{inner}", str(fault)))
                continue
            if value is not None:
                entry[inner] = value
        found.append(entry)
    return found
