"""Rejected rows are copied exactly as they stand in the file, ready to be mended."""

import gzip
from pathlib import Path

import pytest

from services.intake.faults import RowFault
from services.intake.files import copy_lines
from services.intake.messages import Prepared, Rejected
from services.intake.publisher import FAULTS_KEPT_MAX, PublishReport


def test_csv_rows_are_copied_below_their_header(tmp_path: Path) -> None:
    source, target = tmp_path / "a.csv.gz", tmp_path / "rejected.csv"
    source.write_bytes(gzip.compress(b'a,b\r\n1,2\r\n3,"x\r\ny"\r\n5,6\r\n'))
    copy_lines(source, [(3, 4)], target)
    assert target.read_bytes() == b'a,b\r\n3,"x\r\ny"\r\n'


def test_json_lines_have_no_header(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "rejected.jsonl"
    source.write_bytes(b'{"a":1}\n{"a":2}\n{"a":3}\n')
    copy_lines(source, [(3, 3), (2, 2)], target)
    assert target.read_bytes() == b'{"a":2}\n{"a":3}\n'


def test_rejected_rows_never_overwrite_a_file(tmp_path: Path) -> None:
    source, target = tmp_path / "a.csv", tmp_path / "rejected.csv"
    source.write_bytes(b"a\n1\n")
    target.write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        copy_lines(source, [(2, 2)], target)
    assert target.read_bytes() == b"precious"


def test_a_report_counts_all_faults_and_keeps_the_first_ones() -> None:
    report = PublishReport()
    for line in range(FAULTS_KEPT_MAX + 5):
        report.reject(Rejected((RowFault(line, "a", "is empty"),), ((line, line),)))
    report.publish(Prepared("river", "k", b"{}", ((1, 1), (2, 2))))
    assert (report.faults, len(report.rejected)) == (FAULTS_KEPT_MAX + 5, FAULTS_KEPT_MAX)
    assert (report.rows, report.published, report.by_channel) == (FAULTS_KEPT_MAX + 7, 1, {"river": 1})
