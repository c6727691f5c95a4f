"""Reads rows from CSV or JSON lines, plain or gzipped, and reports every row that cannot be read."""

import csv
import gzip
import io
import json
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

LINE_BYTES_MAX = 1024 * 1024
CELL_CHARACTERS_MAX = 64 * 1024
ROW_LINES_MAX = 1_000
DELIMITERS = ",;\t|"
_BUFFER_BYTES = 64 * 1024
_GZIP = b"\x1f\x8b"
_NOT_ROWS = {
    b"PK\x03\x04": "is a ZIP archive or a spreadsheet; save it as CSV",
    b"\xff\xfe": "is UTF-16; save it as UTF-8",
    b"\xfe\xff": "is UTF-16; save it as UTF-8",
    b"PAR1": "is Parquet; export it as CSV",
    b"[": "is one JSON array; write one object a line",
}
_JSON_LINES_SUFFIXES = (".jsonl", ".ndjson", ".json")
_BOM = "\ufeff"
# What gzip raises in the middle of a damaged file.
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)


class UnreadableFile(Exception):
    """The file as a whole cannot be read as rows; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """The wanted cells of one row, and the lines of the file where it stands."""

    line: int
    last_line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read."""

    line: int
    last_line: int
    reason: str


Rows: TypeAlias = Iterator[Row | BadRow]
_Line: TypeAlias = tuple[int, str | None, str]
"""Line number, text, and where there is no text the reason."""


def read_rows(path: Path, columns: Sequence[str]) -> Rows:
    """The cells of `columns`, row by row, with the line numbers of the file.

    Compression and format are told by content first and by name second. Raises UnreadableFile where
    the file as a whole is no good: not there, not text, a wanted column missing.
    """
    try:
        with open_bytes(path) as stream:
            yield from _rows(stream, path, columns)
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}") from error


@contextmanager
def open_bytes(path: Path) -> Iterator[io.BufferedReader]:
    """The file's bytes, unpacked where they are gzipped."""
    with path.open("rb") as plain:
        if plain.peek(len(_GZIP)).startswith(_GZIP):
            with gzip.GzipFile(fileobj=plain) as unpacked:
                yield io.BufferedReader(unpacked, _BUFFER_BYTES)
        else:
            yield plain


def is_json_lines(path: Path, beginning: bytes) -> bool:
    """Whether rows are JSON objects: by their first sign, or by the file's name."""
    name = path.name.lower().removesuffix(".gz")
    return beginning.lstrip().startswith(b"{") or name.endswith(_JSON_LINES_SUFFIXES)


def _rows(stream: io.BufferedReader, path: Path, columns: Sequence[str]) -> Rows:
    try:
        beginning = stream.peek(1024).removeprefix(b"\xef\xbb\xbf")
    except _DAMAGED as error:
        raise UnreadableFile(f"{path}: is not a whole gzip file") from error
    for sign, reason in _NOT_ROWS.items():
        if beginning.startswith(sign):
            raise UnreadableFile(f"{path}: {reason}")
    lines = _lines(stream)
    if is_json_lines(path, beginning):
        yield from _json_rows(lines, columns)
    else:
        yield from _csv_rows(lines, path, columns)


def _lines(stream: io.BufferedReader) -> Iterator[_Line]:
    number = 0
    while True:
        number += 1
        try:
            raw = stream.readline(LINE_BYTES_MAX + 1)
            whole = len(raw) <= LINE_BYTES_MAX
            while not whole and not raw.endswith(b"\n"):
                # Read on to the end of the line in pieces, so that no line fills the memory.
                raw = stream.readline(LINE_BYTES_MAX)
                if not raw:
                    break
        except _DAMAGED:
            yield number, None, "the compressed file is damaged or cut off here; nothing after it could be read"
            return
        if whole and not raw:
            return
        yield _decoded(number, raw) if whole else (number, None, f"is longer than {LINE_BYTES_MAX} bytes")


def _decoded(number: int, raw: bytes) -> _Line:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return number, None, f"is not UTF-8 at byte {error.start + 1} of the line"
    if "\x00" in text:
        return number, None, "has a NUL character"
    return number, text.removeprefix(_BOM) if number == 1 else text, ""


def _json_rows(lines: Iterator[_Line], columns: Sequence[str]) -> Rows:
    for number, text, reason in lines:
        if text is None:
            yield BadRow(number, number, reason)
        elif not text.isspace():
            try:
                yield Row(number, number, _json_cells(text, columns))
            except (ValueError, RecursionError) as error:
                yield BadRow(number, number, _json_reason(error))


def _json_cells(text: str, columns: Sequence[str]) -> list[str]:
    # Numbers stay the text that they are, so that no amount goes through a float.
    found = json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse, object_pairs_hook=_object)
    if not isinstance(found, dict):
        raise ValueError("is not a JSON object")
    return [_json_text(found.get(name), name) for name in columns]


def _json_reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error.msg} at character {error.pos + 1}"
    return "is nested too deep" if isinstance(error, RecursionError) else str(error)


def _json_text(value: Any, name: str) -> str:
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError(f"{name} has a NUL character")
        if len(value) > CELL_CHARACTERS_MAX:
            raise ValueError(f"{name} has more than {CELL_CHARACTERS_MAX} characters")
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    raise ValueError(f"{name} is a list or an object, not one value")


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("names a field twice")
    return found


class _CsvRecords:
    """Splits lines into records, and after a broken record goes on with the line after its first one.

    A quotation mark that is never closed would otherwise swallow the rest of the file.
    """

    def __init__(self, lines: Iterator[_Line]) -> None:
        self._lines = lines
        self._again: deque[_Line] = deque()
        self._taken: list[_Line] = []
        self.delimiter = ","

    def __iter__(self) -> Iterator[tuple[int, int, list[str]] | BadRow]:
        csv.field_size_limit(CELL_CHARACTERS_MAX)
        reader = csv.reader(self._texts(), delimiter=self.delimiter, strict=True)
        while True:
            self._taken.clear()
            reason = ""
            cells: list[str] = []
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _Undecodable) as error:
                reason = str(error)
                reader = csv.reader(self._texts(), delimiter=self.delimiter, strict=True)
            if reason:
                yield self.spoilt(reason)
            elif cells:
                yield self._taken[0][0], self._taken[-1][0], cells

    def spoilt(self, reason: str) -> BadRow:
        """The first line of the record is bad; the others are read again."""
        first = self._taken[0]
        if len(self._taken) > 1:
            reason = f"a quoted cell is not closed ({reason})"
            self._again.extendleft(reversed(self._taken[1:]))
        self._taken = [first]
        return BadRow(first[0], first[0], reason)

    def _texts(self) -> Iterator[str]:
        while True:
            line = self._again.popleft() if self._again else next(self._lines, None)
            if line is None:
                return
            self._taken.append(line)
            if line[1] is None:
                raise _Undecodable(line[2])
            if len(self._taken) > ROW_LINES_MAX:
                raise _Undecodable(f"more than {ROW_LINES_MAX} lines")
            yield line[1]


class _Undecodable(Exception):
    pass


def _csv_rows(lines: Iterator[_Line], path: Path, columns: Sequence[str]) -> Rows:
    first = next(lines, None)
    if first is None or first[1] is None:
        raise UnreadableFile(f"{path}: {'is empty' if first is None else 'line 1 ' + first[2]}")
    delimiter = max(DELIMITERS, key=first[1].count)
    try:
        header = next(csv.reader([first[1]], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise UnreadableFile(f"{path}: line 1 is not a CSV header: {error}") from error
    pick = _picker(path, header, columns)
    records = _CsvRecords(lines)
    records.delimiter = delimiter
    for record in records:
        if isinstance(record, BadRow):
            yield record
            continue
        line, last_line, cells = record
        if len(cells) == len(header):
            yield Row(line, last_line, pick(cells))
        else:
            yield records.spoilt(f"has {len(cells)} cells, the header has {len(header)}")


def _picker(path: Path, header: list[str], columns: Sequence[str]) -> Callable[[list[str]], Sequence[str]]:
    names = [name.strip() for name in header]
    twice = sorted({name for name in columns if names.count(name) > 1})
    if twice:
        raise UnreadableFile(f"{path}: column {', '.join(twice)} stands twice in the header")
    missing = [name for name in columns if name not in names]
    if missing:
        close = get_close_matches(missing[0], names, 1)
        hint = f"; is {close[0]} meant?" if close else ""
        raise UnreadableFile(f"{path}: no column {', '.join(missing)} (columns: {', '.join(names)}){hint}")
    places = [names.index(name) for name in columns]
    if len(places) == 1:
        place = places[0]
        return lambda cells: (cells[place],)
    return itemgetter(*places) if places else lambda _: ()
