"""Reading files: formats, line numbers, and rows that cannot be read."""

import gzip
from pathlib import Path

import pytest

from services.intake import rows
from services.intake.rows import BadRow, Row, UnreadableFile, read_rows


def written(folder: Path, content: bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(path: Path, *columns: str) -> list[Row | BadRow]:
    return list(read_rows(path, columns))


def test_only_the_wanted_columns_are_read_in_the_wanted_order(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b,c\n1,2,3\n")
    assert read(path, "c", "a") == [Row(2, 2, ("3", "1"))]
    assert read(path, "b") == [Row(2, 2, ("2",))]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfa,b\r\n1,2\r\n", b"a;b\n1;2\n", b"a\tb\n1\t2", b" a , b \n1,2\n\n"])
def test_the_dialect_is_told_from_the_header(tmp_path: Path, content: bytes) -> None:
    assert read(written(tmp_path, content), "a", "b") == [Row(2, 2, ("1", "2"))]


def test_compression_is_told_from_the_content_and_not_from_the_name(tmp_path: Path) -> None:
    assert read(written(tmp_path, gzip.compress(b"a\n1\n")), "a") == [Row(2, 2, ("1",))]
    assert read(written(tmp_path, b"a\n1\n", "rows.csv.gz"), "a") == [Row(2, 2, ("1",))]


def test_line_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, b'a,b\n1,"two\nlines"\n\n3,4\n')
    assert read(path, "a", "b") == [Row(2, 3, ("1", "two\nlines")), Row(5, 5, ("3", "4"))]


def test_a_row_with_too_few_or_too_many_cells_is_bad(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\n1\n1,2,3\n1,2\n")
    assert read(path, "a") == [
        BadRow(2, 2, "has 1 cells, the header has 2"),
        BadRow(3, 3, "has 3 cells, the header has 2"),
        Row(4, 4, ("1",)),
    ]


def test_bytes_that_are_no_text_spoil_their_row_only(tmp_path: Path) -> None:
    path = written(tmp_path, b"a\n\xff\n1\x00\n2\n")
    assert read(path, "a") == [
        BadRow(2, 2, "is not UTF-8 at byte 1 of the line"),
        BadRow(3, 3, "has a NUL character"),
        Row(4, 4, ("2",)),
    ]


def test_a_quotation_mark_that_is_never_closed_spoils_its_row_only(tmp_path: Path) -> None:
    path = written(tmp_path, b'a,b\n1,"2\n3,4\n5,6\n')
    bad, *good = read(path, "a", "b")
    assert isinstance(bad, BadRow)
    assert (bad.line, "is not closed" in bad.reason) == (2, True)
    assert good == [Row(3, 3, ("3", "4")), Row(4, 4, ("5", "6"))]


def test_a_stray_quotation_mark_closed_far_below_spoils_its_row_only(tmp_path: Path) -> None:
    path = written(tmp_path, b'a,b\n1,"2\n3,4\n5,"6"\n7,8\n')
    found = read(path, "a", "b")
    assert [row.line for row in found if isinstance(row, BadRow)] == [2]
    assert [row.cells for row in found if isinstance(row, Row)] == [("3", "4"), ("5", "6"), ("7", "8")]


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LINE_BYTES_MAX", 100)
    path = written(tmp_path, b"a\n" + b"x" * 1_000 + b"\n1\n")
    assert read(path, "a") == [BadRow(2, 2, "is longer than 100 bytes"), Row(3, 3, ("1",))]


def test_a_huge_cell_is_bad(tmp_path: Path) -> None:
    big = b"x" * (rows.CELL_CHARACTERS_MAX + 1)
    first, second = read(written(tmp_path, b"a,b\n1," + big + b"\n1,2\n"), "a")
    assert isinstance(first, BadRow)
    assert second == Row(3, 3, ("1",))
    (third,) = read(written(tmp_path, b'{"a": "' + big + b'"}\n', "rows.jsonl"), "a")
    assert isinstance(third, BadRow)


def test_a_file_that_is_cut_off_is_reported(tmp_path: Path) -> None:
    packed = gzip.compress(b"a\n" + b"".join(b"%d\n" % number for number in range(200_000)))
    found = read(written(tmp_path, packed[: len(packed) // 2]), "a")
    assert isinstance(found[-1], BadRow)
    assert "damaged or cut off" in found[-1].reason


def test_json_lines_keep_numbers_as_they_are_written(tmp_path: Path) -> None:
    content = b'{"a": 0.10, "b": 12345678901234567890, "c": true, "d": null}\n\n{"a": "x"}\n'
    path = written(tmp_path, content, "rows.jsonl")
    assert read(path, "a", "b", "c", "d") == [
        Row(1, 1, ["0.10", "12345678901234567890", "true", ""]),
        Row(3, 3, ["x", "", "", ""]),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"[1]",
        b"{",
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b'{"a": [1]}',
        b'{"a": {"b": 1}}',
        b'{"a": "\\u0000"}',
        b"\xff",
        b'{"a": ' + b"[" * 50_000,
        b"null",
    ],
)
def test_a_line_that_is_no_plain_object_is_bad(tmp_path: Path, line: bytes) -> None:
    first, bad, last = read(written(tmp_path, b'{"a": 1}\n' + line + b'\n{"a": 2}\n', "x.jsonl"), "a")
    assert isinstance(bad, BadRow)
    assert (first, last) == (Row(1, 1, ["1"]), Row(3, 3, ["2"]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04", "spreadsheet"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"[{}]", "one object a line"),
        (b"b,c\n1,2\n", "no column a"),
        (b"A,b\n1,2\n", "no column a"),
        (b"a,a\n1,2\n", "stands twice"),
        (b"\x1f\x8b\x08nonsense", "gzip"),
        (b'"a\n', "not a CSV header"),
    ],
)
def test_a_file_that_is_no_good_as_a_whole_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read(written(tmp_path, content), "a")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        read(tmp_path / "nowhere.csv", "a")
